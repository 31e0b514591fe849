"""Correct chains, as teachers write them, that differ from the known solution; none of them has a fault."""

from dataclasses import replace

import pytest

from callwright.records import Problem
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.changed_numbers import number_changes
from callwright.tasks.arithmetic.question_numbers import find_numbers
from callwright.validation.execution import execute_again
from tests.fakes import chain, problem

HONEST = [
    # parts, percentages and large numbers, written as people say them
    ("A $80 bike is 95% off.", ("percent_of(80, 95)", "subtract(80, 76)"), ("multiply(80, 0.05)",), 4),
    ("Two-thirds of 12 figs.", ("multiply(12, 2)", "divide(24, 3)"), ("multiply('2/3', 12)",), 8),
    ("She ate a third of 12 figs.", ("divide(12, 3)", "subtract(12, 4)"), ("multiply(12, '2/3')",), 8),
    ("Two and a half hours at 60 mph.", ("add(2, 0.5)", "multiply(2.5, 60)"), ("multiply(2.5, 60)",), 150),
    ("2 1/2 hours at 60 mph.", ("multiply(2, 60)", "divide(60, 2)", "add(120, 30)"), ("multiply('5/2', 60)",), 150),
    ("2\u00bd cups of 8 ounces.", ("multiply(8, 2)", "divide(8, 2)", "add(16, 4)"), ("multiply(2.5, 8)",), 20),
    ("A city of 2 million grows by 3%.", ("multiply(2, 1000000)", "multiply(2000000, 1.03)"),
     ("percent_of(2000000, 3)", "add(2000000, 60000)"), 2_060_000),
    ("5 650 000 cars for 5 shops.", ("divide(5650000, 5)",), ("multiply(5650000, 0.2)",), 1_130_000),
    # units
    ("3 miles every day. How many in 2 weeks?", ("multiply(3, 7)", "multiply(21, 2)"), ("multiply(3, 14)",), 42),
    ("A rope of 3 meters in pieces of 50 cm.", ("multiply(3, 100)", "divide(300, 50)"),
     ("divide(50, 100)", "divide(3, 0.5)"), 6),
    ("A pen costs 25 cents. 8 pens in dollars?", ("multiply(0.25, 8)",), ("multiply(25, 8)", "divide(200, 100)"), 2),
    ("3 hours 20 minutes in seconds.", ("multiply(3, 60)", "add(180, 20)", "multiply(200, 60)"),
     ("multiply(3, 3600)", "multiply(20, 60)", "add(10800, 1200)"), 12_000),
    # another solution
    ("17 figs in boxes of 5.", ("remainder(17, 5)",), ("divide(17, 5)", "multiply(3, 5)", "subtract(17, 15)"), 2),
    ("17 things, 3 a trip.", ("divide(17, 3)", "round_to('17/3')"),
     ("remainder(17, 3)", "subtract(17, 2)", "divide(15, 3)", "add(5, 1)"), 6),
    ("Tom has twice as many as Ann, who has 7.", ("multiply(7, 2)", "add(14, 7)"), ("add(7, 7)", "add(14, 7)"), 21),
    ("3 times as many as Ann, together 48.", ("add(3, 1)", "divide(48, 4)"), ("solve('x + 3x = 48')",), 12),
    ("He is 5 older than his son, together 45.", ("subtract(45, 5)", "divide(40, 2)"),
     ("solve(['m = s + 5', 'm + s = 45'], 's')",), 20),
    ("18 figs, each week 5 rot and 3 come, for 7 weeks.",
     ("multiply(5, 7)", "multiply(3, 7)", "subtract(18, 35)", "add(-17, 21)"),
     ("solve('x = 5 * 7')", "solve('x = 3 * 7')", "solve('x = (18) - (35)')", "solve('x = (-17) + (21)')"), 4),
    # parts of the known solution were done without calls
    ("Of 120 flats 85% have one, 60% have two.", ("multiply(30, 1)",), ("multiply(30, 1)",), 30),
    ("Of 120 flats 85% have one, 60% have two.", ("multiply(30, 1)",),
     ("percent_of(120, 85)", "percent_of(120, 60)", "subtract(102, 72)"), 30),
    ("Nelly and her 14 friends: a pizza of $12 for 3, at $4 a night.",
     ("divide(15, 3)", "multiply(5, 12)", "divide(60, 4)"), ("divide(15, 3)", "multiply(5, 12)", "divide(60, 4)"), 15),
    # a value with two sources: a result and the question, or two numbers of the question
    ("Out when below 80% of 2000 L. Each jump costs 400 ml.",
     ("multiply(2000, 0.8)", "subtract(2000, 1600)", "multiply(400, 1000)", "divide(400000, 400)"),
     ("multiply(2000, 0.8)", "subtract(2000, 1600)", "multiply(400, 1000)", "divide(400000, 400)"), 1_000),
    ("All $10 go on the $10 bottle.", ("divide(10, 10)",), ("divide(10, 10)",), 1),
    # the answer does not depend on the question's numbers
    ("Water at three meals and one before bed, on weekdays.", ("multiply(4, 5)",), ("multiply(5, 4)",), 20),
]  # fmt: skip


