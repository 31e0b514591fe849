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
from tests.fakes import ScriptedChat, problem, teacher

PRICES = Prices(prompt=2.0, cached=0.5, completion=8.0)
PROBLEMS = [problem(id=str(number), question=f"Problem {number}?") for number in range(50)]
ATTEMPTS = plan_attempts(PROBLEMS, {"name": "scripted"}, 1, Sampling())


def budget(on_budget: str = "stop", **limits: float) -> BudgetParams:
    none = dict.fromkeys(("requests", "tokens", "cost", "seconds"))
    return BudgetParams.model_validate({**none, "on_budget": on_budget, **limits})


class SteadyChat:
    """Solves 2 + 3 in two replies of 10 + 2 tokens each, and lets other attempts run in between."""

    name = "steady"

    def __init__(self, second_s: float = 0.0) -> None:
        self.asked = self.waiting = self.most_waiting = 0
        self._second_s = second_s

    async def reply(self, messages, tools, sampling) -> Reply:
        self.asked += 1
        self.waiting += 1
        self.most_waiting = max(self.most_waiting, self.waiting)
        await asyncio.sleep(self._second_s if len(messages) > 2 else 0)
        self.waiting -= 1
        return Reply("answer(5)" if len(messages) > 2 else "add(2, 3)", "stop", Usage(10, 2))


async def roll(tmp_path, limits: BudgetParams, model: SteadyChat, concurrency: int = 8) -> tuple[int, RolloutResult]:
    """How many attempts the journal gained, and how the run ended."""
    with open_journal(tmp_path / "journal.jsonl") as journal:
        before = len(journal)
        rolled = await run_attempts(ATTEMPTS, model, journal, concurrency, Meter(limits, PRICES))
        return len(journal) - before, rolled


def test_a_cost_is_that_of_fresh_cached_and_written_tokens():
    used = Usage(prompt_tokens=3_000_000, completion_tokens=500_000, cached_tokens=1_000_000)
    assert cost(used, PRICES) == 2 * 2.0 + 1 * 0.5 + 0.5 * 8.0


@pytest.mark.parametrize(
    ("limits", "attempts"),
    [
        ({"requests": 21}, 10),  # two each
        ({"tokens": 250}, 10),  # 24 each: ten make 240
        ({"cost": 0.000730}, 10),  # 2 x (10 x 2 + 2 x 8) millionths = 72 each: ten make 720
    ],
)
async def test_a_budget_is_used_up_by_whole_attempts(tmp_path, limits, attempts):
    model = SteadyChat()
    made, rolled = await roll(tmp_path, budget(**limits), model)
    assert (made, rolled.not_run, model.asked) == (attempts, 50 - attempts, 2 * attempts)
    assert rolled.limit_reached is not None
    assert rolled.limit_reached.startswith(f"rollout.budget.{next(iter(limits))}: ")


async def test_a_small_budget_is_not_spread_over_many_attempts_of_which_none_gets_finished(tmp_path):
    made, _ = await roll(tmp_path, budget(requests=4), SteadyChat(), concurrency=32)
    assert made == 2


async def test_attempts_run_side_by_side_once_the_first_has_shown_what_one_takes(tmp_path):
    model = SteadyChat(second_s=0.05)
    made, rolled = await roll(tmp_path, budget(requests=1_000), model)
    assert (made, rolled) == (50, RolloutResult())
    assert 4 < model.most_waiting <= 8  # eight, but on a machine that is very busy


async def test_the_next_run_spends_as_much_once_more(tmp_path):
    made = [(await roll(tmp_path, budget(tokens=480), SteadyChat()))[0] for _ in range(3)]
    assert made == [20, 20, 10]  # 24 tokens each


async def test_seconds_end_a_run(tmp_path):
    made, rolled = await roll(tmp_path, budget(seconds=0.5), SteadyChat(second_s=0.1), concurrency=1)
    assert 0 < made < 50
    assert rolled.not_run == 50 - made
    assert rolled.limit_reached is not None
    assert rolled.limit_reached.startswith("rollout.budget.seconds: 0 of 0")  # shown in whole seconds


async def test_seconds_end_a_request_that_is_not_answered(tmp_path):
    hanging = roll(tmp_path, budget(seconds=0.2), SteadyChat(second_s=60))
    made, rolled = await asyncio.wait_for(hanging, 10)
    assert (made, rolled) == (0, RolloutResult([], 50, "rollout.budget.seconds: 0 of 0"))  # shown in whole seconds


