"""The evaluate stage: base, student, champion and teacher on the same held-out problems, by the same agent."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from callwright import paths
from callwright.errors import DataError
from callwright.evaluation.metrics import compute_metrics
from callwright.evaluation.model_evaluation import ModelEvaluation, select_comparable
from callwright.evaluation.perturb.run import variants_of
from callwright.evaluation.perturb.unseen import unseen_problems
from callwright.evaluation.run import evaluate_models
from callwright.evaluation.slices import SeenInTraining
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.problems.draw import draw_problems
from callwright.progress import work
from callwright.records import Problem
from callwright.registry.facts import current_inputs
from callwright.registry.version import Champion, find_champion
from callwright.reports.metrics import Metrics
from callwright.reports.rollout import RolloutReport
from callwright.reports.seconds import load_seconds
from callwright.storage.files import csv_text, folder_hash, write_text
from callwright.storage.jsonl import read, write
from callwright.surprises import SurpriseLog
from callwright.tasks import load_tasks
from callwright.tracking.evaluation import log_evaluation
from callwright.tracking.runs import log_to_training_run


def run(clock: Clock) -> None:
    params = Params.load()
    tasks = load_tasks(params.functions)
    problems = draw_problems(read(Problem, paths.problems("test")), params.evaluate.problems, params.seed)
    if not problems:
        raise DataError(f"{paths.problems('test')} has no problem to evaluate on: run dvc repro problems")
    seen = SeenInTraining.of(read(Problem, paths.problems("train")))
    champion = find_champion(params.promote.model_name)
    inputs = current_inputs(champion.version if champion else None)
    surprises = SurpriseLog("evaluate")
    try:
        variants = variants_of(problems, tasks, params.evaluate.robustness, params.seed, surprises)
        unseen = unseen_problems(problems, tasks, params.evaluate.robustness, params.seed, surprises)
        with _champion_weights(champion) as weights:
            evaluated = evaluate_models(
                problems,
                variants,
                tasks,
                params.evaluate,
                params.rollout,
                params.teacher,
                params.seed,
                champion=weights,
                surprises=surprises,
                unseen=unseen,
            )
    finally:
        if line := surprises.summary():
            print(f"evaluate: {line}")
    comparison = select_comparable(problems, variants, evaluated, unseen)
    problems, variants, evaluated = comparison.problems, comparison.variants, comparison.evaluated
    if line := comparison.dropped_message():
        print(f"evaluate: {line}")
    with work("metrics"):
        metrics = compute_metrics(evaluated, problems, tasks, variants, seen, params.evaluate, comparison.unseen)
    metrics = metrics.of_run(inputs, params.evaluate.engine, len(comparison.dropped))
    changed_problems = [*(each.problem for each in variants), *(each.problem for each in comparison.unseen)]
    write(paths.VARIANTS, changed_problems)
    for model, evaluation in evaluated.items():
        _write_chains(model, evaluation)
    write_text(paths.ACCURACY_PLOT, _accuracy_csv(metrics))
    metrics = metrics.with_seconds({**load_seconds(), "evaluate": clock.seconds()})
    metrics.save()
    # The rollout precedes the training whose run this is, so its report is logged here.
    rollout = RolloutReport.load().as_json() if paths.ROLLOUT_REPORT.is_file() else {}
    numbers = {**metrics.measured(), "rollout": rollout}
    with work("log to MLflow"):
        log_to_training_run(paths.STUDENT, numbers, [paths.METRICS, paths.ACCURACY_PLOT])
    log_evaluation(paths.STUDENT, evaluated, problems, tasks, metrics, params.evaluate.traces)
    _print_results(metrics)


@contextmanager
def _champion_weights(champion: Champion | None) -> Iterator[Path | None]:
    """The folder with the champion's weights while the block runs; None if there is none, or it is this student."""
    if champion is None or champion.content_hash == folder_hash(paths.STUDENT):
        yield None
        return
    with TemporaryDirectory(prefix="champion.") as folder:
        yield champion.download(Path(folder))


def _write_chains(model: str, evaluation: ModelEvaluation) -> None:
    write(paths.evaluation(model), evaluation.chains.values())
    if evaluation.samples:
        write(paths.evaluated_samples(model), chain.from_iterable(evaluation.samples.values()))
    if changed := [checked for checked in (*evaluation.variants, *evaluation.unseen) if checked is not None]:
        write(paths.evaluated_variants(model), changed)


def _accuracy_csv(metrics: Metrics) -> str:
    rows = [
        {
            "model": model,
            "slice": name,
            "accuracy": interval.value,
            "low": interval.low,
            "high": interval.high,
            "n": interval.n,
        }
        for model, slices in metrics.accuracy.items()
        for name, interval in slices.items()
    ]
    return csv_text(["model", "slice", "accuracy", "low", "high", "n"], rows)


def _print_results(metrics: Metrics) -> None:
    for model, slices in metrics.accuracy.items():
        overall = slices.overall
        print(f"evaluate: {model}: {overall.value:.1%} ({overall.low:.1%} to {overall.high:.1%})")
    for model, changes in metrics.robustness.items():
        gaps = ", ".join(f"{change} {result.gap.value:+.1%}" for change, result in changes.items())
        print(f"evaluate: {model} loses on changed problems: {gaps}")
    for model, slices in metrics.unseen.items():
        overall = slices.overall
        print(f"evaluate: {model} with unseen functions: {overall.value:.1%} of {overall.n:,} problems")


def main() -> None:
    """Run the stage as a process (see `run_stage`)."""
    run_stage("evaluate", run)


if __name__ == "__main__":
    main()
