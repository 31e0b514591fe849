import json
from pathlib import Path

import pytest

from callwright.errors import CallError, DataError
from callwright.problems.jsonl import SourcedJsonl, read_jsonl_problems
from callwright.records import Call, Problem


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return path


def read_rows(folder: Path, *rows: object, max_left_out: float = 1.0) -> SourcedJsonl:
    return read_jsonl_problems(write(folder / "mine.jsonl", *rows), max_left_out)


def parse_answer(text: str) -> Call | CallError:
    """Reads one call only, as the agent's parser would."""
    return Call("answer", {"value": 5}) if text == "answer(value=5)" else CallError("syntax", "no call")


def test_a_row_needs_a_question_and_an_answer_only(tmp_path: Path):
    sourced = read_rows(tmp_path, {"question": "2 + 3?", "answer": 5})
    assert sourced.problems == [
        Problem("mine/0", "arithmetic", "2 + 3?", "5", (), source="jsonl", group="mine/0", split="train")
    ]
    assert sourced.unsplit == {"mine/0"}


def test_a_row_may_say_everything(tmp_path: Path):
    solution = [{"name": "add", "arguments": {"a": 2, "b": 3}}, {"name": "answer", "arguments": {"value": 5}}]
    row = {"id": 7, "task": "arithmetic", "question": "2 + 3?", "answer": "5.0", "solution": solution}
    sourced = read_rows(tmp_path, {**row, "group": "sums", "split": "test", "author": "me"})
    chain = (Call("add", {"a": 2, "b": 3}), Call("answer", {"value": 5}))
    assert sourced.problems == [Problem("7", "arithmetic", "2 + 3?", "5", chain, "jsonl", "sums", "test")]
    assert sourced.unsplit == set()


@pytest.mark.parametrize(("answer", "expected"), [(0.5, "0.5"), ("$1,200", "1200"), ("2/6", "1/3"), (0, "0")])
def test_an_arithmetic_answer_is_kept_in_one_notation(tmp_path: Path, answer: object, expected: str):
    assert read_rows(tmp_path, {"question": "q", "answer": answer}).problems[0].answer == expected


def test_the_answer_of_another_task_stays_as_it_is(tmp_path: Path):
    row = {"question": "q", "answer": "Unknown", "task": "entailment"}
    assert read_rows(tmp_path, row).problems[0].answer == "Unknown"


def test_calls_written_as_text_are_read_by_the_callers_parser(tmp_path: Path):
    path = write(tmp_path / "mine.jsonl", {"question": "q", "answer": 5, "solution": ["answer(value=5)"]})
    assert read_jsonl_problems(path, 1.0, parse_answer).problems[0].solution == (Call("answer", {"value": 5}),)
    without = read_jsonl_problems(path, 1.0)
    assert [item.reason for item in without.left_out] == ["solution has something that is not a call"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "malformed JSON"),
        ('{"question": "q", "answer": NaN}', "malformed JSON"),
        ("[" * 100_000, "malformed JSON"),
        ("[]", "not a JSON object"),
        ({"answer": 1}, "question is missing"),
        ({"question": "  ", "answer": 1}, "question is missing"),
        ({"question": ["q"], "answer": 1}, "question is not text"),
        ({"question": "q"}, "answer is missing"),
        ({"question": "q", "answer": True}, "answer is not text"),
        ({"question": "q", "answer": "five"}, "answer is not a number"),
        ({"question": "q", "answer": 1, "split": "training"}, "split is not one of train, dev, test"),
        ({"question": "q", "answer": 1, "solution": "add"}, "solution is not a list"),
        ({"question": "q", "answer": 1, "solution": [{"name": "add"}]}, "solution has something that is not a call"),
        ({"question": "q", "answer": 1, "solution": ["add("]}, "solution has a call that cannot be read"),
        (
            {"question": "q", "answer": 1, "solution": [{"name": "add", "arguments": {"a": 1, "b": 0}}]},
            "solution does not end with answer",
        ),
    ],
)
def test_a_malformed_line_is_left_out_with_its_place_and_reason(tmp_path: Path, row: object, reason: str):
    path = write(tmp_path / "mine.jsonl", {"question": "q", "answer": 1}, "", row)
    sourced = read_jsonl_problems(path, 0.5, parse_answer)
    assert len(sourced.problems) == 1
    assert [(item.where, item.reason) for item in sourced.left_out] == [(f"{path}:3", reason)]


def test_bytes_that_are_not_text_are_left_out(tmp_path: Path):
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b'{"question": "q", "answer": 1}\n{"question": "\xff", "answer": 1}\n')
    assert [item.reason for item in read_jsonl_problems(path, 0.5).left_out] == ["malformed JSON"]


def test_an_id_names_one_problem(tmp_path: Path):
    row = {"id": "a", "question": "q", "answer": 1}
    sourced = read_rows(tmp_path, row, row)
    assert len(sourced.problems) == 1
    assert [item.reason for item in sourced.left_out] == ["id is used twice"]


def test_more_lines_left_out_than_the_limit_stop_with_the_first_of_them(tmp_path: Path):
    good, bad = {"question": "q", "answer": 1}, {"question": "q"}
    rows = [good] * 5 + [bad, good, bad]  # 2 of 8 lines: a quarter
    assert len(read_rows(tmp_path, *rows, max_left_out=0.25).left_out) == 2
    with pytest.raises(DataError) as caught:
        read_rows(tmp_path, *rows, max_left_out=0.01)
    assert str(caught.value) == (
        f"{tmp_path}/mine.jsonl:6: answer is missing; the line was left out (2 of 8 lines left out, limit 1 %)"
    )


def test_a_file_that_is_missing_or_empty_says_what_to_do(tmp_path: Path):
    with pytest.raises(DataError, match=r"no such file or directory; .*fix problems\.path in params\.yaml"):
        read_jsonl_problems(tmp_path / "none.jsonl", 0.1)
    with pytest.raises(DataError, match=r"no problems in it; put one JSON object"):
        read_jsonl_problems(write(tmp_path / "empty.jsonl"), 0.1)
