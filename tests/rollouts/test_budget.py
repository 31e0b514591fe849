import asyncio
import json

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from callwright.chat.model import Reply, Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import EndpointUnusableError
from callwright.params import BudgetParams, Prices
from callwright.records import Usage
from callwright.rollouts.budget import BudgetError, Meter, MeteredChat, cost
from callwright.rollouts.journal import open_journal
from callwright.rollouts.plan import plan_attempts
from callwright.rollouts.sample import RolloutResult, run_attempts
from callwright.rollouts.summary import check_budget_used_up
from callwright.tasks import TASKS
from tests.fakes import ScriptedChat, problem, teacher

PRICES = Prices(prompt=2.0, cached=0.5, completion=8.0)
PROBLEMS = [problem(id=str(number), question=f"Problem {number}?") for number in range(50)]
ATTEMPTS = plan_attempts(PROBLEMS, TASKS, {"name": "scripted"}, 1, Sampling())


def budget(on_budget: str = "stop", **limits: float) -> BudgetParams:
    none = dict.fromkeys(("requests", "tokens", "cost", "seconds"))
    return BudgetParams.model_validate({**none, "on_budget": on_budget, **limits})


class SteadyChat:
    """Solves 2 + 3 in two replies of 10 + 2 tokens each, and lets other attempts run in between.

    Args:
        second_reply_s: seconds that the second reply takes.
    """

    name = "steady"

    def __init__(self, second_reply_s: float = 0.0) -> None:
        self.requests = self.waiting = self.max_waiting = 0
        self._second_reply_s = second_reply_s

    async def reply(self, messages, tools, sampling) -> Reply:
        self.requests += 1
        self.waiting += 1
        self.max_waiting = max(self.max_waiting, self.waiting)
        await asyncio.sleep(self._second_reply_s if len(messages) > 2 else 0)
        self.waiting -= 1
        return Reply("answer(5)" if len(messages) > 2 else "add(2, 3)", "stop", Usage(10, 2))


async def roll(tmp_path, limits: BudgetParams, model: SteadyChat, concurrency: int = 8) -> tuple[int, RolloutResult]:
    """The number of attempts that the run added to the journal, and how it ended."""
    with open_journal(tmp_path / "journal.jsonl") as journal:
        before = len(journal)
        result = await run_attempts(ATTEMPTS, model, journal, concurrency, Meter(limits, PRICES))
        return len(journal) - before, result


def test_a_cost_is_that_of_uncached_cached_and_completion_tokens():
    usage = Usage(prompt_tokens=3_000_000, completion_tokens=500_000, cached_tokens=1_000_000)
    assert cost(usage, PRICES) == 2 * 2.0 + 1 * 0.5 + 0.5 * 8.0


@pytest.mark.parametrize(
    ("limits", "attempts"),
    [
        ({"requests": 21}, 10),  # two per attempt
        ({"tokens": 250}, 10),  # 24 per attempt: ten take 240
        ({"cost": 0.000730}, 10),  # 2 x (10 x 2 + 2 x 8) millionths = 72 per attempt: ten take 720
    ],
)
async def test_a_budget_is_used_up_by_whole_attempts(tmp_path, limits, attempts):
    model = SteadyChat()
    finished, result = await roll(tmp_path, budget(**limits), model)
    assert (finished, result.not_run, model.requests) == (attempts, 50 - attempts, 2 * attempts)
    assert result.limit_reached is not None
    assert result.limit_reached.startswith(f"rollout.budget.{next(iter(limits))}: ")


async def test_a_small_budget_is_not_spread_over_many_unfinished_attempts(tmp_path):
    finished, _ = await roll(tmp_path, budget(requests=4), SteadyChat(), concurrency=32)
    assert finished == 2


async def test_attempts_run_concurrently_after_the_first_one_is_finished(tmp_path):
    model = SteadyChat(second_reply_s=0.05)
    finished, result = await roll(tmp_path, budget(requests=1_000), model)
    assert (finished, result) == (50, RolloutResult())
    assert 4 < model.max_waiting <= 8  # eight, unless the machine is very busy


async def test_the_next_run_may_spend_the_budget_again(tmp_path):
    finished = [(await roll(tmp_path, budget(tokens=480), SteadyChat()))[0] for _ in range(3)]
    assert finished == [20, 20, 10]  # 24 tokens per attempt


async def test_the_limit_on_seconds_ends_a_run(tmp_path):
    finished, result = await roll(tmp_path, budget(seconds=0.5), SteadyChat(second_reply_s=0.1), concurrency=1)
    assert 0 < finished < 50
    assert result.not_run == 50 - finished
    assert result.limit_reached is not None
    assert result.limit_reached.startswith("rollout.budget.seconds: 0 of 0")  # shown in whole seconds


async def test_the_limit_on_seconds_ends_a_request_that_is_not_answered(tmp_path):
    hanging = roll(tmp_path, budget(seconds=0.2), SteadyChat(second_reply_s=60))
    finished, result = await asyncio.wait_for(hanging, 10)
    assert (finished, result) == (0, RolloutResult([], 50, "rollout.budget.seconds: 0 of 0"))  # shown in whole seconds


