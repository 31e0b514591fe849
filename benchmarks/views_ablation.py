"""What the number of views in training does to the student: 1 (the plain one), 4, 16, or a new view for every batch.

Trains on the pairs and demonstrations of a finished run, from its base, so that no rollout is repeated. Then solves the
run's test problems as they are, and with changed functions: all renamed (`functions`), and two that exchange their
names (`swapped`), which only reading the descriptions helps with.

    python benchmarks/views_ablation.py RUN [--seeds 10 11 12] [--problems N]    # 15 minutes a training on two cores

One seed of every arm runs before the next seed. Each training is a line of the CSV file; those that it has already are
not repeated, and one that was stopped resumes at its last checkpoint and its last answered problem. The seeds are those
of training and of the changes; the problems and pairs are the run's. Prints a Markdown table last.
"""

import argparse
import csv
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any, get_args

from views_speed import append, cpu_name

from callwright import paths
from callwright.evaluation.perturb.run import variants_of
from callwright.evaluation.plan import plan_evaluation
from callwright.evaluation.run import evaluate_target
from callwright.evaluation.target import evaluation_target
from callwright.params import Params
from callwright.params.evaluate import Perturbation
from callwright.pipeline.logs import quiet_libraries
from callwright.records import CheckedChain, Demonstration, Pair, Problem
from callwright.storage.jsonl import read
from callwright.surprises import SurpriseLog
from callwright.tasks import Tasks, load_tasks
from callwright.training.dpo import Examples, train

ARMS = ("1", "4", "16", "batch")
CHANGES = [change for change in ("functions", "swapped") if change in get_args(Perturbation)]
INPUTS = (paths.BASE, paths.PAIRS_TRAIN, paths.PAIRS_DEV, paths.DEMONSTRATIONS, paths.problems("test"))


def train_student(params: Params, tasks: Tasks) -> float:
    """Train in the current folder; returns the seconds that it took, since the last resume."""
    examples = Examples(
        tuple(read(Pair, paths.PAIRS_TRAIN)),
        tuple(read(Pair, paths.PAIRS_DEV)),
        tuple(read(Demonstration, paths.DEMONSTRATIONS)),
    )
    started = time.perf_counter()
    folders = {"student": paths.STUDENT, "adapter": paths.ADAPTER, "work": paths.WORK / "training"}
    train(paths.BASE, examples, params.train, tasks, params.views, seed=params.seed, **folders)
    return time.perf_counter() - started


def evaluate_student(params: Params, tasks: Tasks) -> dict[str, float]:
    """The student's accuracy on the test problems as they are, and after each change, in the current folder."""
    log = SurpriseLog("evaluate")
    problems = list(read(Problem, paths.problems("test")))[: params.evaluate.problems]
    variants = variants_of(problems, tasks, params.evaluate.robustness, params.seed, log)
    target = evaluation_target("student", paths.STUDENT, params.evaluate)
    plan = plan_evaluation(target, problems, variants, tasks, params.evaluate, params.rollout, params.seed)
    evaluated = evaluate_target(target, plan, tasks, params.evaluate, params.rollout, log)
    after_change: dict[str, list[CheckedChain | None]] = defaultdict(list)
    for variant, checked in zip(variants, evaluated.variants, strict=True):
        after_change[variant.change].append(checked)
    shares = {change: _share_correct(after_change[change]) for change in CHANGES}
    return {"plain": _share_correct([evaluated.chains.get(problem.id) for problem in problems]), **shares}


def _share_correct(chains: Sequence[CheckedChain | None]) -> float:
    """A failed attempt counts as wrong."""
    return sum(checked is not None and checked.verdict.correct for checked in chains) / max(len(chains), 1)


def run_arm(run: Path, work: Path, arm: str, seed: int, problems: int | None) -> dict[str, Any]:
    """Train and evaluate in a folder of its own, with links to the inputs of the run."""
    params = Params.load(run / "params.yaml")
    views = params.views.model_copy(update={"train": arm if arm == "batch" else int(arm)})
    changes = {"changes": CHANGES} if problems is None else {"changes": CHANGES, "problems": problems}
    evaluate = params.evaluate.model_copy(
        update={
            "samples": 1,
            "robustness": params.evaluate.robustness.model_copy(update=changes),
            **({} if problems is None else {"problems": problems}),
        }
    )
    params = params.model_copy(update={"seed": seed, "views": views, "evaluate": evaluate})
    folder = work / f"{arm}-{seed}"
    for path in INPUTS:
        link = folder / path
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to((run / path).resolve())
    tasks = load_tasks(params.functions)
    before = Path.cwd()
    os.chdir(folder)
    try:
        seconds = 0.0 if paths.STUDENT.is_dir() else train_student(params, tasks)
        shares = evaluate_student(params, tasks)
    finally:
        os.chdir(before)
    return {"views": arm, "seed": seed, **{name: round(share, 4) for name, share in shares.items()}} | {
        "train_seconds": round(seconds),
        "cpu": cpu_name(),
    }


def table(rows: Sequence[Mapping[str, str]]) -> Iterator[str]:
    """The mean accuracies of each arm."""
    columns = ["plain", *CHANGES]
    yield f"| views | seeds | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 2) + "|"
    for arm in ARMS:
        of_arm = [row for row in rows if row["views"] == arm]
        if of_arm:
            shares = [f"{mean(float(row[column]) for row in of_arm):.1%}" for column in columns]
            yield f"| {arm} | {', '.join(row['seed'] for row in of_arm)} | {' | '.join(shares)} |"


def read_rows(path: Path) -> list[dict[str, str]]:
    """The lines of the CSV file; none if there is no file yet."""
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--seeds", nargs="+", type=int, default=[10, 11, 12])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--problems", type=int, help="test problems, and changed ones of each kind")
    parser.add_argument("--work", type=Path, default=Path(".callwright/views_ablation"), help="students, checkpoints")
    parser.add_argument("--csv", type=Path, default=Path(".callwright/views_ablation.csv"))
    options = parser.parse_args()
    quiet_libraries()
    table_file, work, run = options.csv.resolve(), options.work.resolve(), options.run.resolve()
    for seed in options.seeds:
        for arm in options.arms:
            if any((row["views"], row["seed"]) == (arm, str(seed)) for row in read_rows(table_file)):
                continue
            row = run_arm(run, work, arm, seed, options.problems)
            append(table_file, row)
            print(row, flush=True)
    print("\n".join(table(read_rows(table_file))))


if __name__ == "__main__":
    main()
