from callwright.chat.model import Sampling
from callwright.params import Prices
from callwright.records import Usage
from callwright.rollouts.budget import Meter
from callwright.rollouts.plan import plan_attempts
from callwright.rollouts.progress import RolloutProgress
from callwright.tasks import TASKS
from tests.fakes import chain, problem

(ATTEMPT,) = plan_attempts([problem()], TASKS, {"name": "scripted"}, 1, Sampling())


def test_a_rollouts_progress_shows_accuracy_failures_tokens_cost_speed_and_time_left():
    now = 0.0
    meter = Meter(None, Prices(prompt=0.0, cached=0.0, completion=1_000_000.0), clock=lambda: now)
    counts = RolloutProgress("teacher", 4, 10, meter)  # 4 were done before
    for _ in range(6):
        meter.begin_request()
        meter.end_request(Usage(10, 2))
    for result in (chain("add(2, 3)", "answer(5)"), chain("answer(6)"), None):
        counts.attempt_finished(ATTEMPT, result)
    now = 60.0
    # 12 completion tokens at 1 each; three attempts in 60 s, so 20 s for each of the last three
    assert counts.progress.text() == (
        "7 of 10 attempts, 50.0% right, 1 failed, 72 tokens, cost 12.00, 0.1 requests/s, 1 min left"
    )
