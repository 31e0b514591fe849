import json
from functools import partial
from pathlib import Path

import pytest

from callwright.errors import CallError, DataError
from callwright.problems.check import check_problem
from callwright.problems.jsonl import read_jsonl_problems
from callwright.problems.source import SourceResult
from callwright.records import Call, Problem
from callwright.tasks import TASKS
from tests.fakes import tasks_with
from tests.tasks.words.task import WORDS


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return path


def read_rows(folder: Path, *rows: object) -> SourceResult:
    return read_jsonl_problems(write(folder / "mine.jsonl", *rows), TASKS, parse_answer)


def reasons(folder: Path, *rows: object) -> list[str]:
    return [row.reason for row in read_rows(folder, *rows).dropped]


def parse_answer(text: str) -> Call | CallError:
    """Parses one known call, in place of the agent's parser."""
    return Call("answer", {"value": 5}) if text == "answer(value=5)" else CallError("syntax", "no call")


def test_a_row_needs_only_a_question_and_an_answer(tmp_path: Path):
    source_result = read_rows(tmp_path, {"question": "2 + 3?", "answer": 5})
    assert source_result.problems == [
        Problem("mine/0", "arithmetic", "2 + 3?", "5", (), source="jsonl", group="mine/0", split="train")
    ]
    assert source_result.without_split == {"mine/0"}


def test_a_row_can_have_every_field(tmp_path: Path):
    solution = [{"name": "add", "arguments": {"a": 2, "b": 3}}, {"name": "answer", "arguments": {"value": 5}}]
    row = {"id": 7, "task": "arithmetic", "question": "2 + 3?", "answer": "5.0", "solution": solution}
    source_result = read_rows(tmp_path, {**row, "group": "sums", "split": "test", "author": "me"})
    chain = (Call("add", {"a": 2, "b": 3}), Call("answer", {"value": 5}))
    assert source_result.problems == [Problem("7", "arithmetic", "2 + 3?", "5", chain, "jsonl", "sums", "test")]
    assert source_result.without_split == set()


@pytest.mark.parametrize(("answer", "expected"), [(0.5, "0.5"), ("$1,200", "1200"), ("2/6", "1/3"), (0, "0")])
def test_an_arithmetic_answer_is_converted_to_one_notation(tmp_path: Path, answer: object, expected: str):
    assert read_rows(tmp_path, {"question": "q", "answer": answer}).problems[0].answer == expected


def test_the_answer_of_another_task_is_not_changed(tmp_path: Path):
    row = {"question": "q", "answer": "Unknown", "task": "entailment"}
    assert read_rows(tmp_path, row).problems[0].answer == "Unknown"


