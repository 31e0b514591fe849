"""Turn validated chains into preference pairs."""

from pathlib import Path

from callwright import paths
from callwright.params import Params
from callwright.preferences.demonstrations import demonstrations_of
from callwright.preferences.forks import pairs_from_forks
from callwright.records import CheckedChain, Problem, Split
from callwright.stage import Clock, run_stage
from callwright.storage import read, write, write_json
from callwright.tasks import load as load_tasks


def main(_: Clock) -> None:
    params = Params.load()
    load_tasks(params.functions)
    records = list(read(CheckedChain, paths.VALIDATED))
    report = {}
    outs: dict[Split, Path] = {"train": paths.PAIRS_TRAIN, "dev": paths.PAIRS_DEV}
    for split, path in outs.items():
        problems = {problem.id: problem for problem in read(Problem, paths.problems(split))}
        own = [record for record in records if record.chain.problem_id in problems]
        pairs, report[split] = pairs_from_forks(own, problems, params.pairs)
        write(path, pairs)
        print(f"pairs: {split}: {len(pairs):,} pairs from {len(problems):,} problems: {report[split]['kinds']}")
        if split == "train":
            demonstrations = demonstrations_of(own, problems)
            report[split]["demonstrations"] = len(demonstrations)
            write(paths.DEMONSTRATIONS, demonstrations)
    write_json(paths.PAIRS_REPORT, report)


if __name__ == "__main__":
    run_stage("pairs", main)
