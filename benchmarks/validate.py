"""How fast chains are executed again, and what 100,000 of them take from file to data docs.

    OMP_NUM_THREADS=1 python benchmarks/validate.py [CHAINS]      # 100,000 unless told otherwise; two minutes

Chains are the oracle teacher's, four of each problem in a row, of arithmetic problems that take four calculations and
the answer. The rate is in chains per second of one core's processor time (read, replay, judge, write), so that
neighbours on the machine count little. The scaling is wall clock, one process against two, the best of three each; on
a busy machine look at the processor time instead, whose ratio is what two idle cores could give at most. Memory is the
peak of this process and of its largest child, the child counted once per process.
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
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.validation.lines import Chunk, check_chunk, check_files
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
    problems = [one for one in synthetic_problems({"train": 8_000}, 0, 7) if len(one.solution) == CALLS]
    mistakes = params.teacher.mistakes.model_dump()
    attempts = islice(cycle(one for one in problems for _ in range(PER_PROBLEM)), DISTINCT)
    chains = [oracle_chain(problem, number, mistakes, 8) for number, problem in enumerate(attempts)]
    calls = sum(len(one.steps) for one in chains) / len(chains)
    print(f"{len(chains):,} chains of {len(problems):,} problems, {calls:.2f} calls each")

    rate = _rate([dumps(one) for one in chains], problems)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "chains.jsonl")
        repeated = (replace(chain, id=f"{chain.id}/{place}") for place, chain in enumerate(cycle(chains)))
        write(path, islice(repeated, count))
        scaling, at_most = _scaling(path, {problem.id: problem for problem in problems})
        seconds, memory, validated = _whole(path, problems, params)
    counts = validated.report["chains"]
    assert counts["in"] == count == counts["kept"] + counts["quarantined"]
    print(f"{count:,} chains: {counts['kept']:,} kept, correct {validated.report['correct']}")
    print(f"rate     {rate:8,.0f} chains per second and core (target: 2,000)")
    print(f"scaling  {scaling:8.2f} x with two processes (target: 1.7); at most {at_most:.2f} x by processor time")
    print(f"whole    {seconds:8.1f} s for {count:,} chains (target: 300 s for 100,000)")
    print(f"memory   {memory / GB:8.2f} GB (target: 4)")


def _rate(lines: Sequence[bytes], problems: Sequence[Problem]) -> float:
    chunk = Chunk(tuple((f"line {place}", line) for place, line in enumerate(lines)), tuple(map(dumps, problems)))
    started = time.process_time()
    assert len(check_chunk(chunk)) == len(lines)
    return len(lines) / (time.process_time() - started)


def _scaling(path: Path, problems: dict[str, Problem]) -> tuple[float, float]:
    """By wall clock, and by processor time."""
    runs = [(workers, *_seconds(path, problems, workers)) for _ in range(3) for workers in (1, 2)]
    wall, busy = (
        {workers: min(run[place] for run in runs if run[0] == workers) for workers in (1, 2)} for place in (1, 2)
    )
    for workers in (1, 2):
        print(f"{workers} process(es): {wall[workers]:.1f} s, {busy[workers]:.1f} s of processor time")
    return wall[1] / wall[2], 2 * busy[1] / busy[2]


def _seconds(path: Path, problems: dict[str, Problem], workers: int) -> tuple[float, float]:
    started, busy = time.perf_counter(), _processor_seconds()
    assert all(line.row.unreadable is None for line in check_files([path], problems, (), workers))
    return time.perf_counter() - started, _processor_seconds() - busy


def _processor_seconds() -> float:
    """Of this process and of the children that ended."""
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def _whole(path: Path, problems: Sequence[Problem], params: Params) -> tuple[float, float, ValidationResult]:
    """Seconds, bytes, and the result of the stage's work: replay, suites, data docs, writing."""
    started = time.perf_counter()
    suites = Suites(path.with_name("data_docs"))
    check_problems(problems, params.validate_, suites)
    by_id = {problem.id: problem for problem in problems}
    history = path.with_name("history.json")
    validated = validate_chains([path], by_id, {"oracle"}, params.validate_, suites, history)
    write_lines(path.with_name("validated.jsonl"), validated.kept)
    seconds = time.perf_counter() - started
    own, child = (resource.getrusage(who).ru_maxrss * 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return seconds, own + child * len(os.sched_getaffinity(0)), validated


if __name__ == "__main__":
    main()
