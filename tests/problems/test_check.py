"""A problem is checked with its task: its answer can be given and graded, and its solution reaches the answer."""

import pytest

from callwright.agent.parsing.parse import parse_call
from callwright.errors import CallError, RowError
from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox
from callwright.params import Params
from callwright.problems.check import check_problem
from callwright.problems.row_fields import MAX_QUESTION_CHARACTERS
from callwright.records import Call, Problem
from callwright.tasks import TASKS
from callwright.tasks.task import Task
from tests.working_tree import ROOT


def problem(task: str, answer: str, *solution: str) -> Problem:
    calls = tuple(map(parse_call, solution))
    assert not any(isinstance(call, CallError) for call in calls)
    return Problem("x", task, "q", answer, calls, "jsonl", "x", "train")


def reason_and_detail(unsolvable: Problem) -> tuple[str, str]:
    with pytest.raises(RowError) as caught:
        check_problem(unsolvable, TASKS)
    return caught.value.reason, caught.value.detail


@pytest.mark.parametrize(
    ("answer", "solution", "reason", "detail"),
    [
        (
            "5",
            ["plus(2, 3)", "answer(5)"],
            "its solution calls a function that the task does not have",
            "call 1: there is no function plus",
        ),
        (
            "4",
            ["count_letters('pear')", "answer(4)"],  # only a view would show this function
            "its solution calls a function that the task does not have",
            "call 1: there is no function count_letters; the functions are add, ",
        ),
        (
            "5",
            ["add(2, 2)", "divide(2, 0)", "answer(5)"],
            "its solution has a call that does not execute",
            "call 2: cannot divide by zero",
        ),
        ("5", ["add(a=2, c=3)", "answer(5)"], "its solution has a call with wrong arguments", "call 1: add "),
        ("5", ["add(2, 2)", "answer(4)"], "its solution does not reach its answer", "it answers 4, the answer is 5"),
        ("5", ["answer(5)", "add(2, 3)", "answer(5)"], "its solution goes on after its answer", "call 1"),
    ],
)
def test_a_solution_that_does_not_reach_the_answer_is_rejected_with_a_reason(
    answer: str, solution: list[str], reason: str, detail: str
):
    actual_reason, actual_detail = reason_and_detail(problem("arithmetic", answer, *solution))
    assert actual_reason == reason
    assert actual_detail.startswith(detail)


@pytest.mark.parametrize(
    ("task", "answer"),
    [("entailment", "B"), ("translation", "all x. (Bird(x"), ("translation", "Bird(x)"), ("arithmetic", "9" * 701)],
)
def test_an_answer_that_the_task_does_not_accept_is_rejected(task: str, answer: str):
    assert reason_and_detail(problem(task, answer))[0] == "the task does not take its answer"


def test_the_error_for_an_unknown_task_lists_the_known_ones():
    assert reason_and_detail(problem("algebra", "5")) == (
        "its task does not exist",
        "there is no task algebra; the tasks are arithmetic, translation, entailment",
    )


@pytest.mark.parametrize(
    "solvable",
    [
        problem("arithmetic", "5", "add(2, 3)", "answer(5)"),
        problem("arithmetic", "25%", "divide(20, 80)", "multiply(0.25, 100)", "answer(25)"),
        problem("arithmetic", "25%", "divide(20, 80)", "answer(0.25)"),
        problem("arithmetic", "1/3"),
        problem("translation", "all x. (Bird(x) -> Flies(x))"),
        problem("entailment", "True", "assume('Dog(rex)')", "entails('Dog(rex)')", "answer('True')"),
        problem("entailment", "Unknown"),
    ],
)
def test_a_problem_that_can_be_solved_passes(solvable: Problem):
    check_problem(solvable, TASKS)


def test_arguments_of_a_solution_get_the_names_of_their_parameters():
    entailment = problem("entailment", "True", "assume('Dog(rex)')", "entails('Dog(rex)')", "answer('True')")
    assert check_problem(entailment, TASKS).solution == (
        Call("assume", {"formula": "Dog(rex)"}),
        Call("entails", {"formula": "Dog(rex)"}),
        Call("answer", {"value": "True"}),
    )


def test_answers_that_are_not_text_are_checked_by_the_grader_only():
    @function(example={"value": [1, 2]})
    def answer(value: list[int]) -> list[int]:
        """Give the final answer and stop."""
        return value

    def grade(problem: Problem, answer_text: str) -> str:
        return "right" if answer_text == problem.answer else "wrong"

    task = Task("sorting", Toolbox([answer]), "Sort.", grade)
    sorting = Problem("x", "sorting", "q", "[1, 2]", (Call("answer", {"value": [1, 2]}),), "jsonl", "x", "train")
    check_problem(sorting, {"sorting": task})


def test_the_longest_question_passes_the_later_checks_that_stop_the_pipeline():
    shipped = Params.load(ROOT / "params.yaml")
    assert shipped.validate_.max_question_characters >= MAX_QUESTION_CHARACTERS