@pytest.mark.parametrize("name", ["tokens", "cost"])
async def test_a_token_limit_ends_the_run_at_once_if_the_server_reports_no_tokens(tmp_path, name):
    model = ScriptedChat(Reply("add(2, 3)", "stop", Usage()))
    line = f"teacher scripted does not report the tokens of its replies, so rollout.budget.{name} cannot be enforced: "
    with open_journal(tmp_path / "journal.jsonl") as journal, pytest.raises(EndpointUnusableError, match=f"^{line}"):
        await run_attempts(ATTEMPTS, model, journal, 1, Meter(budget(**{name: 1_000}), PRICES))


async def test_no_request_is_sent_over_the_limit_even_if_an_attempt_takes_more_than_expected(tmp_path):
    long = ["add(2, 3)", "add(5, 1)", "add(6, 1)", "add(7, 1)", "add(8, 1)", "answer(9)"]
    model = ScriptedChat("add(2, 3)", "answer(5)", *long)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        result = await run_attempts(ATTEMPTS, model, journal, 1, Meter(budget(requests=5)))
        assert len(journal) == 1
    assert len(model.requests) == 5  # two for the first attempt, and three of the six that the second needs
    assert result == RolloutResult([], 49, "rollout.budget.requests: 5 of 5")


async def test_requests_in_flight_count_as_the_mean_of_the_others():
    meter = Meter(budget(tokens=48))
    chat = MeteredChat(SteadyChat(), meter)
    for _ in range(2):
        await chat.reply([], (), Sampling())  # 24 tokens, 12 per request
    meter.begin_request()
    meter.begin_request()  # two in flight: 24 + 24 reaches the limit
    with pytest.raises(BudgetError, match=r"rollout\.budget\.tokens: 24 of 48"):
        meter.begin_request()


async def test_the_tokens_of_an_attempt_count_for_the_attempt_and_for_the_run():
    meter = Meter(None, PRICES)
    first, second = MeteredChat(SteadyChat(), meter), MeteredChat(SteadyChat(), meter)
    await first.reply([], (), Sampling())
    await second.reply([], (), Sampling())
    await second.reply([], (), Sampling())
    assert (first.usage, len(first.request_s)) == (Usage(10, 2), 1)
    assert (second.usage, len(second.request_s)) == (Usage(20, 4), 2)
    assert (meter.usage, meter.requests) == (Usage(30, 6), 3)
    assert meter.cost() == pytest.approx((30 * 2 + 6 * 8) / 1_000_000)


def test_a_budget_that_is_used_up_stops_the_stage_or_gives_a_line_to_print():
    incomplete = RolloutResult([], 40, "rollout.budget.tokens: 480 of 500")
    with pytest.raises(BudgetError) as caught:
        check_budget_used_up("teacher", incomplete, 60, budget("stop", tokens=500))
    line = str(caught.value)
    assert line.startswith(
        "teacher: the budget is used up (rollout.budget.tokens: 480 of 500) with 20 of 60 attempts done; "
    )
    assert "\n" not in line
    printed_line = check_budget_used_up("teacher", incomplete, 60, budget("publish", tokens=500))
    assert printed_line is not None
    assert "20 of 60 attempts done; they are published" in printed_line
    assert check_budget_used_up("teacher", RolloutResult(), 60, budget("stop", tokens=500)) is None


HUGE = 10**400


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": 1_000_000, "completion_tokens": -1_000_000},
        {"prompt_tokens": -1_000_000, "completion_tokens": 1_000_000},
        {"prompt_tokens": HUGE, "completion_tokens": -HUGE},
        {"prompt_tokens": 0, "completion_tokens": 0},
        {"prompt_tokens": True, "completion_tokens": False},
        {"prompt_tokens": "none", "completion_tokens": [0]},
        {"prompt_tokens": 1, "completion_tokens": 0, "prompt_tokens_details": {"cached_tokens": HUGE}},
        "none",
    ],
)
async def test_no_reported_usage_lets_a_run_exceed_its_budget(tmp_path, usage):
    """A budget of 100 tokens once allowed 40 of 40 requests."""
    request_bytes: list[int] = []

    async def answer(request: Request) -> Response:
        request_bytes.append(len(await request.body()))
        reply = "answer(5)" if len(request_bytes) % 2 == 0 else "add(2, 3)"
        choice = {"message": {"content": reply}, "finish_reason": "stop"}
        return Response(json.dumps({"choices": [choice], "usage": usage}))

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    model = EndpointChat(teacher(), app)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        meter = Meter(budget(tokens=3_000), PRICES)
        result = await run_attempts(ATTEMPTS, model, journal, 4, meter)
    await model.close()
    assert result.limit_reached is not None
    assert result.not_run > 0
    assert sum(request_bytes) / 32 <= 3_000 + max(request_bytes)  # at least one token is counted for 32 bytes


async def test_a_reply_without_a_token_count_counts_as_the_mean_of_the_others(tmp_path):
    replies = [
        Reply(text, "stop", Usage(10, 2) if number < 4 else Usage())
        for number, text in enumerate(["add(2, 3)", "answer(5)"] * 50)
    ]
    model = ScriptedChat(*replies)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        result = await run_attempts(ATTEMPTS, model, journal, 1, Meter(budget(tokens=250)))
    assert len(model.requests) == 21  # 12 tokens each, like the first four: at 240 one more may be sent, at 252 none
    assert result.limit_reached is not None
