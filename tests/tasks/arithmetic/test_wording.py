from random import Random

import pytest

from callwright.tasks.arithmetic.wording import reorder_statements
from tests.fakes import problem


def reordered(question: str) -> str | None:
    return reorder_statements(problem(question=question), Random(1))


def test_a_price_may_come_before_or_after_an_event():
    assert reordered("One pen costs 19 dollars. Rita pays 5 pens with 304 dollars. How many does she get back?") == (
        "Rita pays 5 pens with 304 dollars. One pen costs 19 dollars. How many does she get back?"
    )


@pytest.mark.parametrize(
    "question",
    [
        "Tom has 10 apples. Tom eats 3 apples. How many are left?",  # two events
        "There are 10 birds on a tree. Ann scares away 3 birds. How many are left?",
        "A bike costs 80 dollars. In a sale it is 45 percent off. How many dollars does Cora pay?",  # "it"
        "A pen costs 3 dollars. A book costs 4 times as much. How many dollars do both cost?",  # as what?
        "Each tree bears 4 pears. Of these, 2 are bad. How many are good?",
        "One pen costs 3 dollars. Cora pays 40. How many dollars does she get back?",  # 40 what?
        "Kate finds 41 lemons a day. How many lemons does she find in 3 days?",  # a single statement
        "One pen costs 3 dollars. How many do 4 cost? Cora buys 4 pens. How many dollars does she pay?",
    ],
)
def test_a_story_whose_order_may_matter_is_not_reordered(question: str):
    assert reordered(question) is None
