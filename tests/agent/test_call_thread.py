"""Slow calls do not block the event loop, and calls that fail or never return do no harm."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from callwright.agent.call_thread import CallThread
from callwright.agent.loop import solve
from callwright.chat.model import Reply, Sampling
from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox
from callwright.tasks import TASKS
from callwright.tasks.task import Task
from tests.fakes import ScriptedChat, problem

SLOW_S = 1.0
RUNNING_COUNTS: list[int] = []  # the number of running calls each time a call begins
RUNNING: list[None] = []


@function(example={"text": "a"})
def ponder(text: str) -> str:
    """Think for a while."""
    RUNNING.append(None)
    RUNNING_COUNTS.append(len(RUNNING))
    time.sleep(SLOW_S if text == "long" else 0.01)
    RUNNING.pop()
    return text


TASK = Task("ponder", Toolbox([ponder, *TASKS["arithmetic"].toolbox.functions.values()]), "Think.", lambda *_: "right")


class PatientChat(ScriptedChat):
    """Waits a little before each reply, as a server does."""

    async def reply(self, messages, tools, sampling) -> Reply:
        await asyncio.sleep(0.02)
        return await super().reply(messages, tools, sampling)


async def test_requests_and_timers_continue_while_a_function_runs():
    ticks: list[float] = []

    async def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            await asyncio.sleep(0.02)

    ticking = asyncio.create_task(tick())
    other = PatientChat("add(2, 3)", "answer(5)")
    await solve(problem(), TASK, ScriptedChat("answer(5)"), Sampling())  # the first prompt of a process takes longer
    start = time.monotonic()
    slow = asyncio.create_task(solve(problem(), TASK, ScriptedChat("ponder('long')", "answer(5)"), Sampling()))
    fast = asyncio.create_task(solve(problem(), TASK, other, Sampling()))
    while time.monotonic() - start < SLOW_S * 0.8:
        await asyncio.sleep(0.02)
        assert not slow.done()
    assert len(other.requests) == 1  # the other chain's request was sent and answered; its call waits
    ticks_meanwhile = len([tick_time for tick_time in ticks if 0 <= tick_time - start < SLOW_S * 0.8])
    chains = await asyncio.gather(slow, fast)
    ticking.cancel()
    assert ticks_meanwhile >= 4  # 40 on an idle machine; 1 if the loop were blocked
    assert [chain.answer for chain in chains] == ["5", "5"]


async def test_a_time_limit_ends_a_chain_whose_function_does_not_return():
    start = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await solve(problem(), TASK, ScriptedChat("ponder('long')"), Sampling())
    assert time.monotonic() - start < SLOW_S


async def test_functions_of_many_chains_run_one_at_a_time():
    RUNNING_COUNTS.clear()
    models = [ScriptedChat("ponder('a')", "ponder('b')", "answer(5)") for _ in range(8)]
    await asyncio.gather(*(solve(problem(), TASK, model, Sampling()) for model in models))
    assert len(RUNNING_COUNTS) >= 16  # the example in the prompt may be executed as well
    assert set(RUNNING_COUNTS) == {1}


async def test_an_exception_of_a_function_is_raised_in_the_caller():
    calls = CallThread()
    with pytest.raises(TypeError):
        await calls.run(len, 5)
    with pytest.raises(RuntimeError, match="StopIteration"):
        await calls.run(next, iter(()))
    assert await calls.run(len, "five") == 4


async def test_a_call_whose_caller_was_cancelled_is_not_started():
    calls, release, executed = CallThread(), threading.Event(), []
    first = asyncio.create_task(calls.run(release.wait))
    second = asyncio.create_task(calls.run(executed.append, 1))
    await asyncio.sleep(0.05)
    second.cancel()
    await asyncio.sleep(0)
    release.set()
    await first
    assert await calls.run(len, "next") == 4
    assert executed == []


NEVER_RETURNS = """
import asyncio, sys, threading
from callwright.agent.call_thread import CALL_THREAD

async def main():
    begun = threading.Event()
    def forever():
        begun.set()
        threading.Event().wait()
    waiting = asyncio.create_task(CALL_THREAD.run(forever))
    while not begun.is_set():
        await asyncio.sleep(0.01)
    print("begun", flush=True)
    await waiting

try:
    asyncio.run(main())
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_an_interrupt_ends_a_process_whose_function_never_returns():
    with subprocess.Popen([sys.executable, "-c", NEVER_RETURNS], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        try:
            assert process.wait(timeout=60) == 130
        finally:
            process.kill()


def test_a_forked_process_starts_its_own_thread():
    calls = CallThread()
    assert asyncio.run(calls.run(os.getpid)) == os.getpid()
    child = os.fork()
    if child == 0:
        os._exit(0 if asyncio.run(calls.run(os.getpid)) == os.getpid() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


async def test_each_of_many_concurrent_calls_gets_its_own_result_or_error():
    calls = CallThread()

    def half(number: int) -> int:
        if number % 7 == 0:
            raise ValueError(number)
        return number // 2

    async def several(start: int) -> None:
        for number in range(start, start + 50):
            if number % 7 == 0:
                with pytest.raises(ValueError, match=f"^{number}$"):
                    await calls.run(half, number)
            else:
                assert await calls.run(half, number) == number // 2

    async with asyncio.timeout(60):
        await asyncio.gather(*(several(1_000 * chain) for chain in range(40)))


def test_two_event_loops_get_their_own_results():
    calls = CallThread()
    results: dict[int, list[int]] = {}

    async def powers(base: int) -> list[int]:
        async with asyncio.timeout(60):
            return await asyncio.gather(*(calls.run(pow, base, number) for number in range(200)))

    def run(base: int) -> None:
        results[base] = asyncio.run(powers(base))

    threads = [threading.Thread(target=run, args=(base,)) for base in (2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {base: [base**number for number in range(200)] for base in (2, 3)}


@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit, asyncio.CancelledError, KeyboardInterrupt, StopIteration])
async def test_an_exception_that_would_end_the_event_loop_becomes_a_runtime_error(kind: type[BaseException]):
    def leave() -> None:
        raise kind

    thread = CallThread()
    with pytest.raises(RuntimeError, match=f"a function raised {kind.__name__}") as caught:
        await thread.run(leave)
    assert isinstance(caught.value.__cause__, kind)
    assert await thread.run(len, "ab") == 2
