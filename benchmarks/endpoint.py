"""CPU time of a request to the teacher in our process: `EndpointChat` compared with the plain openai client.

The oracle runs in a separate process with a latency of 1 s. Run this on a quiet machine; it takes about a minute:

    python benchmarks/endpoint.py [--in-flight 256] [--rounds 10]

Plain: one client with default settings, `chat.completions.create` in a loop per worker, the client's own retries. Ours:
the limiter, the queue before the endpoint, our reading of replies. Printed last: CPU time per request, plain over ours.
"""

import argparse
import asyncio
import multiprocessing
import os
import socket
import time
from collections.abc import Awaitable, Callable

from callwright.agent.protocol import TEXT
from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.params import MistakeShares, TeacherParams
from callwright.standins.oracle.app import create_app
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems

LATENCY_S = 1.0
NO_MISTAKES = dict.fromkeys(MistakeShares.model_fields, 0.0)
PROBLEM = synthetic_problems({"train": 1}, held_out_test=0, seed=7)[0]
MESSAGES, _ = TEXT.render(TASKS[PROBLEM.task], PROBLEM.question, ())
KEY_ENV = "CALLWRIGHT_BENCHMARK_KEY"


def serve(port: int) -> None:
    import uvicorn

    uvicorn.run(create_app([PROBLEM], NO_MISTAKES, latency_s=LATENCY_S), port=port, log_level="error")


async def measure(name: str, ask: Callable[[], Awaitable[object]], in_flight: int, rounds: int) -> float:
    """Milliseconds of CPU per request, of this process."""

    async def work(times: int) -> None:
        for _ in range(times):
            await ask()

    await asyncio.gather(*(work(1) for _ in range(in_flight)))  # opens the connections
    began, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*(work(rounds) for _ in range(in_flight)))
    seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
    requests, ideal = in_flight * rounds, in_flight / LATENCY_S
    rate, each_ms = requests / seconds, 1000 * cpu / requests
    print(f"{name}: {rate:.0f} requests/s ({rate / ideal:.0%} of the ideal rate), {cpu / seconds:.2f} cores, ", end="")
    print(f"{each_ms:.2f} ms of CPU per request")
    return each_ms


async def run(url: str, in_flight: int, rounds: int) -> None:
    import openai

    sampling = Sampling(max_tokens=48)
    teacher = TeacherParams(
        base_url=url,
        base_urls=[],
        model="oracle",
        api_key_env=KEY_ENV,
        timeout_s=60,
        max_retries=2,
        mistakes=MistakeShares(**NO_MISTAKES),
    )
    ours, plain = EndpointChat(teacher), openai.AsyncOpenAI(base_url=url, api_key="any", timeout=60)
    while True:
        try:
            await plain.models.list()
            break
        except openai.APIConnectionError:
            await asyncio.sleep(0.2)

    async def ask_plainly() -> object:
        return await plain.chat.completions.create(model="oracle", messages=MESSAGES, max_tokens=48, seed=0)

    plain_ms = await measure("plain openai client", ask_plainly, in_flight, rounds)
    ours_ms = await measure("EndpointChat", lambda: ours.reply(MESSAGES, [], sampling), in_flight, rounds)
    await ours.close()
    await plain.close()
    print(f"CPU per request, plain over ours: {plain_ms / ours_ms:.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--in-flight", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=10)
    given = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    os.environ[KEY_ENV] = "any"
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(port,), daemon=True)
    server.start()
    try:
        asyncio.run(run(f"http://127.0.0.1:{port}/v1", given.in_flight, given.rounds))
    finally:
        server.terminate()


if __name__ == "__main__":
    main()
