"""How well our rollout uses an endpoint, compared with a plain loop and a plain gather.

    python benchmarks/rollout.py                       # about two minutes
    python benchmarks/rollout.py --memory              # 100,000 attempts; ten minutes or more

The endpoint is the oracle teacher (a stand-in for a large model) in a separate process. It takes LATENCY seconds for
every reply and serves IN_FLIGHT requests at once; it refuses more with 429 and Retry-After, as providers do.

- ours: `run_attempts` with the journal (synced to disk), the limiter and IN_FLIGHT attempts in flight.
- gather: `asyncio.gather` over GATHER attempts at once with the openai client's default settings (two retries).
- loop: one attempt after the other with the same client; a few attempts are enough to know the rate.

For ours, `steady` excludes the first and the last seconds, in which fewer than IN_FLIGHT attempts are in flight;
`whole` includes them. The ideal rate is IN_FLIGHT / LATENCY requests per second. CPU is that of this process only, in
cores. The oracle's process runs on the same machine.

`--memory` runs attempts of a single request each, as fast as the oracle answers, publishes them, and prints the peak
memory of this process. Its data for an attempt (plan, key, offset in the journal) does not depend on the chain's
length.
"""

import argparse
import asyncio
import multiprocessing
import os
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from callwright.agent.loop import solve
from callwright.chat.model import ChatModel, Message, Reply, Sampling, Tool
from callwright.chat.openai.endpoint import EndpointChat
from callwright.params import Params
from callwright.records import Problem, Usage
from callwright.rollouts.budget import Meter
from callwright.rollouts.journal import open_journal
from callwright.rollouts.plan import Attempt, plan_attempts
from callwright.rollouts.sample import RolloutResult, run_attempts
from callwright.rollouts.summary import publish
from callwright.standins.oracle.app import create_app
from callwright.standins.oracle.script import MISTAKES
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems

PARAMS = Path(__file__).parents[1] / "params.yaml"


@dataclass(frozen=True)
class Measured:
    """Requests and attempts that ended within `seconds`; `cpu` in seconds of this process."""

    name: str
    requests: int
    attempts: int
    lost: int
    seconds: float
    cpu: float

    def rate(self) -> float:
        return self.requests / self.seconds

    def row(self, ideal: float) -> str:
        return (
            f"{self.name:<14} {self.requests:>8,} {self.attempts:>8,} {self.lost:>6,} {self.seconds:>8.1f} "
            f"{self.rate():>11,.1f} {self.rate() / ideal:>9.1%} {self.cpu / self.seconds:>6.2f}"
        )