def test_calls_written_as_text_are_parsed_by_the_given_parser(tmp_path: Path):
    path = write(tmp_path / "mine.jsonl", {"question": "q", "answer": 5, "solution": ["answer(value=5)"]})
    assert read_jsonl_problems(path, TASKS, parse_answer).problems[0].solution == (Call("answer", {"value": 5}),)
    without_parser = read_jsonl_problems(path, TASKS)
    assert [row.reason for row in without_parser.dropped] == ["solution has something that is not a call"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "malformed JSON"),
        ('{"question": "q", "answer": NaN}', "answer is not text or a finite number"),
        ('{"question": Infinity, "answer": 1}', "question is not text"),
        ("[" * 100_000, "malformed JSON"),
        ("[]", "not a JSON object"),
        ({"answer": 1}, "question is missing"),
        ({"question": "  ", "answer": 1}, "question is missing"),
        ({"question": ["q"], "answer": 1}, "question is not text"),
        ({"question": "q"}, "answer is missing"),
        ({"question": "q", "answer": True}, "answer is not text"),
        ({"question": "q", "answer": "five"}, "answer is not a number"),
        ({"question": "q", "answer": 1, "id": "a" * 201}, "id is longer than 200 characters"),
        ({"question": "q" * 40_001, "answer": 1}, "question is longer than 40,000 characters"),
        ({"question": "q", "answer": 1, "split": "training"}, "split is not one of train, dev, test"),
        ({"question": "q", "answer": 1, "solution": "add"}, "solution is not a list"),
        ({"question": "q", "answer": 1, "solution": [{"name": "add"}]}, "solution has something that is not a call"),
        ({"question": "q", "answer": 1, "solution": ["add("]}, "solution has a call that cannot be read"),
        (
            {"question": "q", "answer": 1, "solution": [{"name": "add", "arguments": {"a": 1, "b": 0}}]},
            "solution does not end with answer",
        ),
        ({"question": "q", "answer": 1, "solution": ["add("] * 201}, "solution has more than 200 calls"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_malformed_line_is_dropped_with_its_location_and_reason(tmp_path: Path, row: object, reason: str):
    path = write(tmp_path / "mine.jsonl", {"question": "q", "answer": 1}, "", row)
    source_result = read_jsonl_problems(path, TASKS, parse_answer)
    assert len(source_result.problems) == 1
    assert [(row.where, row.reason) for row in source_result.dropped] == [(f"{path}:3", reason)]


def test_the_location_of_a_problem_is_known(tmp_path: Path):
    source_result = read_rows(tmp_path, "", {"question": "q", "answer": 1, "id": "a"})
    assert source_result.row_locations == {"a": f"{tmp_path}/mine.jsonl:2"}


def test_a_repeated_id_is_dropped(tmp_path: Path):
    row = {"id": "a", "question": "q", "answer": 1}
    source_result = read_rows(tmp_path, row, row)
    assert len(source_result.problems) == 1
    assert [(row.reason, row.detail) for row in source_result.dropped] == [("id is used twice", "a")]


@pytest.mark.parametrize("field", ["question", "id", "group", "task"])
def test_a_row_with_a_lone_surrogate_is_dropped(tmp_path: Path, field: str):
    bad = {"question": "so", "answer": 1, field: "so \ud83d"}  # written as the escape "\ud83d"
    source_result = read_rows(tmp_path, {"question": "q \U0001f600", "answer": 1}, bad)
    assert [problem.question for problem in source_result.problems] == ["q \U0001f600"]
    assert [row.reason for row in source_result.dropped] == [f"{field} has half a character (a lone surrogate)"]


@pytest.mark.parametrize(
    "solution",
    [
        ["answer('\ud83d')"],
        [{"name": "answer", "arguments": {"value": "\ud83d"}}],
        [{"name": "answer", "arguments": {"\ud83d": 1}}],
        [{"name": "\ud83d", "arguments": {}}],
    ],
)
def test_a_row_with_a_lone_surrogate_in_its_solution_is_dropped(tmp_path: Path, solution: list[object]):
    row = {"question": "q", "answer": 1, "solution": solution}
    assert reasons(tmp_path, row) == ["solution has half a character (a lone surrogate)"]


def test_a_row_with_a_lone_surrogate_in_its_answer_is_dropped(tmp_path: Path):
    row = {"question": "q", "answer": "red \ud83d", "task": "clock"}
    assert reasons(tmp_path, row) == ["answer has half a character (a lone surrogate)"]


@pytest.mark.parametrize("mark", ["\n", "\x1b", "\x00", "\u202e", "\u2028"])
def test_an_id_must_not_have_invisible_characters(tmp_path: Path, mark: str):
    row = {"question": "q", "answer": 1, "id": f"a{mark}b"}
    assert reasons(tmp_path, row) == ["id has control characters or marks of writing direction"]
    assert reasons(tmp_path, {**row, "id": "a", "group": f"a{mark}b"}) == [
        "group has control characters or marks of writing direction"
    ]


def test_an_unused_field_can_have_any_value(tmp_path: Path):
    row = '{"question": "q", "answer": 5, "weight": NaN, "loss": [-Infinity, 1e999], "n": ' + "9" * 5_000
    row += ', "tag": "\\ud83d", "tag": {"a": 1, "a": 2}}'
    assert [problem.answer for problem in read_rows(tmp_path, row).problems] == ["5"]


def test_a_row_with_a_repeated_field_is_dropped(tmp_path: Path):
    assert reasons(tmp_path, '{"question": "q", "answer": 5, "answer": 6}') == ["answer occurs twice"]
    solution = '[{"name": "answer", "arguments": {"value": 5, "value": 6}}]'
    assert reasons(tmp_path, f'{{"question": "q", "answer": 5, "solution": {solution}}}') == [
        "solution has a key that occurs twice"
    ]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("123456789012345678.25", "123456789012345678.25"),
        ("0.1", "0.1"),
        ("-1.50", "-1.5"),
        ("1.2e3", "1200"),
        ("1E-2", "0.01"),
        ("12345678901234567890123", "12345678901234567890123"),
    ],
)
def test_a_number_in_an_answer_stays_exact(tmp_path: Path, written: str, expected: str):
    assert read_rows(tmp_path, f'{{"question": "q", "answer": {written}}}').problems[0].answer == expected


