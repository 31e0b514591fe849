"""The pairs stage: turn validated chains into preference pairs, check the pairs, and show samples of both."""

from pathlib import Path

from callwright import paths
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.preferences.demonstrations import demonstrations_of
from callwright.preferences.forks import pairs_from_forks
from callwright.records import CheckedChain, Pair, Problem, Split
from callwright.reporting.data_docs import write_checks
from callwright.reporting.samples import write_samples
from callwright.reports.pairs import PairsReport, SplitPairs
from callwright.storage.jsonl import read, write
from callwright.tasks import load_tasks
from callwright.validation.suites.pairs import check_pairs
from callwright.validation.suites.suite import Suites, checks_report, raise_if_critical_failed, warning_lines


def run(_: Clock) -> None:
    params = Params.load()
    tasks = load_tasks(params.functions)
    chains = list(read(CheckedChain, paths.VALIDATED))
    reports: dict[Split, SplitPairs] = {}
    outs: dict[Split, Path] = {"train": paths.PAIRS_TRAIN, "dev": paths.PAIRS_DEV}
    all_pairs: list[Pair] = []
    problems_by_id: dict[str, Problem] = {}
    for split, path in outs.items():
        problems = {problem.id: problem for problem in read(Problem, paths.problems(split))}
        pairs, report = pairs_from_forks(chains, problems, tasks, params.pairs, workers=None)
        write(path, pairs)
        print(f"pairs: {split}: {len(pairs):,} pairs from {len(problems):,} problems: {report.kinds}")
        all_pairs += pairs
        problems_by_id |= problems
        if split == "train":
            train_chains = [checked for checked in chains if checked.chain.problem_id in problems]
            demonstrations = demonstrations_of(train_chains, problems, tasks)
            report = report.with_demonstrations(len(demonstrations))
            write(paths.DEMONSTRATIONS, demonstrations)
        reports[split] = report
    problems_by_id |= {problem.id: problem for problem in read(Problem, paths.problems("test"))}
    suites = Suites(paths.PAIRS_DOCS)
    checks = check_pairs(all_pairs, problems_by_id, tasks, chains, params.pairs.min_margin, params.validate_, suites)
    write_checks(paths.PAIRS_DOCS, suites)
    PairsReport(train=reports["train"], dev=reports["dev"], checks=checks_report(checks)).save()
    for line in warning_lines(checks):
        print(f"pairs: warning: {line}")
    raise_if_critical_failed(checks)
    write_samples(paths.SAMPLES, chains, all_pairs, problems_by_id)


def main() -> None:
    """Run the stage as a process (see `run_stage`)."""
    run_stage("pairs", run)


if __name__ == "__main__":
    main()