@pytest.mark.parametrize(("question", "solution", "calls", "answer"), HONEST)
def test_a_correct_chain_that_differs_from_the_known_solution_has_no_fault(question, solution, calls, answer):
    last_call = f"answer({answer})"
    checked_problem = replace(problem(*solution, last_call), question=question, answer=str(answer))
    assert faults(checked_problem, *solution, last_call) == []
    assert faults(checked_problem, *calls, last_call) == []


@pytest.mark.parametrize(
    ("question", "solution", "calls", "fault"),
    [
        # a solution without calls for some steps does not excuse other unexplained numbers
        ("Of 120 flats 85% have one, 60% have two.", ("multiply(30, 1)",), ("add(16, 14)",), "ungrounded_answer"),
        ("A sister of his is 3, he is 30.", ("multiply(3, 10)",), ("add(3, 27)",), "unfaithful_call"),
        ("6 bags of 6 figs and 7 more.", ("multiply(6, 6)", "add(36, 7)"), ("subtract(6, 6)", "add(0, 43)"),
         "ungrounded_answer"),
        ("17 figs in boxes of 5.", ("remainder(17, 5)",), ("divide(17, 5)", "subtract(29, 27)"), "ungrounded_answer"),
        ("Water at three meals and one before bed, on weekdays.", ("multiply(4, 5)",), ("add(20, 0)",),
         "ungrounded_answer"),
    ],
)  # fmt: skip
def test_a_cheat_is_found_even_if_the_solution_has_unexplained_numbers(question, solution, calls, fault):
    answer = result_of(solution)
    checked_problem = replace(problem(*solution, f"answer({answer})"), question=question, answer=answer)
    assert faults(checked_problem, *calls, f"answer({answer})") == [fault]


def test_a_repeated_number_has_a_second_replacement():
    assert find_numbers("three figs").repeated == frozenset()
    assert find_numbers("3 figs, three times").repeated == {(3, 1)}
    (change, *_) = number_changes("3 figs, three times")
    assert change.second_replacements[3, 1] != change.replacements[3, 1]


def faults(checked_problem: Problem, *replies: str) -> list[str]:
    toolbox = TASKS["arithmetic"].toolbox
    executed = execute_again(chain(*replies).steps, toolbox)
    return [fault.fault for fault in TASKS["arithmetic"].grounding_faults(checked_problem, executed, toolbox)]


def result_of(solution: tuple[str, ...]) -> str:
    observation = execute_again(chain(*solution).steps, TASKS["arithmetic"].toolbox).steps[-1].observation
    assert observation is not None
    return observation