class SlowOracle:
    """The oracle with a latency and a limit of requests at once."""

    def __init__(self, problems: Sequence[Problem], latency_s: float, room: int) -> None:
        self._app = create_app(problems, dict.fromkeys(MISTAKES, 0.0))
        self._latency_s = latency_s
        self._room = room
        self._serving = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if self._serving >= self._room:
            headers = [(b"retry-after", b"1"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 429, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        self._serving += 1
        try:
            await asyncio.sleep(self._latency_s)
        finally:
            self._serving -= 1
        await self._app(scope, receive, send)


def serve(problems: Sequence[Problem], latency_s: float, room: int, port_sender: Connection) -> None:
    """Serve the oracle on a free port, and send the port through `port_sender`."""
    import uvicorn

    class PortReportingServer(uvicorn.Server):
        async def startup(self, sockets: Any = None) -> None:
            await super().startup(sockets)
            port_sender.send(self.servers[0].sockets[0].getsockname()[1])

    app = SlowOracle(problems, latency_s, room)
    PortReportingServer(uvicorn.Config(app, port=0, log_level="error", lifespan="off", backlog=8_192)).run()


@contextmanager
def served(problems: Sequence[Problem], latency_s: float, room: int) -> Iterator[str]:
    """The base URL of an oracle in a separate process."""
    ours, theirs = multiprocessing.Pipe()
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=serve, args=(problems, latency_s, room, theirs), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.terminate()
        process.join()


class PlainChat:
    """The simplest chat model: only the openai client with its own retries."""

    name = "plain"

    def __init__(self, url: str) -> None:
        from openai import AsyncOpenAI

        self._client = AsyncOpenAI(base_url=url, api_key="none")
        self.answered = 0

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        completion = await self._client.chat.completions.create(
            model="oracle",
            messages=list(messages),  # type: ignore[arg-type]
            temperature=sampling.temperature,
            max_tokens=sampling.max_tokens,
            seed=sampling.seed,
        )
        self.answered += 1
        return Reply(completion.choices[0].message.content or "", "stop", Usage())

    async def close(self) -> None:
        await self._client.close()


async def attempt_with(model: ChatModel, attempt: Attempt) -> None:
    await solve(attempt.problem, TASKS[attempt.problem.task], model, attempt.sampling)


async def timed(name: str, model: PlainChat, work: Callable[[], Awaitable[tuple[int, int]]]) -> Measured:
    began, cpu = time.perf_counter(), time.process_time()
    attempts, lost = await work()
    await model.close()
    return Measured(name, model.answered, attempts, lost, time.perf_counter() - began, time.process_time() - cpu)


async def loop(url: str, attempts: Sequence[Attempt]) -> Measured:
    model = PlainChat(url)

    async def work() -> tuple[int, int]:
        for attempt in attempts:
            await attempt_with(model, attempt)
        return len(attempts), 0

    return await timed("loop", model, work)


async def gather(url: str, attempts: Sequence[Attempt]) -> Measured:
    model = PlainChat(url)

    async def work() -> tuple[int, int]:
        ends = await asyncio.gather(*(attempt_with(model, attempt) for attempt in attempts), return_exceptions=True)
        lost = sum(isinstance(end, Exception) for end in ends)
        return len(ends) - lost, lost

    return await timed("gather", model, work)


async def ours(
    url: str, attempts: Sequence[Attempt], in_flight: int, folder: Path, edge_s: float
) -> tuple[Measured, Measured | None]:
    """The whole run, and its steady part: from `edge_s` after its start until the last attempt has begun."""
    teacher = Params.load(PARAMS).teacher.model_copy(update={"base_url": url})
    os.environ.setdefault(teacher.api_key_env, "none")
    model, meter = EndpointChat(teacher), Meter()
    samples: list[tuple[float, float, int, int]] = []
    began, cpu, over = time.perf_counter(), time.process_time(), 0

    def finished(*_: object) -> None:
        nonlocal over
        over += 1
        samples.append((time.perf_counter() - began, time.process_time() - cpu, meter.requests, over))

    with open_journal(folder / "journal.jsonl") as journal:
        rolled = await run_attempts(attempts, model, journal, in_flight, meter, on_finished=finished)
        attempt_count = len(journal)
    if model.failures:
        print(f"ours: requests without a reply, all tried again: {dict(model.failures)}")
    await model.close()
    seconds, used = time.perf_counter() - began, time.process_time() - cpu
    whole_run = Measured("ours, whole", meter.requests, attempt_count, len(rolled.failures), seconds, used)
    inner = [sample for sample in samples if sample[0] >= edge_s and sample[3] <= len(attempts) - in_flight]
    if len(inner) < 2:
        return whole_run, None
    first, last = inner[0], inner[-1]
    times, cpus, requests, attempts_over = (b - a for a, b in zip(first, last, strict=True))
    return whole_run, Measured("ours, steady", requests, attempts_over, 0, times, cpus)


def compare(options: argparse.Namespace) -> None:
    problems = synthetic_problems({"train": 400}, 0, seed=1)
    model = {"name": "oracle", "base_url": "benchmark"}
    attempts = plan_attempts(problems, TASKS, model, -(-options.attempts // len(problems)), Sampling(0.7, max_steps=12))
    attempts = attempts[: options.attempts]
    ideal = options.in_flight / options.latency
    rows: list[Measured] = []
    with served(problems, options.latency, options.in_flight) as url, TemporaryDirectory() as folder:
        rows.append(asyncio.run(loop(url, attempts[: options.loop])))
        rows.append(asyncio.run(gather(url, attempts[: options.gather])))
        whole_run, steady = asyncio.run(ours(url, attempts, options.in_flight, Path(folder), 4 * options.latency))
        rows += [whole_run, *([steady] if steady else [])]
    print(f"{options.latency} s a reply, {options.in_flight} in flight: at best {ideal:,.0f} requests/s\n")
    print("                requests attempts   lost  seconds  requests/s  of ideal  cores")
    print("\n".join(row.row(ideal) for row in rows))
    sequential = rows[0].seconds / rows[0].attempts * len(attempts)
    print(f"\nloop: {rows[0].attempts} attempts were made; all {len(attempts):,} would take {sequential / 60:,.0f} min")
    print(f"gather: lost {rows[1].lost / (rows[1].attempts + rows[1].lost):.1%} of its attempts")
    print(f"ours: {sequential / whole_run.seconds:,.0f} times as fast as the loop, nothing lost: {whole_run.lost == 0}")
    best = steady or whole_run
    print(f"ours: {best.rate() / ideal:.1%} of the ideal rate, {best.cpu / best.seconds:.2f} cores")


def memory(options: argparse.Namespace) -> None:
    count = options.memory
    template = synthetic_problems({"train": 1}, 0, seed=1)[0]
    problems = [
        replace(template, id=f"p{number}", question=f"{template.question} ({number})", solution=template.solution[-1:])
        for number in range(-(-count // 4))
    ]
    attempts = plan_attempts(problems, TASKS, {"name": "oracle", "base_url": "benchmark"}, 4, Sampling(0.7))[:count]
    with served(problems, 0.0, 1_000_000) as url, TemporaryDirectory() as folder:
        whole_run, _ = asyncio.run(ours(url, attempts, options.in_flight, Path(folder), 0.0))
        began = time.perf_counter()
        with open_journal(Path(folder) / "journal.jsonl") as journal:
            opened_s = time.perf_counter() - began
            published = publish(Path(folder) / "chains.jsonl", attempts, TASKS, journal, RolloutResult())
        published_s = time.perf_counter() - began - opened_s
        size_mb = (Path(folder) / "journal.jsonl").stat().st_size / 1e6
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
    print(f"{published.chains:,} attempts in {whole_run.seconds:,.0f} s ({whole_run.rate():,.0f} requests/s)")
    print(f"journal of {size_mb:,.0f} MB opened in {opened_s:.1f} s, published in {published_s:.1f} s")
    print(f"peak memory {peak_mb:,.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--latency", type=float, default=1.0, help="seconds a reply")
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--attempts", type=int, default=5_000)
    parser.add_argument("--gather", type=int, default=1_200, help="attempts of the plain gather")
    parser.add_argument("--loop", type=int, default=4, help="attempts of the plain loop")
    parser.add_argument("--memory", type=int, nargs="?", const=100_000, help="attempts whose memory is measured")
    options = parser.parse_args()
    memory(options) if options.memory else compare(options)


if __name__ == "__main__":
    main()
