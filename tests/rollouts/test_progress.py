import asyncio
import io
import logging
import os
import pty
import subprocess
import sys

from callwright.chat.model import Sampling
from callwright.params import Prices
from callwright.records import Usage
from callwright.rollouts import progress
from callwright.rollouts.budget import Meter
from callwright.rollouts.plan import plan_attempts
from callwright.rollouts.progress import Progress
from callwright.tasks import TASKS
from tests.fakes import chain, problem

(ATTEMPT,) = plan_attempts([problem()], TASKS, {"name": "scripted"}, 1, Sampling())


def progress_under_way(name: str = "teacher") -> Progress:
    """After 60 s and 6 requests of 10 + 2 tokens: 4 of 10 attempts were done before, now one right, wrong, failed."""
    times = iter([0.0])
    meter = Meter(None, Prices(prompt=0.0, cached=0.0, completion=1_000_000.0), clock=lambda: next(times, 60.0))
    for _ in range(6):
        meter.begin_request()
        meter.end_request(Usage(10, 2))
    rollout_progress = Progress(name, 4, 10, meter)
    for result in (chain("add(2, 3)", "answer(5)"), chain("answer(6)"), None):
        rollout_progress.attempt_finished(ATTEMPT, result)
    return rollout_progress


def test_progress_shows_accuracy_failures_tokens_cost_and_time_left():
    rollout_progress = progress_under_way()
    assert (rollout_progress.done, rollout_progress.total) == (7, 10)
    # three attempts in 60 s, so 20 s for each of the last three; 12 completion tokens at 1 each
    assert rollout_progress.status_text() == "50.0% right, 1 failed, 72 tokens, cost 12.00, 0.1 requests/s, 1 min left"


async def test_without_a_terminal_a_line_is_logged_from_time_to_time(monkeypatch, caplog):
    monkeypatch.setattr(progress, "LINE_EVERY_S", 0.05)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with caplog.at_level(logging.INFO, "callwright"):
        async with progress_under_way().display():
            await asyncio.sleep(0.3)
    lines = caplog.messages
    assert len(lines) >= 2
    assert set(lines) == {f"teacher: 7 of 10 attempts, {progress_under_way().status_text()}"}


ON_A_TERMINAL = """
import asyncio
import sys
from tests.rollouts.test_progress import progress_under_way

async def main():
    async with progress_under_way(sys.argv[1]).display():
        await asyncio.sleep(0.2)

asyncio.run(main())
"""


def output_on_a_terminal(name: str) -> str:
    controller, terminal = pty.openpty()
    environment = os.environ | {"COLUMNS": "160", "TERM": "xterm"}
    subprocess.run([sys.executable, "-c", ON_A_TERMINAL, name], stderr=terminal, env=environment, check=True)
    os.close(terminal)
    output = os.read(controller, 100_000).decode()
    os.close(controller)
    return output


def test_on_a_terminal_progress_is_a_bar():
    output = output_on_a_terminal("teacher")
    assert "━" in output
    assert "7/10" in output
    assert "50.0% right, 1 failed, 72 tokens, cost 12.00" in output


def test_markup_and_control_characters_in_a_models_name_are_escaped():
    output = output_on_a_terminal("maker/small[/b]\x1b]0;title\x07")
    assert "maker/small[/b]\\x1b]0;title\\x07" in output
