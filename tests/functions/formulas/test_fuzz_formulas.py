"""Random and hostile formulas and questions. benchmarks/fuzz_formulas.py runs ten times as many."""

import pytest
from benchmarks.fuzz_formulas import Outcomes, fuzz

from callwright.functions.guard import LIMIT_REACHED, SOLVER_SECONDS


@pytest.fixture(scope="module")
def outcomes(frozen_heap: None) -> Outcomes:
    return fuzz(2_000, seed=1, question_share=0.02)


def test_no_call_raises(outcomes):
    assert outcomes.raised == []
    assert outcomes.counts.total() >= 2_000
    assert set(outcomes.counts) <= {"answered", "bad_arguments", "execution_error", LIMIT_REACHED}
    assert min(outcomes.counts["answered"], outcomes.counts["bad_arguments"]) > 300, "both outcomes must be common"


def test_no_call_is_slow_outside_the_worker(outcomes):
    assert outcomes.slowest_outside[0] < 1, "seconds of processor time; below 0.1 is expected"


def test_the_work_budget_ends_each_question_far_below_the_workers_time_limit(outcomes):
    assert outcomes.slowest_in_worker[0] < SOLVER_SECONDS / 4, "a tenth is expected; this machine may be slow"
