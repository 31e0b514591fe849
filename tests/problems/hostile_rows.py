"""Hostile rows of problem files for every source: random ones, and ones of the maximum length."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from callwright.agent.parsing.parse import parse_call
from callwright.problems.check import check_problem
from callwright.problems.decontaminate import decontaminate
from callwright.problems.folio import read_folio
from callwright.problems.gsm8k import read_gsm8k
from callwright.problems.jsonl import FIELDS, read_jsonl_problems
from callwright.problems.proofwriter import read_proofwriter
from callwright.problems.row_fields import MAX_QUESTION_CHARACTERS
from callwright.problems.source import SourceResult
from callwright.problems.split import deduplicate
from callwright.storage.jsonl import dumps
from callwright.tasks import TASKS

READERS: dict[str, Callable[[Path, SourceResult], SourceResult]] = {
    "jsonl": lambda path, result: read_jsonl_problems(path, TASKS, parse_call, result),
    "gsm8k": lambda path, result: read_gsm8k(path, "train", result),
    "folio": lambda path, result: read_folio(path, "train", result),
    "proofwriter": lambda path, result: read_proofwriter(path, "train", result),
}
ROWS: dict[str, dict[str, Any]] = {  # a good row of each source
    "jsonl": {
        **dict.fromkeys(FIELDS),
        "id": "a",
        "question": "2 + 3?",
        "answer": 5,
        "solution": ["add(2, 3)", {"name": "answer", "arguments": {"value": 5}}],
    },
    "gsm8k": {"question": "How much is it?", "answer": "It is 2*3 = $<<2*3=6>>6.\n#### 6"},
    "folio": {
        "premises": ["Dogs bark.", "Rex is a dog."],
        "premises-FOL": ["∀x (Dog(x) → Bark(x))", "Dog(rex)"],
        "conclusion": "Rex barks.",
        "conclusion-FOL": "Bark(rex)",
        "label": "True",
        "story_id": 7,
    },
    "proofwriter": {
        "id": "ProofWriter_AttNeg-OWA-D5-7_Q3",
        "context": "Rex is big. Big things are kind.",
        "question": "Based on the above information, is the following statement true, false, or unknown? Rex is kind.",
        "answer": "A",
    },
}
FRAGMENTS = (  # each is repeated up to the maximum length
    *(
        " ",
        "1",
        "9,",
        "1,111",
        "1 111",
        ",123",
        "1.1.",
        ".",
        "0",
        "-",
        "%",
        "=",
        "(",
        ")",
        "()",
        "1=",
        "=1",
        "(=",
        "a=(",
    ),
    *("1+", "2*3=6 ", "<", "<<", "<<1", "<<=", "<<1+1=2>>", "<<2*3=6>>6\n", "<<=>>", ">>", "####", "\n####", "#### 1"),
    *("1 1/", "1/2 ", "5 boxes of ", "plus ", "x 2 ", "of ", "50% of ", "$", "× ", "2^", "9^9=", "\ufffc", "\ufffc="),
    *(
        "If ",
        " then ",
        "If a then b\n",
        " and ",
        "the cat ",
        "is not ",
        "All a, ",
        ", a",
        ". ",
        ".\n",
        "someone is big ",
    ),
    *(
        "is the following statement true, false, or unknown? ",
        "_Q1",
        "?",
        "P(",
        "¬",
        "∀x ",
        "all x. ",
        "P(a) ∧ ",
        "((",
        "- ",
    ),
    *(
        "é",
        "e\u0301",
        "\u0301\u0323",
        "\u0f73",
        "\u202e",
        "\x00",
        "ﬁ",
        "a",
        "a ",
        "'",
        "’",
        "\\",
        '"',
        "٣",
        "²",
        "\U0001f600",
    ),
)
SPECIAL = (
    "\ud83d",
    "so \ud83d",
    "",
    " ",
    "\x00",
    "a\nb",
    "25%",
    "$18 per hour",
    "NaN",
    "1e999",
    "9" * 701,
    "0/0",
    "answer(5)",
)
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "latin-1", "cp1252")

texts = (
    st.sampled_from(SPECIAL)
    | st.text(max_size=30)
    | st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join)
    | st.builds(lambda part, times: part * times, st.sampled_from(FRAGMENTS), st.integers(2, 400))
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**30, 10**60) | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
malformed_lines = st.sampled_from(
    ["{", "[", "[[[[", "null", "5", '"', '{"a": 1}', '{"question": "q", "answer": 01}', "\ufeff", "\x00"]
)


def longest(fragment: str) -> str:
    """A fragment repeated up to the maximum number of characters of a question."""
    return (fragment * MAX_QUESTION_CHARACTERS)[:MAX_QUESTION_CHARACTERS]


@st.composite
def files(draw: st.DrawFn) -> tuple[str, bytes]:
    """A source's name, and a file for its reader: some good rows, some with hostile fields, some malformed lines."""
    source = draw(st.sampled_from(sorted(ROWS)))
    lines = []
    for _ in range(draw(st.integers(0, 4))):
        row = dict(ROWS[source])
        for name in draw(st.lists(st.sampled_from(sorted(row)), max_size=2)):
            row[name] = draw(values)
        line = json.dumps(row, ensure_ascii=draw(st.booleans()))
        if draw(st.integers(0, 7)) == 0:
            line = draw(malformed_lines) if draw(st.booleans()) else line[: draw(st.integers(0, len(line)))]
        lines.append(line)
    as_list = source == "proofwriter" or draw(st.integers(0, 4)) == 0
    text = f"[{', '.join(lines)}]" if as_list else "\n".join(lines)
    encoding = draw(st.sampled_from(ENCODINGS)) if draw(st.booleans()) else "utf-8"
    content = text.encode(encoding, errors=draw(st.sampled_from(["replace", "ignore"])))
    position = draw(st.integers(0, len(content)))
    inserted = draw(st.sampled_from([b"\xff", b"\n", b"\0"])) if draw(st.integers(0, 4)) == 0 else b""
    return source, content[:position] + inserted + content[position:]


def read_and_check(source: str, path: Path) -> SourceResult:
    """What the stage problems does with a file: read, check, deduplicate, decontaminate, write.

    Raises:
        DataError: the file cannot be read as rows.
    """
    source_result = READERS[source](path, SourceResult(partial(check_problem, tasks=TASKS)))
    unique_problems, repeated = deduplicate(source_result.problems)
    decontaminate(unique_problems, unique_problems)
    for record in (*source_result.problems, *source_result.dropped, *repeated):
        dumps(record)
    return source_result
