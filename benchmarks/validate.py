"""The speed of replaying chains, and the time and memory for validating 100,000 chains.

    OMP_NUM_THREADS=1 python benchmarks/validate.py [CHAINS]      # default 100,000; two minutes

The oracle teacher makes four consecutive chains for each arithmetic problem with four calculations and the answer. The
rate is in chains per second of one core's processor time (read, replay, judge, write), so other work on the machine has
little effect. The scaling is wall-clock time, one process against two, the best of three runs each; on a busy machine
look at the ratio by processor time, which is the most that two idle cores could give. Memory is the peak of this
process plus the peak of its largest child, which is counted once per process.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path

from oracle_chains import oracle_chain

from callwright.params import Params
from callwright.pipeline.logs import quiet_libraries
from callwright.records import Problem
from callwright.storage.jsonl import dumps, write, write_lines
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.validation.lines import LineShard, check_files, check_line_shard
from callwright.validation.quality import ValidationResult, validate_chains
from callwright.validation.suites.problems import check_problems
from callwright.validation.suites.suite import Suites

CALLS = 5  # four calculations and the answer
DISTINCT, PER_PROBLEM = 10_000, 4  # chains
GB = 2**30


def main() -> None:
    quiet_libraries()
    count = int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else 100_000
    params = Params.load(Path(__file__).parents[1] / "params.yaml")
    problems = [problem for problem in synthetic_problems({"train": 8_000}, 0, 7) if len(problem.solution) == CALLS]
    mistakes = params.teacher.mistakes.model_dump()
    attempts = islice(cycle(problem for problem in problems for _ in range(PER_PROBLEM)), DISTINCT)
    chains = [oracle_chain(problem, number, mistakes, 8) for number, problem in enumerate(attempts)]
    calls = sum(len(chain.steps) for chain in chains) / len(chains)
    print(f"{len(chains):,} chains of {len(problems):,} problems, {calls:.2f} calls each")

    rate = _rate([dumps(chain) for chain in chains], problems)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "chains.jsonl")
        repeated = (replace(chain, id=f"{chain.id}/{number}") for number, chain in enumerate(cycle(chains)))
        write(path, islice(repeated, count))
        scaling, at_most = _scaling(path, {problem.id: problem for problem in problems})
        seconds, memory, validated = _run_validation(path, problems, params)
    counts = validated.report.chains
    assert counts.read == count == counts.kept + counts.quarantined
    print(f"{count:,} chains: {counts.kept:,} kept, correct {validated.report.correct}")
    print(f"rate     {rate:8,.0f} chains per second and core (target: 2,000)")
    print(f"scaling  {scaling:8.2f} x with two processes (target: 1.7); at most {at_most:.2f} x by processor time")
    print(f"whole    {seconds:8.1f} s for {count:,} chains (target: 300 s for 100,000)")
    print(f"memory   {memory / GB:8.2f} GB (target: 4)")


def _rate(lines: Sequence[bytes], problems: Sequence[Problem]) -> float:
    numbered = tuple((f"line {number}", line) for number, line in enumerate(lines))
    shard = LineShard(numbered, tuple(map(dumps, problems)))
    started = time.process_time()
    assert len(check_line_shard(TASKS, shard)) == len(lines)
    return len(lines) / (time.process_time() - started)


def _scaling(path: Path, problems: dict[str, Problem]) -> tuple[float, float]:
    """The speed-up by two processes: in wall-clock time, and at most (by processor time)."""
    runs = [(workers, *_seconds(path, problems, workers)) for _ in range(3) for workers in (1, 2)]
    wall, processor = (
        {workers: min(run[column] for run in runs if run[0] == workers) for workers in (1, 2)} for column in (1, 2)
    )
    for workers in (1, 2):
        print(f"{workers} process(es): {wall[workers]:.1f} s, {processor[workers]:.1f} s of processor time")
    return wall[1] / wall[2], 2 * processor[1] / processor[2]


def _seconds(path: Path, problems: dict[str, Problem], workers: int) -> tuple[float, float]:
    """Wall-clock and processor time for checking a file."""
    started, processor_started = time.perf_counter(), _processor_seconds()
    assert all(line.row.unreadable is None for line in check_files([path], problems, TASKS, workers))
    return time.perf_counter() - started, _processor_seconds() - processor_started


def _processor_seconds() -> float:
    """Processor time of this process and of its finished children."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _run_validation(path: Path, problems: Sequence[Problem], params: Params) -> tuple[float, float, ValidationResult]:
    """Do the work of the stage: replay, suites, data docs, writing. Returns seconds, bytes, and the result."""
    started = time.perf_counter()
    suites = Suites(path.with_name("data_docs"))
    check_problems(problems, TASKS, params.validate_, suites)
    by_id = {problem.id: problem for problem in problems}
    history = path.with_name("history.json")
    validated = validate_chains([path], by_id, TASKS, {"oracle"}, params.validate_, suites, history)
    write_lines(path.with_name("validated.jsonl"), validated.kept)
    seconds = time.perf_counter() - started
    parent, child = (
        resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return seconds, parent + child * len(os.sched_getaffinity(0)), validated


if __name__ == "__main__":
    main()
