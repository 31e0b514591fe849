"""Turn validated chains into preference pairs, check them, and show samples of both."""

from pathlib import Path

from callwright import paths
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.preferences.demonstrations import demonstrations_of
from callwright.preferences.forks import pairs_from_forks
from callwright.records import CheckedChain, Pair, Problem, Split
from callwright.reporting.data_docs import write_checks
from callwright.reporting.samples import write_samples
from callwright.storage.files import write_json
from callwright.storage.jsonl import read, write
from callwright.tasks import load as load_tasks
from callwright.validation.suites.pairs import check_pairs
from callwright.validation.suites.suite import Suites, checks_report, raise_if_critical_failed, warning_lines


def main(_: Clock) -> None:
    params = Params.load()
    load_tasks(params.functions)
    records = list(read(CheckedChain, paths.VALIDATED))
    report = {}
    outs: dict[Split, Path] = {"train": paths.PAIRS_TRAIN, "dev": paths.PAIRS_DEV}
    every: list[Pair] = []
    every_problem: dict[str, Problem] = {}
    for split, path in outs.items():
        problems = {problem.id: problem for problem in read(Problem, paths.problems(split))}
        pairs, report[split] = pairs_from_forks(records, problems, params.pairs)
        write(path, pairs)
        print(f"pairs: {split}: {len(pairs):,} pairs from {len(problems):,} problems: {report[split]['kinds']}")
        every += pairs
        every_problem |= problems
        if split == "train":
            own = [record for record in records if record.chain.problem_id in problems]
            demonstrations = demonstrations_of(own, problems)
            report[split]["demonstrations"] = len(demonstrations)
            write(paths.DEMONSTRATIONS, demonstrations)
    every_problem |= {problem.id: problem for problem in read(Problem, paths.problems("test"))}
    suites = Suites(paths.PAIRS_DOCS)
    checks = check_pairs(every, every_problem, records, params.pairs.min_margin, params.validate_, suites)
    write_checks(paths.PAIRS_DOCS, suites)
    write_json(paths.PAIRS_REPORT, {**report, "checks": checks_report(checks)})
    for line in warning_lines(checks):
        print(f"pairs: warning: {line}")
    raise_if_critical_failed(checks)
    write_samples(paths.SAMPLES, records, every, every_problem)


if __name__ == "__main__":
    run_stage("pairs", main)
