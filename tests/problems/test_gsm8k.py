import json
from fractions import Fraction
from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.functions.function import render_call
from callwright.functions.numbers import as_argument, format_number, read_number
from callwright.problems.gsm8k import gold_chain, read_gsm8k
from callwright.problems.gsm8k_equations import EquationError
from callwright.problems.gsm8k_worksheet import TOOLBOX
from callwright.records import Call
from tests.working_tree import ROOT

PUBLIC = ROOT.parent / "shared/data/gsm8k/train.jsonl"


def chain(prose: str, answer: str) -> list[str]:
    return [render_call(call) for call in gold_chain(prose, read_number(answer))]


def reason(prose: str, answer: str) -> str:
    with pytest.raises(EquationError) as caught:
        gold_chain(prose, read_number(answer))
    return str(caught.value)


def test_an_annotation_with_several_operations_gives_calls_with_two_arguments():
    # 16 - 3 = 13, 13 - 4 = 9, 9 * 2 = 18
    assert chain("Left are 16-3-4 = <<16-3-4=9>>9 eggs.\nThat is 9*2 = $<<9*2=18>>18.", "18") == [
        "subtract(a=16, b=3)",
        "subtract(a=13, b=4)",
        "multiply(a=9, b=2)",
        "answer(value=18)",
    ]


def test_a_percentage_becomes_percent_of():
    expected = ["percent_of(amount=50, percent=20)", "answer(value=10)"]  # 50 * 20 / 100
    for prose in ("<<50*20%=10>>", "<<20%*50=10>>", "<<50*20*.01=10>>", "<<20*.01*50=10>>", "20% of 50 = 10"):
        assert chain(prose, "10") == expected
    assert chain("<<.2*50=10>>", "10") == ["multiply(a=0.2, b=50)", "answer(value=10)"]


def test_a_sum_of_percentages_is_a_percentage():
    # 100 - 20 = 80 percent, 80 percent of 50 is 40
    assert chain("100% - 20% = 80% are left.\n80% of 50 = 40", "40") == [
        "subtract(a=100, b=20)",
        "percent_of(amount=50, percent=80)",
        "answer(value=40)",
    ]
    assert chain("<<120*(1-20*.01)=96>>", "96") == [
        "subtract(a=1, b=0.2)",
        "multiply(a=120, b=0.8)",
        "answer(value=96)",
    ]


def test_a_share_can_be_written_in_percent():
    assert chain("3 pens / 4 pens * 100% = 75%", "75") == [
        "divide(a=3, b=4)",
        "multiply(a=0.75, b=100)",
        "answer(value=75)",
    ]
    assert chain("8 * 5% = 40%, then 60% * 40% = 24%", "24") == [
        "multiply(a=8, b=5)",
        "percent_of(amount=60, percent=40)",
        "answer(value=24)",
    ]


def test_an_equation_in_prose_fills_a_gap_between_annotations():
    assert chain("Both are 24 + 36 = 60.\nTwice that is <<60*2=120>>120.", "120") == [
        "add(a=24, b=36)",
        "multiply(a=60, b=2)",
        "answer(value=120)",
    ]


def test_an_equation_in_prose_with_a_wrong_result_is_ignored():
    # without its words, x + x + 20 = 60 is 20 = 60, which has no operation
    assert chain("x + x + 20 = 60, so 5 + 5 = 11.\nThen <<60-20=40>>40.", "40") == [
        "subtract(a=60, b=20)",
        "answer(value=40)",
    ]


def test_unused_calls_are_dropped():
    assert chain("<<2*3=6>>6 <<7+8=15>>15 <<6+1=7>>7", "7") == [
        "multiply(a=2, b=3)",
        "add(a=6, b=1)",
        "answer(value=7)",
    ]
    assert chain("<<2*3=6>>6 <<6/4=1.5>>1.5", "6") == ["multiply(a=2, b=3)", "answer(value=6)"]


def test_no_call_is_repeated():
    assert chain("<<2*3=6>>6 and <<3*2=6>>6, so <<6+6=12>>12", "12") == [
        "multiply(a=2, b=3)",
        "add(a=6, b=6)",
        "answer(value=12)",
    ]


def test_a_rounded_result_means_the_exact_one_if_that_gives_the_next_result():
    calls = gold_chain("<<1/3=0.33>>0.33 <<0.33*3=1>>1", Fraction(1))  # 1/3 * 3 = 1, 0.33 * 3 = 0.99
    assert calls == (
        Call("divide", {"a": 1, "b": 3}),
        Call("multiply", {"a": "1/3", "b": 3}),
        Call("answer", {"value": 1}),
    )