def test_a_row_with_a_number_that_is_not_exact_as_a_float_is_dropped(tmp_path: Path):
    row = '{"question": "q", "answer": 5, "solution": [{"name": "answer", "arguments": {"value": %s}}]}'
    assert read_rows(tmp_path, row % "2.50").problems[0].solution == (Call("answer", {"value": 2.5}),)
    too_many = "solution has a number with too many digits; write it as text, such as a fraction p/q"
    assert reasons(tmp_path, row % "123456789012345678.25", row % "1e999") == [too_many] * 2
    assert reasons(tmp_path, row % "NaN") == ["solution has a number that is not finite"]


def test_truth_values_are_converted_to_one_notation(tmp_path: Path):
    rows = [{"question": "q", "task": "entailment", "answer": answer} for answer in (True, "false", "Uncertain")]
    assert [problem.answer for problem in read_rows(tmp_path, *rows).problems] == ["True", "False", "Unknown"]


def test_a_task_reads_its_labels_in_its_own_way(tmp_path: Path):
    answers = ("Rainbow", "rain bow", True, 7)
    path = write(tmp_path / "mine.jsonl", *({"question": "q", "task": "words", "answer": answer} for answer in answers))
    source_result = read_jsonl_problems(path, tasks_with(WORDS))
    assert [problem.answer for problem in source_result.problems] == ["rainbow"]
    assert [(row.reason, row.detail) for row in source_result.dropped] == [
        ("answer is not one word", detail) for detail in ("'rain bow'", "True", "'7'")
    ]


def test_a_row_of_a_task_that_does_not_exist_keeps_its_answer_until_the_check(tmp_path: Path):
    row = {"question": "q", "task": "clock", "answer": "25 %"}
    assert read_rows(tmp_path, row).problems[0].answer == "25 %"
    assert reasons(tmp_path, {**row, "answer": True}, {**row, "solution": "add"}) == [
        "answer is not text",
        "solution is not a list",
    ]
    checked = SourceResult(partial(check_problem, tasks=TASKS))
    read_jsonl_problems(write(tmp_path / "mine.jsonl", row), TASKS, parse_answer, checked)
    assert [dropped.reason for dropped in checked.dropped] == ["its task does not exist"]


def test_an_unexpected_exception_drops_one_row_and_is_a_surprise(tmp_path: Path):
    def parse(text: str) -> Call:
        raise ZeroDivisionError(text)

    good, bad = {"question": "q", "answer": 1}, {"question": "q", "answer": 1, "solution": ["answer(1)"]}
    source_result = read_jsonl_problems(write(tmp_path / "mine.jsonl", good, bad, good), TASKS, parse)
    assert len(source_result.problems) == 2
    (row,) = source_result.dropped
    ((surprise, where),) = source_result.surprises
    assert row.reason == surprise.reason
    assert row.reason.startswith("unexpected ZeroDivisionError in ")
    assert where == row.where == f"{tmp_path}/mine.jsonl:2"


def test_the_error_for_another_file_format_says_what_to_do(tmp_path: Path):
    path = write(tmp_path / "mine.csv", "question,answer", "2 + 3?,5")
    with pytest.raises(DataError) as caught:
        read_jsonl_problems(path, TASKS)
    assert str(caught.value) == (
        f"{path}: no problems in it ({path}:1: malformed JSON (Expecting value at character 1)); "
        "put one JSON object with question and answer on each line"
    )


def test_the_error_for_a_missing_or_empty_file_says_what_to_do(tmp_path: Path):
    with pytest.raises(DataError, match=r"no such file or directory; .*fix problems\.path in params\.yaml"):
        read_jsonl_problems(tmp_path / "none.jsonl", TASKS)
    with pytest.raises(DataError, match=r"is a directory; put your problems there, or fix problems\.path"):
        read_jsonl_problems(tmp_path, TASKS)
    with pytest.raises(DataError, match=r"no problems in it; put one JSON object"):
        read_jsonl_problems(write(tmp_path / "empty.jsonl"), TASKS)
