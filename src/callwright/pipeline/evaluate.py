"""Base, student, champion and teacher on the same held-out problems, by the same agent."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from callwright import paths
from callwright.evaluation.evaluated import select_comparable
from callwright.evaluation.inputs import current_inputs
from callwright.evaluation.metrics import compute_metrics
from callwright.evaluation.perturb.run import variants_of
from callwright.evaluation.run import evaluate_models
from callwright.evaluation.slices import SeenInTraining
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.records import Problem
from callwright.registry.champion import Champion, find_champion
from callwright.storage.files import folder_hash, read_json, write_json, write_text
from callwright.storage.jsonl import read, write
from callwright.surprises import SurpriseLog
from callwright.tasks import load as load_tasks
from callwright.tracking.evaluation import log_evaluation
from callwright.tracking.runs import log_to_training_run


def main(clock: Clock) -> None:
    params = Params.load()
    load_tasks(params.functions)
    problems = list(read(Problem, paths.problems("test")))[: params.evaluate.problems]
    seen = SeenInTraining.of(read(Problem, paths.problems("train")))
    variants = variants_of(problems, params.evaluate.robustness, params.seed)
    champion = find_champion(params.promote.model_name)
    inputs = current_inputs(champion.version if champion else None)
    surprises = SurpriseLog("evaluate")
    try:
        with _other_champion(champion) as weights:
            evaluated = evaluate_models(problems, variants, params, weights, surprises)
    finally:
        if line := surprises.summary():
            print(f"evaluate: {line}")
    compared = select_comparable(problems, variants, evaluated)
    problems, variants, evaluated = compared.problems, compared.variants, compared.evaluated
    if line := compared.line():
        print(f"evaluate: {line}")
    metrics = compute_metrics(evaluated, problems, variants, seen, params.evaluate)
    metrics |= {"inputs": inputs, "engine": params.evaluate.engine, "dropped": len(compared.dropped)}
    write(paths.VARIANTS, [variant.problem for variant in variants])
    for model, one in evaluated.items():
        write(paths.evaluation(model), one.chains.values())
        if one.samples:
            write(paths.evaluated_samples(model), chain.from_iterable(one.samples.values()))
        if one.variants:
            write(paths.evaluated_variants(model), filter(None, one.variants))
    write_text(paths.ACCURACY_PLOT, _plot(metrics["accuracy"]))
    earlier = {}
    for path in sorted(paths.SECONDS.glob("*.json")):
        earlier.update(read_json(path))
    metrics["seconds"] = {**earlier, "evaluate": clock.seconds()}
    write_json(paths.METRICS, metrics)
    # The rollout ran before the training whose run this is, so what it used is logged here.
    rollout = read_json(paths.ROLLOUT_REPORT) if paths.ROLLOUT_REPORT.is_file() else {}
    log_to_training_run(paths.STUDENT, {**metrics, "rollout": rollout}, [paths.METRICS, paths.ACCURACY_PLOT])
    log_evaluation(paths.STUDENT, evaluated, problems, metrics, params.evaluate.traces)
    for model, slices in metrics["accuracy"].items():
        overall = slices["overall"]
        print(f"evaluate: {model}: {overall['value']:.1%} ({overall['low']:.1%} to {overall['high']:.1%})")
    for model, changes in metrics.get("robustness", {}).items():
        gaps = ", ".join(f"{change} {one['gap']['value']:+.1%}" for change, one in changes.items())
        print(f"evaluate: {model} loses on changed problems: {gaps}")


@contextmanager
def _other_champion(champion: Champion | None) -> Iterator[Path | None]:
    """The folder with the champion's weights while it is evaluated; None if there is none, or it is this student."""
    if champion is None or champion.content == folder_hash(paths.STUDENT):
        yield None
        return
    with TemporaryDirectory(prefix="champion.") as folder:
        yield champion.download(Path(folder))


def _plot(accuracy: dict[str, dict[str, dict[str, float]]]) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["model", "slice", "accuracy", "low", "high", "n"])
    for model, slices in accuracy.items():
        for name, one in slices.items():
            rows.writerow([model, name, one["value"], one["low"], one["high"], one["n"]])
    return text.getvalue()


if __name__ == "__main__":
    run_stage("evaluate", main)
