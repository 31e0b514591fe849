import json
from collections.abc import Callable, Container
from dataclasses import replace
from pathlib import Path

import pytest

from callwright.agent.parsing.parse import parse_call
from callwright.errors import DataError
from callwright.params import Params
from callwright.problems.load import LoadedProblems, format_report, load_problems, raise_if_unusable, report_of
from callwright.records import SPLITS
from callwright.standins.embedded.seen_questions import SeenQuestions, question_hash
from callwright.tasks import TASKS, Tasks
from tests.fakes import tasks_with
from tests.tasks.words.task import WORDS
from tests.working_tree import ROOT

SHIPPED = Params.load(ROOT / "params.yaml").problems
DROPPED_ROWS = Path("left_out.jsonl")
ALIKE = [
    {
        "question": f"The late train rides along the sea and through nine hills before it stops at platform {number}. "
        "Which platform?",
        "answer": number,
    }
    for number in range(10)  # they share 14 consecutive words; two of them go to test
]


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., LoadedProblems]:
    """Loads rows as a user's file."""

    def load(*rows: object, tasks: Tasks = TASKS, seen: Container[str] = (), **params: object) -> LoadedProblems:
        path = tmp_path / "own.jsonl"
        path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
        settings = SHIPPED.model_copy(update={"source": "jsonl", "path": str(path), **params})
        return load_problems(settings, 7, tasks, parse_call, seen_questions=seen)

    return load


def error_message(loaded: LoadedProblems, max_left_out: float = 0.05) -> str:
    with pytest.raises(DataError) as caught:
        raise_if_unusable(loaded, max_left_out, DROPPED_ROWS)
    return str(caught.value)


def counts(loaded: LoadedProblems) -> list[int]:
    return [len(loaded.splits[split]) for split in SPLITS]


def test_the_error_for_empty_splits_has_the_main_reason(load):
    assert error_message(load(*ALIKE)) == (
        "no problem in split train, dev; 8 left out: shares a run of words with a test question "
        "(left_out.jsonl lists them); give the source more rows or other shares (docs/own-problems.md)"
    )


def test_test_questions_that_the_base_has_read_are_dropped_and_counted(load):
    rows = [
        {"question": f"What is {number} plus 1?", "answer": number + 1, "split": split}
        for number, split in enumerate(["train", "train", "dev", "test", "test", "test"])
    ]
    seen = SeenQuestions(frozenset(question_hash(f"what is {number} plus 1") for number in (0, 3, 5)))
    loaded = load(*rows, seen=seen)
    assert [problem.question for problem in loaded.splits["test"]] == ["What is 4 plus 1?"]
    assert counts(loaded) == [2, 1, 1], "what training reads may have been read before"
    assert report_of(loaded).left_out == {"test question that the embedded student read when it was built": 2}
    assert format_report(loaded)[1].startswith("  2 left out: test question that the embedded student read when it")
    assert error_message(load(*rows, seen={row["question"] for row in rows})).startswith("no problem in split test; 3 ")


def test_shared_passages_can_be_allowed(load):
    loaded = load(*ALIKE, shared_words=None)
    assert (counts(loaded), loaded.dropped) == ([7, 1, 2], [])
    repeated = load(*ALIKE, ALIKE[0], shared_words=None)
    assert [row.reason for row in repeated.dropped] == ["duplicate question"]


def test_rows_dropped_by_decontamination_name_the_test_problem(load):
    loaded = load(*ALIKE)
    test_ids = {problem.id for problem in loaded.splits["test"]}
    assert len(loaded.dropped) == 8
    assert {row.where for row in loaded.dropped} == {f"own/{number}" for number in range(10)} - test_ids
    assert {row.detail for row in loaded.dropped} <= test_ids