def test_a_rounded_result_is_rounded_by_a_call_if_that_gives_the_next_result():
    assert gold_chain("<<1/3=0.33>>0.33 <<0.33*3=0.99>>0.99", Fraction("0.99")) == (
        Call("divide", {"a": 1, "b": 3}),
        Call("round_to", {"number": "1/3", "decimals": 2}),
        Call("multiply", {"a": 0.33, "b": 3}),
        Call("answer", {"value": 0.99}),
    )
    assert chain("<<7/2=4>>4", "4") == ["divide(a=7, b=2)", "round_to(number=3.5, decimals=0)", "answer(value=4)"]


@pytest.mark.parametrize(
    ("prose", "answer", "expected"),
    [
        ("It is seven.", "7", "no equations"),
        ("<<7=7>>7", "7", "no equations"),
        ("<<3+3=6>>6, one more makes seven.", "7", "equations do not reach the answer"),
        ("<<10/3=4>>4", "4", "equations do not reach the answer"),  # 10/3 rounds to 3
        ("<<5*3=16>>16 <<16+2=18>>18", "18", "a written result is wrong"),
        ("<<3y=6>>6", "2", "unreadable expression"),
        ("<<3/0=1>>1", "1", "a step does not execute"),
        ("<<2^5000=7>>7", "7", "a step does not execute"),
    ],
)
def test_a_solution_that_does_not_reach_the_answer_has_a_reason(prose: str, answer: str, expected: str):
    assert reason(prose, answer) == expected


def test_arguments_are_exact_numbers():
    assert [as_argument(Fraction(n)) for n in ("12", "-3", "0.1", "1/3")] == [12, -3, 0.1, "1/3"]
    long = Fraction("12345678.123456789012")  # 20 digits: a float would lose the last ones
    assert as_argument(long) == "12345678.123456789012"
    assert read_number(as_argument(long)) == long


def write(path: Path, *rows: object) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows) + "\n")
    return path


def test_rows_become_problems_with_an_executed_chain(tmp_path: Path):
    row = {"question": " How much are 3 pens at $400? ", "answer": "3*400 = $<<3*400=1200>>1,200\n#### 1,200"}
    source_result = read_gsm8k(write(tmp_path / "mine.jsonl", row, "", row), "dev")
    first, second = source_result.problems
    assert (first.id, second.id) == ("gsm8k/mine/0", "gsm8k/mine/2")  # 0-based lines, the blank one counted
    assert first.group == first.id
    assert (first.task, first.source, first.split) == ("arithmetic", "gsm8k", "dev")
    assert (first.question, first.answer) == ("How much are 3 pens at $400?", "1200")
    assert first.solution == (Call("multiply", {"a": 3, "b": 400}), Call("answer", {"value": 1200}))
    assert source_result.dropped == []


def test_unusable_rows_are_dropped_with_their_line_and_reason(tmp_path: Path):
    path = write(
        tmp_path / "bad.jsonl",
        "{",
        "[1]",
        {"answer": "#### 1"},
        {"question": "q"},
        {"question": "q", "answer": "<<1+1=2>>2"},
        {"question": "q", "answer": "<<1+1=2>>2\n#### two"},
        {"question": "q", "answer": "two\n#### 2"},
    )
    source_result = read_gsm8k(path, "train")
    assert source_result.problems == []
    assert [(row.where, row.reason) for row in source_result.dropped] == [
        (f"{path}:1", "malformed JSON"),
        (f"{path}:2", "not a JSON object"),
        (f"{path}:3", "question is missing"),
        (f"{path}:4", "answer is missing"),
        (f"{path}:5", "answer is missing"),
        (f"{path}:6", "answer is not a number"),
        (f"{path}:7", "no equations"),
    ]


def test_the_error_for_a_missing_file_says_where_to_get_it(tmp_path: Path):
    path = tmp_path / "train.jsonl"
    with pytest.raises(DataError) as caught:
        read_gsm8k(path, "dev")  # dev problems are taken from the train file
    assert str(caught.value) == (
        f"{path}: no such file or directory; download train.jsonl from the openai/grade-school-math repository, "
        "or fix problems.path in params.yaml"
    )


@pytest.mark.skipif(not PUBLIC.exists(), reason="needs the public GSM8K train file")
def test_at_least_95_percent_of_the_public_train_rows_become_problems():
    source_result = read_gsm8k(PUBLIC, "train")
    total = len(source_result.problems) + len(source_result.dropped)
    assert total == 7_473
    assert len(source_result.problems) >= 0.95 * total
    for problem in source_result.problems:
        toolbox = TOOLBOX.open()
        texts = [toolbox.execute(call).text for call in problem.solution]  # a CallError has no text
        assert texts[-1] == problem.answer == format_number(read_number(problem.answer))
        assert texts[-1] in texts[:-1]  # grounded
        assert len(set(map(render_call, problem.solution))) == len(problem.solution)
