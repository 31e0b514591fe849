"""What the number of views in training does to the student: 1 (the plain one), 4, 16, or a new view for every batch.

Trains on the pairs and demonstrations of a finished run, from its base, so that no rollout is repeated. Then solves the
run's test problems as they are, and with changed functions: all renamed (`functions`), and two that exchange their
names (`swapped`), which only reading the descriptions helps with.

    python benchmarks/views_ablation.py RUN [--seeds 10 11 12] [--problems N]    # 15 minutes a training on two cores

One seed of every arm runs before the next seed. Each training appends its figures to the CSV file (`measurements.py`
has its columns; the seconds of a training that was resumed are left out). Those that it has already, of the same
commit, inputs and N, are not repeated; one that was stopped resumes at its last checkpoint and its last answered
problem. The seeds are those of training and of the changes; the pairs and problems are the run's, N of them drawn
evenly from all tasks. Prints a Markdown table of this commit, these inputs and this N last.
"""

import argparse
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from statistics import mean

from measurements import Figure, Key, append_figures, committed, processor, read_figures, run_name

from callwright import paths
from callwright.errors import CallwrightError
from callwright.evaluation.perturb.run import variants_of
from callwright.evaluation.plan import plan_evaluation
from callwright.evaluation.run import evaluate_target
from callwright.evaluation.target import evaluation_target
from callwright.params import Params
from callwright.pipeline.logs import quiet_libraries
from callwright.problems.draw import draw_problems
from callwright.records import CheckedChain, Demonstration, Pair, Problem
from callwright.storage.jsonl import read
from callwright.surprises import SurpriseLog
from callwright.tasks import Tasks, load_tasks
from callwright.training.dpo import Examples, train

ARMS = ("1", "4", "16", "batch")
CHANGES = ["functions", "swapped"]
INPUTS = (paths.BASE, paths.PAIRS_TRAIN, paths.PAIRS_DEV, paths.DEMONSTRATIONS, paths.problems("test"))


def train_student(params: Params, tasks: Tasks) -> list[Figure]:
    """Train in the current folder; returns the seconds that it took, unless it was resumed."""
    work = paths.WORK / "training"
    resumed = work.exists()
    examples = Examples(
        tuple(read(Pair, paths.PAIRS_TRAIN)),
        tuple(read(Pair, paths.PAIRS_DEV)),
        tuple(read(Demonstration, paths.DEMONSTRATIONS)),
    )
    started = time.perf_counter()
    folders = {"student": paths.STUDENT, "adapter": paths.ADAPTER, "work": work}
    train(paths.BASE, examples, params.train, tasks, params.views, seed=params.seed, **folders)
    return [] if resumed else [Figure("seconds", "", "train", round(time.perf_counter() - started))]


def evaluate_student(params: Params, tasks: Tasks) -> list[Figure]:
    """The student's accuracy on the test problems as they are, and after each change, in the current folder."""
    log = SurpriseLog("evaluate")
    problems = draw_problems(read(Problem, paths.problems("test")), params.evaluate.problems, params.seed)
    variants = variants_of(problems, tasks, params.evaluate.robustness, params.seed, log)
    target = evaluation_target("student", paths.STUDENT, params.evaluate)
    plan = plan_evaluation(target, problems, variants, tasks, params.evaluate, params.rollout, params.seed)
    evaluated = evaluate_target(target, plan, tasks, params.evaluate, params.rollout, log)
    after_change: dict[str, list[CheckedChain | None]] = defaultdict(list)
    for variant, checked in zip(variants, evaluated.variants, strict=True):
        after_change[variant.change].append(checked)
    plain = [evaluated.chains.get(problem.id) for problem in problems]
    changed = [_share_correct("changed", change, after_change[change]) for change in CHANGES]
    return [_share_correct("accuracy", "plain", plain), *changed]


def _share_correct(kind: str, name: str, chains: Sequence[CheckedChain | None]) -> Figure:
    """A failed attempt counts as wrong."""
    correct = sum(checked is not None and checked.verdict.correct for checked in chains)
    return Figure(kind, "student", name, round(correct / max(len(chains), 1), 4), len(chains))


def run_arm(run: Path, folder: Path, arm: str, seed: int, problems: int | None) -> list[Figure]:
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
    link_inputs(run, folder)
    tasks = load_tasks(params.functions)
    before = Path.cwd()
    os.chdir(folder)
    try:
        trained = [] if paths.STUDENT.is_dir() else train_student(params, tasks)
        return [*evaluate_student(params, tasks), *trained]
    finally:
        os.chdir(before)


def link_inputs(run: Path, folder: Path) -> None:
    """Make links to the inputs of a run; one to another run is replaced."""
    for path in INPUTS:
        link, target = folder / path, (run / path).resolve()
        link.parent.mkdir(parents=True, exist_ok=True)
        if link.is_symlink() and link.readlink() != target:
            link.unlink()
        if not link.is_symlink():
            link.symlink_to(target)


def table(runs: Iterable[tuple[Key, Sequence[Figure]]]) -> Iterator[str]:
    """The mean accuracies of each arm."""
    columns = ["plain", *CHANGES]
    measured = list(runs)
    yield f"| views | seeds | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 2) + "|"
    for arm in ARMS:
        of_arm = [
            (key.seed, {figure.name: figure.value for figure in figures}) for key, figures in measured if key.arm == arm
        ]
        if of_arm:
            shares = [f"{mean(values[column] for _, values in of_arm):.1%}" for column in columns]
            yield f"| {arm} | {', '.join(seed for seed, _ in of_arm)} | {' | '.join(shares)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--seeds", nargs="+", type=int, default=[10, 11, 12])
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=ARMS)
    parser.add_argument("--problems", type=int, help="test problems, and changed ones of each kind")
    parser.add_argument("--work", type=Path, default=Path(".callwright/views_ablation"), help="students, checkpoints")
    parser.add_argument("--csv", type=Path, default=Path(".callwright/views_ablation.csv"))
    parser.add_argument("--uncommitted", action="store_true", help="allow uncommitted changes; for trying things out")
    options = parser.parse_args()
    if options.problems is not None and options.problems < 1:
        parser.error("--problems must be above 0")
    quiet_libraries()
    table_file, work, run = options.csv.resolve(), options.work.resolve(), options.run.resolve()
    inputs = f"{run_name(run, INPUTS)}-{options.problems or 'all'}"
    commit = committed(options.uncommitted)
    cpu, threads = processor(), os.environ.get("OMP_NUM_THREADS", "")
    for seed in options.seeds:
        for arm in options.arms:
            key = Key(commit, inputs, cpu, threads, arm, str(seed))
            if key in read_figures(table_file):
                continue
            folder = work / f"{arm}-{seed}-{commit}-{inputs}"
            try:
                figures = run_arm(run, folder, arm, seed, options.problems)
            except CallwrightError as error:
                sys.exit(f"{run}: {error}")
            append_figures(table_file, key, figures)
            print(arm, seed, *(f"{figure.name} {figure.value:g}" for figure in figures), flush=True)
    of_inputs = [
        each for each in read_figures(table_file).items() if (each[0].commit, each[0].overlay) == (commit, inputs)
    ]
    print(f"commit {commit}, run and number of problems {inputs}; {cpu}")
    print("\n".join(table(of_inputs)))


if __name__ == "__main__":
    main()