def test_the_error_for_too_many_unusable_rows_has_the_parameter_the_first_row_and_the_list(load, tmp_path: Path):
    good, bad = {"question": "q", "answer": 1}, {"question": "q"}
    loaded = load(*[good] * 5, bad, good, bad)  # 2 of 8 rows: a quarter
    assert error_message(loaded, 0.01) == (
        f"{tmp_path}/own.jsonl:6: answer is missing; 2 of 8 rows were left out, more than problems.max_left_out: 0.01 "
        "allows: fix them, or raise it (left_out.jsonl lists them)"
    )
    assert "max_left_out" not in error_message(loaded, 0.25)  # then the error is about the splits


def test_every_solution_is_executed_and_a_bad_row_is_reported_by_its_line(load, tmp_path: Path):
    good = [
        {"question": f"{n} + 3?", "answer": n + 3, "solution": [f"add({n}, 3)", f"answer({n + 3})"]} for n in range(9)
    ]
    bad = {"question": "2 + 2?", "answer": 5, "solution": ["add(2, 2)", "answer(4)"]}
    loaded = load(*good, bad)
    assert [str(row) for row in loaded.dropped] == [
        f"{tmp_path}/own.jsonl:10: its solution does not reach its answer (it answers 4, the answer is 5)"
    ]
    assert sum(counts(loaded)) == 9


def test_a_row_with_an_unknown_task_is_dropped(load):
    loaded = load(
        *[{"question": f"{n}?", "answer": n} for n in range(9)], {"question": "q", "answer": 1, "task": "sums"}
    )
    assert [row.reason for row in loaded.dropped] == ["its task does not exist"]


def test_a_grader_that_raises_drops_a_row_and_is_a_surprise(load):
    def grade(problem, answer):
        if problem.answer == "3":
            raise LookupError("three")
        return "right"

    tasks = tasks_with(replace(TASKS["arithmetic"], grade=grade))
    loaded = load(*[{"question": f"{n}?", "answer": n} for n in range(9)], tasks=tasks)
    assert sum(counts(loaded)) == 8
    assert [surprise.exception_type for surprise, _ in loaded.surprises] == ["LookupError"]
    assert [row.reason for row in loaded.dropped] == [loaded.surprises[0][0].reason]


def test_the_report_counts_every_row_once(load):
    loaded = load(
        *[{"question": f"{n}?", "answer": n} for n in range(8)],
        {"question": "0?", "answer": 0},
        {"question": "q", "answer": "25%"},
        "{",
        {"question": "q"},
        {"question": "r"},
    )
    report = report_of(loaded)
    assert report.rows_read == 13
    assert report.left_out == {"answer is missing": 2, "duplicate question": 1, "malformed JSON": 1}
    assert sum(report.left_out.values()) + sum(split.problems for split in report.splits.values()) == 13
    assert report.notes == {"answers in percent (25 and 0.25 are both right for 25%)": 1}
    first, *others = format_report(loaded)
    assert first.endswith("; 4 left out")
    assert others[0] == f"  2 left out: answer is missing; the first is {loaded.unusable[1].where}"
    assert others[-1] == "  1 answers in percent (25 and 0.25 are both right for 25%)"


def test_the_report_has_the_notes_of_each_task_about_its_labels(load):
    rows = [{"question": f"{n}?", "answer": answer} for n, answer in enumerate(("25%", "5", "1 %"))]
    rows += [{"question": answer, "task": "words", "answer": answer} for answer in ("stars", "rainbow", "Words")]
    rows += [{"question": "is it?", "task": "entailment", "answer": "False"}]
    loaded = load(*rows, tasks=tasks_with(WORDS))
    assert report_of(loaded).notes == {
        "answers in percent (25 and 0.25 are both right for 25%)": 2,
        "answers that may be plural": 2,
    }


def test_shares_of_splits_are_of_the_usable_rows(load):
    rows = [{"question": f"{n} + 1?", "answer": n + 1} for n in range(50)]
    bad = [{"question": f"{n} + 2?", "answer": n, "solution": ["answer(0)"]} for n in range(1, 51)]
    assert counts(load(*rows, *bad)) == [35, 5, 10]
