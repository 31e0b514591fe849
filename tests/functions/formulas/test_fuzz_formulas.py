"""Random and hostile formulas and questions; benchmarks/fuzz_formulas.py runs ten times as many."""

import pytest
from benchmarks.fuzz_formulas import Outcomes, fuzz

from callwright.functions.guard import LIMIT_REACHED, SOLVER_SECONDS


@pytest.fixture(scope="module")
def outcomes(frozen_heap: None) -> Outcomes:
    return fuzz(2_000, seed=1, questions=0.02)


def test_nothing_raises(outcomes):
    assert outcomes.raised == []
    assert outcomes.counts.total() >= 2_000
    assert set(outcomes.counts) <= {"answered", "bad_arguments", "execution_error", LIMIT_REACHED}
    assert min(outcomes.counts["answered"], outcomes.counts["bad_arguments"]) > 300, "this tests neither side"


def test_nothing_is_slow_outside_the_worker(outcomes):
    assert outcomes.slowest_here[0] < 1, "of processor time; meant to be below 0.1 s"


def test_the_counted_work_ends_a_question_far_below_the_workers_limit(outcomes):
    assert outcomes.slowest_there[0] < SOLVER_SECONDS / 4, "meant to be a tenth; this machine may be slow"
