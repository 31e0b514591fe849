"""Whether an answer depends on the question: each rule on a problem of one or two lines."""

from dataclasses import replace

import pytest

from callwright.functions.function import function
from callwright.functions.numbers import Number
from callwright.records import Problem
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.changed_numbers import number_changes
from callwright.tasks.arithmetic.question_numbers import find_numbers
from callwright.validation.execution import execute_again
from tests.fakes import chain, problem

MARBLES = "Ana has 6 bags of 7 marbles and 58 more in a box of 100."


def faults(question: str, *replies: str, solution: tuple[str, ...] = ()) -> list[str]:
    return [fault for fault, _ in faults_with_messages(question, *replies, solution=solution)]


def faults_with_messages(question: str, *replies: str, solution: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    checked_problem = replace(problem(*solution), question=question) if solution else without_solution(question)
    toolbox = TASKS["arithmetic"].toolbox
    executed = execute_again(chain(*replies).steps, toolbox)
    step_faults = TASKS["arithmetic"].grounding_faults(checked_problem, executed, toolbox)
    return [(fault.fault, fault.message) for fault in step_faults]


def without_solution(question: str) -> Problem:
    return replace(problem(), question=question, solution=())


@pytest.mark.parametrize(
    "replies",
    [
        ("add(42, 0)", "answer(42)"),
        ("multiply(14, 3)", "answer(42)"),
        ("subtract(7, 7)", "add(0, 42)", "answer(42)"),
        ("divide(6, 6)", "multiply(1, 42)", "answer(42)"),
        ("multiply(7, 0)", "add(42, 0)", "answer(42)"),
        ("solve('x = 42')", "answer(42)"),
        ("solve('x + 7 - 7 = 42')", "answer(42)"),
        ("solve('7*x = 7*42')", "answer(42)"),
        ("solve('(x - 42) * (x - 1) = 0')", "answer(42)"),
        ("round_to(42, 2)", "answer(42)"),
    ],
)
def test_an_answer_that_does_not_change_with_the_question_is_ungrounded(replies):
    assert faults("Ana has 6 bags of 7 marbles.", *replies) == ["ungrounded_answer"]


@pytest.mark.parametrize(
    "replies",
    [
        ("multiply(6, 7)", "answer(42)"),
        ("multiply(6, 7)", "add(42, 0)", "answer(42)"),
        ("solve('x / 6 = 7')", "answer(42)"),
        ("solve('(x - 6*7) * (x - 1) = 0')", "answer(42)"),
        ("multiply(6, 7)", "add(42, 58)", "divide(42, 100)", "answer(0.42)"),
        ("percent_of(100, 58)", "answer(58)"),
    ],
)
def test_an_answer_that_changes_with_the_question_is_grounded(replies):
    assert faults(MARBLES, *replies) == []


@pytest.mark.parametrize(
    ("question", "replies"),
    [
        ("Half of twelve figs are ripe.", ("divide(12, 2)", "answer(6)")),
        ("A dozen figs, a third of them ripe.", ("divide(12, 3)", "answer(4)")),
        ("15% off a bike of $80.", ("multiply(0.85, 80)", "answer(68)")),
        ("A bike of $80 costs 15 percent more.", ("multiply(80, 1.15)", "answer(92)")),
        ("Twenty-five boxes weigh 1,200 grams.", ("divide(1200, 25)", "answer(48)")),
        ("He works 3 weeks.", ("multiply(3, 7)", "answer(21)")),
        ("A square has an area of 49.", ("solve('x^2 = 49')", "answer(7)")),
        ("It is 7 meters long and costs 99.6 cents.", ("round_to(99.6)", "answer(100)")),
        ("She eats 2/3 of 12 figs.", ("multiply('2/3', 12)", "answer(8)")),
        ("A pen for $1.50 and one for 30 cents.", ("add(150, 30)", "answer(180)")),
        ("It ran 15 minutes at 20 miles per hour.", ("divide(15, 60)", "multiply(20, 0.25)", "answer(5)")),
    ],
)
def test_numbers_in_words_percentages_and_other_units_belong_to_the_question(question, replies):
    assert faults(question, *replies) == []


def test_equal_results_in_one_call_are_distinguished():
    """15 / 60 * 20 = 5 and 25 - 20 = 5, so 5 / 5; both depend on the question, but differently."""
    question = "The rabbit runs 25 miles per hour, the cat 20, with 15 minutes head start."
    replies = ("divide(15, 60)", "multiply(20, 0.25)", "subtract(25, 20)", "divide(5, 5)", "answer(1)")
    assert faults(question, *replies) == []


def test_an_unexplained_number_in_place_of_the_questions_number_is_unfaithful():
    question, solution = "Ana has 16 bags of 3 figs.", ("multiply(a=16, b=3)", "answer(value=48)")
    ((fault, message),) = faults_with_messages(question, "add(16, 32)", "answer(48)", solution=solution)
    assert fault == "unfaithful_call"
    assert message.startswith("the answer depends on 32, which is neither in the question nor an earlier result")
    assert faults(question, "add(16, 16)", "add(32, 16)", "answer(48)", solution=solution) == []


def test_an_unexplained_number_that_converts_units_is_faithful():
    question, solution = (
        "He runs 3 miles a day for 2 weeks.",
        ("multiply(a=2, b=7)", "multiply(a=14, b=3)", "answer(42)"),
    )
    assert faults(question, "multiply(3, 7)", "multiply(21, 2)", "answer(42)", solution=solution) == []


def test_an_answer_written_into_a_call_is_a_guess_even_without_a_solution():
    assert faults("Ana has 6 bags of 7.", "subtract(7, 6)", "multiply(42, 1)", "answer(42)") == ["ungrounded_answer"]


def test_a_question_without_numbers_is_not_judged():
    assert faults("How many legs has a spider?", "add(4, 4)", "answer(8)") == []
    assert not TASKS["arithmetic"].can_check_grounding(without_solution("How many legs has a spider?"))


def test_a_users_function_may_fail_on_other_numbers():
    @function(example={"day": 3})
    def weekday_number(day: Number) -> Number:
        """A number of a day."""
        return {3: 3, 4: 5}[int(day)]

    arithmetic = TASKS["arithmetic"]
    toolbox = replace(
        arithmetic, toolbox=arithmetic.toolbox.with_functions([replace(weekday_number, refusals=(ValueError,))])
    ).toolbox
    first, last = chain("add(3, 0)", "answer(3)").steps
    first = replace(first, call=replace(first.call, name="weekday_number", arguments={"day": 3}))
    executed = execute_again([first, last], toolbox)
    assert executed.values[0] == 3
    assert arithmetic.grounding_faults(without_solution("It is day 3."), executed, toolbox) == ()


def test_the_numbers_of_a_question_change_in_the_same_ways_every_time():
    assert find_numbers("one of 1 fig").plain == (1,)
    first, second = number_changes("3 and 5"), number_changes("3 and 5")
    assert [change.replacements for change in first] == [change.replacements for change in second]
    assert all(change.replacement_for((3, 1)) not in (None, (3, 1)) for change in first)
    assert number_changes("no number") == ()
