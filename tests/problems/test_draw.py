"""Some problems of a split: the seed decides which, and every task has its share of them."""

from collections import Counter
from itertools import pairwise

import pytest

from callwright.problems.draw import draw_problems
from callwright.records import Problem
from tests.fakes import problem

COUNTS = {"arithmetic": 60, "translation": 30, "entailment": 10}  # in blocks, as the synthetic splits are
PROBLEMS = [problem(id=f"{task}/{number}", task=task) for task, count in COUNTS.items() for number in range(count)]


def by_task(problems: list[Problem]) -> Counter[str]:
    return Counter(each.task for each in problems)


@pytest.mark.parametrize("count", [None, 100, 101])
def test_all_problems_are_used_as_they_are(count: int | None):
    assert draw_problems(iter(PROBLEMS), count, 7) == PROBLEMS


def test_every_task_has_its_share():
    assert by_task(draw_problems(PROBLEMS, 50, 7)) == {"arithmetic": 30, "translation": 15, "entailment": 5}
    assert by_task(draw_problems(PROBLEMS, 10, 7)) == {"arithmetic": 6, "translation": 3, "entailment": 1}
    assert draw_problems(PROBLEMS, 0, 7) == []
    assert draw_problems([], 5, 7) == []


def test_the_order_is_kept():
    drawn = draw_problems(PROBLEMS, 40, 7)
    assert [PROBLEMS.index(each) for each in drawn] == sorted(PROBLEMS.index(each) for each in drawn)


def test_the_seed_decides_which_problems():
    assert draw_problems(PROBLEMS, 40, 7) == draw_problems(PROBLEMS, 40, 7)
    assert draw_problems(PROBLEMS, 40, 7) != draw_problems(PROBLEMS, 40, 8)
    assert draw_problems(PROBLEMS, 40, 7) != PROBLEMS[:40]


def test_a_larger_number_keeps_the_problems_of_a_smaller_one():
    drawn = [{each.id for each in draw_problems(PROBLEMS, count, 7)} for count in range(101)]
    assert all(smaller < larger for smaller, larger in pairwise(drawn))
