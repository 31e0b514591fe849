"""Twenty SIGKILLs in one rollout: no finished attempt is requested again, and the result is the same."""

import json
import multiprocessing
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from callwright.records import Problem
from callwright.rollouts.journal import JournalEntry
from callwright.storage.jsonl import read, write
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from tests.rollouts import teacher_process
from tests.rollouts.teacher_process import CHAINS, CONCURRENCY
from tests.working_tree import ROOT

pytestmark = pytest.mark.slow
KILLS = 20
LATENCY_S = 0.05
MAX_LIFE_S = 0.5  # after the first request of a rollout; a fifth of them is killed earlier, during the start
AttemptId = tuple[str, int]  # an attempt as the endpoint sees it: question and seed


class Oracle:
    """The oracle in another process, with the requests that it got."""

    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self.url = f"{self._address}/v1"

    def requests(self, start: int = 0) -> list[AttemptId]:
        """The attempt of each request so far, without the first `start` requests."""
        with urllib.request.urlopen(f"{self._address}/requests/{start}", timeout=10) as response:
            return [(question, seed) for question, seed in json.load(response)]


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    by_question = {problem.question: problem for problem in synthetic_problems({"train": 120}, 0, seed=3)}
    write(tmp_path / "problems.jsonl", by_question.values())
    return tmp_path / "problems.jsonl"


@pytest.fixture
def oracle(problems: Path, tmp_path: Path) -> Iterator[Oracle]:
    port = tmp_path / "port"
    command = [sys.executable, "-m", "tests.rollouts.oracle_process", str(problems), str(port), str(LATENCY_S)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            deadline = time.monotonic() + 60
            while not (port.exists() and port.read_text()):
                assert time.monotonic() < deadline, "the oracle did not start"
                assert process.poll() is None
                time.sleep(0.05)
            yield Oracle(int(port.read_text()))
        finally:
            process.terminate()


@contextmanager
def start_rollout(problems: Path, oracle: Oracle, folder: Path) -> Iterator[BaseProcess]:
    """A rollout in a separate process, forked from one that has imported everything, so that it starts fast."""
    fork = multiprocessing.get_context("forkserver")
    fork.set_forkserver_preload(["openai.resources.chat", "filelock", "tests.rollouts.teacher_process"])
    process = fork.Process(target=teacher_process.main, args=(problems, oracle.url, folder))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def journaled_attempts(folder: Path, questions: dict[str, str]) -> set[AttemptId]:
    """The attempts whose lines in the journal are complete.

    Args:
        questions: by problem id.
    """
    path = folder / "journal.jsonl"
    if not path.exists():
        return set()
    complete = folder / "complete.jsonl"
    complete.write_bytes(path.read_bytes()[: path.read_bytes().rfind(b"\n") + 1])
    chains = [entry.chain for entry in read(JournalEntry, complete)]
    return {(questions[chain.problem_id], 7_000 + int(chain.id.rpartition("/")[2])) for chain in chains}


def test_twenty_kills_change_no_chain_and_repeat_only_requests_in_flight(
    problems: Path, oracle: Oracle, tmp_path: Path
):
    questions = {problem.id: problem.question for problem in read(Problem, problems)}
    uninterrupted, killed = tmp_path / "uninterrupted", tmp_path / "killed"
    with start_rollout(problems, oracle, uninterrupted) as rollout:
        rollout.join()
        assert rollout.exitcode == 0
    needed_requests = len(oracle.requests()) - 1  # without the probe
    rng = random.Random(time.time_ns())
    journaled_before = set[AttemptId]()
    repeated = probes = 0
    for _ in range(KILLS):
        earlier = len(oracle.requests())
        with start_rollout(problems, oracle, killed) as rollout:
            if rng.random() > 0.2:
                while not oracle.requests(earlier):
                    assert rollout.is_alive()
                    time.sleep(0.01)
            time.sleep(rng.uniform(0, MAX_LIFE_S))
            rollout.kill()
            rollout.join()
            assert rollout.exitcode == -signal.SIGKILL, "the rollout ended before it was killed: give it more problems"
        time.sleep(2 * LATENCY_S)  # until requests in flight have arrived
        requests = oracle.requests(earlier)
        assert journaled_before.isdisjoint(requests)  # no journaled attempt was requested again
        journaled = journaled_attempts(killed, questions)
        assert journaled_before <= journaled
        unfinished = [attempt for attempt in requests if attempt not in journaled]
        assert len(set(unfinished)) <= CONCURRENCY  # no more than were in flight
        repeated += len(unfinished)
        probes += bool(requests) and requests[0] in journaled  # other probes are among the unfinished attempts
        journaled_before = journaled
    with start_rollout(problems, oracle, killed) as rollout:
        rollout.join()
        assert rollout.exitcode == 0
    assert len(journaled_before) < CHAINS * len(questions)  # the last run had attempts to make
    assert (killed / "chains.jsonl").read_bytes() == (uninterrupted / "chains.jsonl").read_bytes()
    all_requests = len(oracle.requests()) - needed_requests - 1  # of the killed rollout
    assert all_requests == needed_requests + repeated + probes + 1
