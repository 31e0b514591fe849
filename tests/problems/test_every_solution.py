"""Whatever the source, a row that cannot be solved is left out before any model is asked, with its line and reason.

The rows are numbers 25 to 27 of the cases from public bug reports: solutions that do not execute or do not reach their
answer, labels that the task's grader does not know, and answers that are no formulas.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from callwright.agent.parsing.parse import parse_call
from callwright.functions.function import render_call
from callwright.params import Params
from callwright.problems.load import LoadedProblems, load_problems
from callwright.tasks import TASKS
from tests.problems.hostile_rows import ROWS
from tests.working_tree import ROOT

SHIPPED = Params.load(ROOT / "params.yaml").problems
EXAMPLE = {"question": "What is it?", "answer": 5}
MARKED = "is the following statement true, false, or unknown? "
FILES = {  # the first one gets the rows
    "jsonl": ["own.jsonl"],
    "gsm8k": ["train.jsonl", "test.jsonl"],
    "folio": ["validation.jsonl", "train.jsonl"],
    "proofwriter": ["train.json", "dev.json", "test.json"],
}


def load(folder: Path, source: str, *rows: dict[str, Any]) -> LoadedProblems:
    """Load rows as the stage does, from the source's own files."""
    for name in FILES[source]:
        written = rows if name == FILES[source][0] else ()
        text = json.dumps(written) if name.endswith(".json") else "".join(f"{json.dumps(row)}\n" for row in written)
        (folder / name).write_text(text)
    path = folder / FILES[source][0] if source == "jsonl" else folder
    public = {"train": None, "dev": 1, "test": None}
    params = SHIPPED.model_copy(update={"source": source, "path": str(path), "public": public})
    return load_problems(params, 7, TASKS, parse_call)


@pytest.mark.parametrize(
    ("source", "row", "reason"),
    [
        (
            "jsonl",
            {**EXAMPLE, "solution": ["plus(2, 3)", "answer(5)"]},
            "its solution calls a function that the task does not have",
        ),
        (
            "jsonl",
            {**EXAMPLE, "solution": ["divide(2, 0)", "answer(5)"]},
            "its solution has a call that does not execute",
        ),
        (
            "jsonl",
            {**EXAMPLE, "solution": ["add(a=2, c=3)", "answer(5)"]},
            "its solution has a call with wrong arguments",
        ),
        ("jsonl", {**EXAMPLE, "solution": ["add(2, 2)", "answer(4)"]}, "its solution does not reach its answer"),
        ("jsonl", {**EXAMPLE, "answer": "B", "task": "entailment"}, "the task does not take its answer"),
        ("jsonl", {**EXAMPLE, "answer": "maybe", "task": "entailment"}, "the task does not take its answer"),
        ("jsonl", {**EXAMPLE, "answer": "all x. (Bird(x)", "task": "translation"}, "the task does not take its answer"),
        ("jsonl", {**EXAMPLE, "answer": "Birds fly.", "task": "translation"}, "the task does not take its answer"),
        ("gsm8k", {"answer": "It is <<2/0=5>>5.\n#### 5"}, "a step does not execute"),
        ("gsm8k", {"answer": "It is <<2+2=4>>4.\n#### 5"}, "equations do not reach the answer"),
        ("gsm8k", {"answer": "It is <<2+3=5>>5.\n#### B"}, "answer is not a number"),
        ("folio", {"label": "B"}, "label is not True, False, Unknown or Uncertain"),
        ("folio", {"label": "False"}, "the label is False, the formulas say True"),
        ("folio", {"conclusion-FOL": "Rex barks."}, "an annotation is not a formula"),
        ("proofwriter", {"answer": "D"}, "answer is not A, B or C"),
        ("proofwriter", {"answer": "B"}, "the label is False, the formulas say True"),
        ("proofwriter", {"question": f"{MARKED}Rex barks loudly at noon."}, "a sentence of no known form"),
    ],
)
def test_a_row_that_cannot_be_solved_is_left_out_with_its_line_and_reason(
    tmp_path: Path, source: str, row: dict[str, Any], reason: str
):
    bad = row if source == "jsonl" else {**ROWS[source], **row}
    loaded = load(tmp_path, source, {**ROWS[source], "split": "train"}, bad)
    where = f"{tmp_path / FILES[source][0]}:{' row 1' if source == 'proofwriter' else '2'}"
    assert (where, reason) in {(row.where, row.reason) for row in loaded.unusable}
    assert loaded.surprises == []


@pytest.mark.parametrize("source", FILES)
def test_every_call_of_a_loaded_solution_names_its_arguments_and_returns_the_answer(tmp_path: Path, source: str):
    loaded = load(tmp_path, source, ROWS[source])
    problems = [problem for split in loaded.splits.values() for problem in split]
    assert problems
    assert loaded.dropped == []
    for problem in problems:
        tools = TASKS[problem.task].toolbox.open()
        observations = [tools.execute(call) for call in problem.solution]
        assert TASKS[problem.task].grade(problem, observations[-1].text) == "right"
        assert all(not name.isdigit() for call in problem.solution for name in call.arguments), list(
            map(render_call, problem.solution)
        )
