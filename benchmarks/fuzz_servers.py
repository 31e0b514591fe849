"""Thousands of answers that no server should give: how each ends, and how long the slowest takes.

The real client, a socket, and bytes from the tests' strategy (tests/chat/openai/hostile_servers.py). It takes about a
minute:

    python benchmarks/fuzz_servers.py [--answers 5000]

Every answer has to end in a reply or in a RequestFailedError with a printable line: anything else ends the run and
shows the answer. Printed last: how often each end occurred, and the slowest answer.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.chat.openai.hostile_servers import answers, check, client_for, serve_canned

from callwright.chat.model import Reply


def fuzz(count: int) -> tuple[Counter[str], list[float]]:
    """How the answers ended, and the seconds for each."""
    ends: Counter[str] = Counter()
    seconds: list[float] = []
    with asyncio.Runner() as runner:
        server = serve_canned()
        raw = runner.run(server.__aenter__())
        client = client_for(raw, timeout_s=60)

        @settings(
            max_examples=count,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(answers())
        def every_answer(answer: bytes) -> None:
            began = time.perf_counter()
            outcome = runner.run(check(raw, client, answer))
            seconds.append(time.perf_counter() - began)
            ends["a reply" if isinstance(outcome, Reply) else outcome.error.reason] += 1

        every_answer()
        runner.run(client.close())
        runner.run(server.__aexit__(None, None, None))
    return ends, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=5_000)
    ends, seconds = fuzz(parser.parse_args().answers)
    for end, times in ends.most_common():
        print(f"{times:6,} {end}")
    seconds.sort()
    median, slowest = 1000 * seconds[len(seconds) // 2], 1000 * seconds[-1]
    print(f"{len(seconds):,} answers: median {median:.1f} ms, slowest {slowest:.0f} ms")


if __name__ == "__main__":
    main()
