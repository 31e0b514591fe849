"""A file of problems: those of the hostile cases, rows that must be accepted, and rows that must be dropped."""

import json
from typing import Any

from tests.fakes import problem
from tests.stages.hostile_inputs import CASES

HALF = r"\ud83d"
DROPPED_ROWS = {  # reason -> rows that are dropped for it
    "question has half a character (a lone surrogate)": [f'{{"question": "so {HALF}", "answer": 1}}'],
    "id has half a character (a lone surrogate)": [f'{{"question": "q", "answer": 1, "id": "{HALF}"}}'],
    "group has half a character (a lone surrogate)": [f'{{"question": "q", "answer": 1, "group": "{HALF}"}}'],
    "id has control characters or marks of writing direction": [
        r'{"question": "q", "answer": 1, "id": "a\u001b[31mb"}'
    ],
    "question is longer than 40,000 characters": [json.dumps({"question": "a" * 2**20, "answer": 1})],
    "answer is not a number": [
        json.dumps({"question": "spaces?", "answer": f"{' ' * spaces}x"}) for spaces in (100, 180, 700)
    ],
    "answer is not text or a finite number": ['{"question": "q", "answer": NaN}'],
    "answer occurs twice": ['{"question": "q", "answer": 5, "answer": 6}'],
    "answer is more than one number": ['{"question": "far?", "answer": "3 km"}'],
    "malformed JSON": ['{"question": "q", "answer": 5', "[" * 50_000],
    "not a JSON object": ["[5]", "null"],
    "the line is longer than 4,000,000 characters": ["1" * 5_000_000],
    "its task does not exist": ['{"question": "who?", "answer": "9", "task": "clock (24h)"}'],
    "the task does not take its answer": [
        '{"question": "follows?", "answer": "B", "task": "entailment"}',
        '{"question": "formula?", "answer": "all x. (", "task": "translation"}',
    ],
    "its solution calls a function that the task does not have": [
        '{"question": "2 + 3?", "answer": 5, "solution": ["plus(2, 3)", "answer(5)"]}'
    ],
    "its solution has a call that does not execute": [
        '{"question": "2 + 4?", "answer": 6, "solution": ["divide(2, 0)", "answer(6)"]}'
    ],
    "its solution has a call with wrong arguments": [
        '{"question": "2 + 5?", "answer": 7, "solution": ["add(a=2, c=5)", "answer(7)"]}'
    ],
    "its solution does not reach its answer": [
        '{"question": "2 + 6?", "answer": 8, "solution": ["add(2, 2)", "answer(4)"]}'
    ],
    "answer is a number of more than 700 characters": [json.dumps({"question": "how many?", "answer": "9" * 701})],
    "unexpected LookupError in odd.py": ['{"question": "who raises?", "answer": "grader", "task": "odd"}'],
}
ACCEPTED_ROWS = [
    '{"question": "What is half of it?", "answer": 123456789012345678.25, "weight": NaN, "split": "test"}',
    f'{{"question": "What is a third?", "answer": "1/3", "tag": "{HALF}", "tag": 1, "split": "test"}}',
]


def row(name: str) -> dict[str, Any]:
    case = CASES[name]
    fields = {"id": name, "task": case.task, "question": f"{name}: {case.question}", "answer": case.answer}
    return {**fields, "split": "train", **({"solution": case.solution} if case.solution else {})}


def good_rows() -> list[str]:
    """Problems of the cases and of the hostile lines, some for dev and test, and rows that only look hostile."""
    lines = problem()  # tests/validation/test_hostile_lines.py has chains of this problem
    rows = [{"id": lines.id, "question": lines.question, "answer": lines.answer, "split": "dev"}]
    rows += [{"question": f"How much is {number} and 3?", "answer": number + 3, "split": "test"} for number in range(9)]
    return [*map(json.dumps, [*map(row, CASES), *rows]), *ACCEPTED_ROWS]