@pytest.mark.parametrize("name", ["tokens", "cost"])
async def test_a_limit_that_cannot_be_kept_as_the_server_tells_no_tokens_ends_the_run_at_once(tmp_path, name):
    model = ScriptedChat(Reply("add(2, 3)", "stop", Usage()))
    line = f"teacher scripted does not report the tokens of its replies, so rollout.budget.{name} cannot be enforced: "
    with open_journal(tmp_path / "journal.jsonl") as journal, pytest.raises(EndpointUnusableError, match=f"^{line}"):
        await run_attempts(ATTEMPTS, model, journal, 1, Meter(budget(**{name: 1_000}), PRICES))


async def test_no_request_is_sent_over_the_limit_by_attempts_that_turn_out_longer(tmp_path):
    wrong = "add(2, 3)"
    long = [wrong, "add(5, 1)", "add(6, 1)", "add(7, 1)", "add(8, 1)", "answer(9)"]
    model = ScriptedChat("add(2, 3)", "answer(5)", *long)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        rolled = await run_attempts(ATTEMPTS, model, journal, 1, Meter(budget(requests=5)))
        assert len(journal) == 1
    assert len(model.asked) == 5  # two for the first attempt, and three of the six that the second wanted
    assert rolled == RolloutResult([], 49, "rollout.budget.requests: 5 of 5")


async def test_requests_on_the_way_count_at_the_mean_of_the_others():
    meter = Meter(budget(tokens=48))
    chat = MeteredChat(SteadyChat(), meter)
    for _ in range(2):
        await chat.reply([], (), Sampling())  # 24 tokens, 12 each
    meter.begin_request()
    meter.begin_request()  # two on the way: 24 + 24 reaches the limit
    with pytest.raises(BudgetError, match=r"rollout\.budget\.tokens: 24 of 48"):
        meter.begin_request()


async def test_what_an_attempt_used_is_counted_for_itself_and_for_the_run():
    meter = Meter(None, PRICES)
    first, second = MeteredChat(SteadyChat(), meter), MeteredChat(SteadyChat(), meter)
    await first.reply([], (), Sampling())
    await second.reply([], (), Sampling())
    await second.reply([], (), Sampling())
    assert (first.usage, len(first.request_s)) == (Usage(10, 2), 1)
    assert (second.usage, len(second.request_s)) == (Usage(20, 4), 2)
    assert (meter.usage, meter.requests) == (Usage(30, 6), 3)
    assert meter.cost() == pytest.approx((30 * 2 + 6 * 8) / 1_000_000)


def test_a_used_up_budget_stops_the_stage_or_says_how_far_it_came():
    cut = RolloutResult([], 40, "rollout.budget.tokens: 480 of 500")
    with pytest.raises(BudgetError) as caught:
        check_budget_used_up("teacher", cut, 60, budget("stop", tokens=500))
    line = str(caught.value)
    assert line.startswith(
        "teacher: the budget is used up (rollout.budget.tokens: 480 of 500) with 20 of 60 attempts done; "
    )
    assert "\n" not in line
    told = check_budget_used_up("teacher", cut, 60, budget("publish", tokens=500))
    assert told is not None
    assert "20 of 60 attempts done; they are published" in told
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
async def test_no_usage_that_a_server_reports_lets_a_run_spend_beyond_its_budget(tmp_path, usage):
    """40 of 40 requests were once made under a budget of 100 tokens."""
    asked: list[int] = []

    async def answer(request: Request) -> Response:
        asked.append(len(await request.body()))
        reply = "answer(5)" if len(asked) % 2 == 0 else "add(2, 3)"
        choice = {"message": {"content": reply}, "finish_reason": "stop"}
        return Response(json.dumps({"choices": [choice], "usage": usage}))

    app = Starlette(routes=[Route("/{path:path}", answer, methods=["POST"])])
    model = EndpointChat(teacher(), app)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        meter = Meter(budget(tokens=3_000), PRICES)
        rolled = await run_attempts(ATTEMPTS, model, journal, 4, meter)
    await model.close()
    assert rolled.limit_reached is not None
    assert rolled.not_run > 0
    assert sum(asked) / 32 <= 3_000 + max(asked)  # at the very least a token for 32 characters was counted


async def test_a_reply_whose_tokens_the_server_does_not_tell_counts_as_the_mean_of_the_others(tmp_path):
    replies = [
        Reply(text, "stop", Usage(10, 2) if number < 4 else Usage())
        for number, text in enumerate(["add(2, 3)", "answer(5)"] * 50)
    ]
    model = ScriptedChat(*replies)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        rolled = await run_attempts(ATTEMPTS, model, journal, 1, Meter(budget(tokens=250)))
    assert len(model.asked) == 21  # 12 tokens each, as the first four: at 240 one more may be sent, at 252 none
    assert rolled.limit_reached is not None
