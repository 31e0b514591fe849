"""A rollout with the real client and the oracle on a port: each of seven server faults affects a tenth of answers."""

from collections import Counter
from pathlib import Path

import pytest

from callwright.chat.model import Message, Reply, Sampling, Tool
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import ProviderError
from callwright.records import Chain
from callwright.rollouts.journal import find_entry, open_journal
from callwright.rollouts.plan import plan_attempts
from callwright.rollouts.sample import RolloutResult, run_attempts
from callwright.standins.oracle.app import create_app
from callwright.standins.oracle.server_faults import ServerFaults
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from tests.chat.conftest import Servers
from tests.fakes import NO_MISTAKES, teacher

STORM = ServerFaults(0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, retry_after_s=0.05, slow_s=4)
MISTAKES = {**NO_MISTAKES, "wrong_operand": 0.3, "malformed_call": 0.2}
PROBLEMS = synthetic_problems({"train": 6}, held_out_test=0, seed=7)
TEXT, NATIVE = (
    plan_attempts(PROBLEMS, TASKS, {"name": protocol}, 2, Sampling(), protocol) for protocol in ("text", "native")
)
ATTEMPTS = [*TEXT, *NATIVE]  # 6 problems, 2 protocols, 2 chains


class CountingChat:
    """Counts the replies and the errors of another chat model."""

    def __init__(self, model: EndpointChat) -> None:
        self.name, self._model = model.name, model
        self.replies = 0
        self.errors: Counter[str] = Counter()

    async def reply(self, messages: list[Message], tools: list[Tool], sampling: Sampling) -> Reply:
        try:
            reply = await self._model.reply(messages, tools, sampling)
        except ProviderError as error:
            self.errors[error.reason] += 1
            raise
        self.replies += 1
        return reply


async def roll_out(model: CountingChat, path: Path) -> tuple[dict[str, Chain], RolloutResult]:
    """Chains by id and protocol, and how the run ended. Sixteen attempts are in flight."""
    with open_journal(path) as journal:
        result = await run_attempts(ATTEMPTS, model, journal, 16)
        entries = (find_entry(attempt, journal) for attempt in ATTEMPTS)
        return {entry.chain.id + entry.chain.protocol: entry.chain for entry in entries if entry}, result


@pytest.mark.slow
async def test_no_server_fault_becomes_a_reply_all_are_counted_and_the_next_run_repeats_failed_attempts(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("TEACHER_API_KEY", "any")
    calm = EndpointChat(teacher(), create_app(PROBLEMS, MISTAKES))
    expected, _ = await roll_out(CountingChat(calm), tmp_path / "calm.jsonl")
    assert len(expected) == len(ATTEMPTS) == 24

    app, servers = create_app(PROBLEMS, MISTAKES, faults=STORM), Servers()
    model = EndpointChat(teacher(base_url=servers(app), timeout_s=1.5, max_retries=3))
    counting = CountingChat(model)
    chains, result = await roll_out(counting, tmp_path / "storm.jsonl")
    await model.close()
    servers.stop_all()

    assert len(chains) + len(result.failures) == 24
    assert 0 < len(result.failures) < 24
    assert chains == {name: expected[name] for name in chains}

    injected = app.state.injected
    assert set(injected) == set(STORM.shares())
    assert model.failures == Counter(
        {
            "answered 429": injected["busy"],
            "answered 500": injected["broken"],
            "connection lost": injected["dropped"] + injected["truncated"],
            "no completion": injected["empty"] + injected["garbled"],
            "timed out": injected["slow"],
        }
    )
    assert model.requests == counting.replies + model.failures.total()
    assert Counter(failure.reason for failure in result.failures) == counting.errors

    again, result = await roll_out(CountingChat(calm), tmp_path / "storm.jsonl")
    await calm.close()
    assert (again, result) == (expected, RolloutResult())
