"""GSM8K, FOLIO and ProofWriter with the oracle's chains through validate and pairs: counts, reasons and times.

    OMP_NUM_THREADS=1 python benchmarks/real_data.py FOLDER [gsm8k] [folio] [proofwriter]

FOLDER contains one folder per set, with the files of its repository. There are four chains per problem of train and
dev, with the mistakes of params.yaml. The last line names a folder with the data docs, to open in a browser.
"""

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import get_args

from oracle_chains import oracle_chain

from callwright.agent.parsing.parse import parse_call
from callwright.params import Params
from callwright.pipeline.logs import quiet_libraries
from callwright.preferences.forks import pairs_from_forks
from callwright.problems.load import load_problems, raise_if_unusable
from callwright.problems.public import PublicSource
from callwright.records import SPLITS, Chain, Problem
from callwright.reporting.data_docs import write_index
from callwright.storage.jsonl import write
from callwright.tasks import TASKS
from callwright.validation.quality import raise_if_too_many_quarantined, validate_chains
from callwright.validation.suites.pairs import check_pairs
from callwright.validation.suites.problems import check_problems
from callwright.validation.suites.suite import Suites, raise_if_critical_failed, warning_lines

CHAINS = 4
MAX_STEPS = 40  # problems with many premises or large formulas need many


def main() -> None:
    quiet_libraries()
    folder, names = Path(sys.argv[1]), sys.argv[2:] or list(get_args(PublicSource))
    params = Params.load(Path(__file__).parents[1] / "params.yaml")
    out = Path(tempfile.mkdtemp(prefix="real_data_"))
    for name in names:
        look_at(name, folder / name, params, out / name)
    print(f"data docs: {out}/<set>/data_docs/index.html")


def look_at(name: str, source: Path, params: Params, out: Path) -> None:
    settings = params.problems.model_dump()
    public = {"train": None, "dev": 100, "test": None}
    wanted = type(params.problems).model_validate({**settings, "source": name, "path": str(source), "public": public})
    loaded = load_problems(wanted, params.seed, TASKS, parse_call)
    raise_if_unusable(loaded, wanted.max_left_out, out / "left_out.jsonl")
    by_split = loaded.splits
    problems = {problem.id: problem for split in SPLITS for problem in by_split[split]}
    print(f"{name}: {loaded.rows_read:,} rows, {len(problems):,} problems, left out: {dict(loaded.reasons)}")

    clock = Clock()
    path = out / "chains.jsonl"
    count = write(path, (chain for problem in problems.values() for chain in _chains(problem, params)))
    print(f"  rolled out: {count:,} chains {clock.lap()}")
    suites = Suites(out / "data_docs/chains")
    checks = check_problems(list(problems.values()), TASKS, params.validate_, suites)
    validated = validate_chains([path], problems, TASKS, {"oracle"}, params.validate_, suites, out / "history.json")
    counts = validated.report["chains"]
    print(f"  validate:   {counts}, correct {validated.report.get('correct')} {clock.lap()}")
    print(f"              first faults {validated.report.get('first_faults')}")
    for line in validated.quarantined[:5]:
        print(f"              {line.where.rpartition('/')[2]}: {line.reasons}")

    records = validated.records()
    pairs = []
    for split in ("train", "dev"):
        split_problems = {problem.id: problem for problem in by_split[split]}
        split_records = [record for record in records if record.chain.problem_id in split_problems]
        split_pairs, _ = pairs_from_forks(split_records, split_problems, TASKS, params.pairs)
        pairs += split_pairs
    kinds = dict(Counter(pair.kind for pair in pairs).most_common())
    print(f"  pairs:      {len(pairs):,}: {kinds} {clock.lap()}")
    minimum = params.pairs.min_margin
    checks += validated.checks
    checks += check_pairs(pairs, problems, TASKS, records, minimum, params.validate_, Suites(out / "data_docs/pairs"))
    print(f"  checked:    {len(checks)} checks, {sum(not check.success for check in checks)} failed {clock.lap()}")
    write_index(out / "data_docs/index.html")
    for line in warning_lines(checks):
        print(f"  warning:    {line}")
    raise_if_too_many_quarantined(validated, params.validate_.max_quarantined_share)
    raise_if_critical_failed(checks)


class Clock:
    """Seconds since the last lap, as text."""

    def __init__(self) -> None:
        self.last = time.perf_counter()

    def lap(self) -> str:
        before, self.last = self.last, time.perf_counter()
        return f"({self.last - before:.1f} s)"


def _chains(problem: Problem, params: Params) -> list[Chain]:
    if problem.split == "test" or not problem.solution:
        return []
    mistakes = params.teacher.mistakes.model_dump()
    return [oracle_chain(problem, number, mistakes, MAX_STEPS) for number in range(CHAINS)]


if __name__ == "__main__":
    main()
