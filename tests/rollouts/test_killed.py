"""SIGKILL, twenty times in one rollout: nothing that was finished is asked again, and the result is the same."""

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
LONGEST_LIFE_S = 0.5  # after its first request; a fifth is killed before, while it starts
Asked = tuple[str, int]  # an attempt, as the endpoint sees it: question and seed


class Oracle:
    def __init__(self, port: int) -> None:
        self._address = f"http://127.0.0.1:{port}"
        self.url = f"{self._address}/v1"

    def asked(self, earlier: int = 0) -> list[Asked]:
        """The attempt of each request so far, but for so many earlier ones."""
        with urllib.request.urlopen(f"{self._address}/asked/{earlier}", timeout=10) as answer:
            return [(question, seed) for question, seed in json.load(answer)]


@pytest.fixture
def problems(tmp_path: Path) -> Path:
    found = {problem.question: problem for problem in synthetic_problems({"train": 120}, 0, seed=3)}
    write(tmp_path / "problems.jsonl", found.values())
    return tmp_path / "problems.jsonl"


@pytest.fixture
def oracle(problems: Path, tmp_path: Path) -> Iterator[Oracle]:
    port = tmp_path / "port"
    command = [sys.executable, "-m", "tests.rollouts.oracle_process", str(problems), str(port), str(LATENCY_S)]
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            end = time.monotonic() + 60
            while not (port.exists() and port.read_text()):
                assert time.monotonic() < end, "the oracle did not start"
                assert process.poll() is None
                time.sleep(0.05)
            yield Oracle(int(port.read_text()))
        finally:
            process.terminate()


@contextmanager
def started(problems: Path, oracle: Oracle, folder: Path) -> Iterator[BaseProcess]:
    """A rollout in a process of its own, forked from one that has imported everything: it is at work in no time."""
    fork = multiprocessing.get_context("forkserver")
    fork.set_forkserver_preload(["openai.resources.chat", "filelock", "tests.rollouts.teacher_process"])
    process = fork.Process(target=teacher_process.main, args=(problems, oracle.url, folder))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def finished(folder: Path, asked_with: dict[str, str]) -> set[Asked]:
    """The attempts whose lines are whole in the journal."""
    path = folder / "journal.jsonl"
    if not path.exists():
        return set()
    whole = folder / "whole.jsonl"
    whole.write_bytes(path.read_bytes()[: path.read_bytes().rfind(b"\n") + 1])
    chains = [record.chain for record in read(JournalEntry, whole)]
    return {(asked_with[chain.problem_id], 7_000 + int(chain.id.rpartition("/")[2])) for chain in chains}


def test_twenty_kills_change_nothing_and_cost_only_what_was_in_flight(problems: Path, oracle: Oracle, tmp_path: Path):
    question_of = {problem.id: problem.question for problem in read(Problem, problems)}
    calm, killed = tmp_path / "calm", tmp_path / "killed"
    with started(problems, oracle, calm) as run:
        run.join()
        assert run.exitcode == 0
    minimum = len(oracle.asked()) - 1  # less the probe
    moments = random.Random(time.time_ns())
    before = set[Asked]()
    repeated = probes = 0
    for _ in range(KILLS):
        earlier = len(oracle.asked())
        with started(problems, oracle, killed) as run:
            if moments.random() > 0.2:
                while not oracle.asked(earlier):
                    assert run.is_alive()
                    time.sleep(0.01)
            time.sleep(moments.uniform(0, LONGEST_LIFE_S))
            run.kill()
            run.join()
            assert run.exitcode == -signal.SIGKILL, "the rollout ended before it could be killed: give it more problems"
        time.sleep(2 * LATENCY_S)  # what was on its way arrives
        asked = oracle.asked(earlier)
        assert before.isdisjoint(asked)  # nothing that was in the journal was asked again
        now = finished(killed, question_of)
        assert before <= now
        lost = [attempt for attempt in asked if attempt not in now]
        assert len(set(lost)) <= CONCURRENCY  # no more than were in flight
        repeated += len(lost)
        probes += bool(asked) and asked[0] in now  # its answer was not needed; the other probes are among the lost
        before = now
    with started(problems, oracle, killed) as run:
        run.join()
        assert run.exitcode == 0
    assert len(before) < CHAINS * len(question_of)  # there was something left to do
    assert (killed / "chains.jsonl").read_bytes() == (calm / "chains.jsonl").read_bytes()
    everything = len(oracle.asked()) - minimum - 1  # of the killed rollout
    assert everything == minimum + repeated + probes + 1
