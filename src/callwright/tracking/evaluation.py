"""What MLflow shows of an evaluation, in the run that trained the student: a table, plots, traces."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from callwright.evaluation.evaluated import ModelEvaluation
from callwright.paths import TRAINING_FILE
from callwright.records import Problem
from callwright.reporting.charts import in_display_order
from callwright.reporting.drawing import plots
from callwright.storage.files import read_json
from callwright.text import escape_controls
from callwright.tracking.runs import pipeline_run
from callwright.tracking.traces import log_traces

TABLE_ARTIFACT = "reports/evaluation.json"


def log_evaluation(
    student: Path,
    evaluated: Mapping[str, ModelEvaluation],
    problems: Sequence[Problem],
    metrics: Mapping[str, Any],
    traces: int,
) -> None:
    """Add the table, the plots and the traces to the student's run; those of an earlier evaluation are replaced.

    Args:
        student: its folder; training.json in it names the training.
        evaluated: by model, as in `callwright.evaluation.metrics.compute_metrics`.
        traces: of each model.

    Raises:
        ProviderError: the tracking server cannot be used.
    """
    import mlflow

    with pipeline_run(read_json(student / TRAINING_FILE)["key"]) as run_id:
        _log_table(run_id, evaluation_table(evaluated, problems))
        for name, picture in plots(metrics).items():
            mlflow.log_text(picture, f"reports/{name}.svg")
        log_traces(run_id, evaluated, problems, traces)


def evaluation_table(evaluated: Mapping[str, ModelEvaluation], problems: Sequence[Problem]) -> dict[str, list[Any]]:
    """A row per problem: question and answer, and of each model its answer, whether it is correct, its first fault.

    What JSON cannot hold in a text, such as half a character, shows as its escape.
    """
    columns: dict[str, list[Any]] = {
        "problem": [escape_controls(one.id) for one in problems],
        "task": [one.task for one in problems],
        "question": [escape_controls(one.question) for one in problems],
        "answer": [escape_controls(one.answer) for one in problems],
    }
    for model in in_display_order(evaluated):
        records = [evaluated[model].chains[one.id] for one in problems]
        columns[f"{model} answer"] = [
            None if one.chain.answer is None else escape_controls(one.chain.answer) for one in records
        ]
        columns[f"{model} correct"] = [one.verdict.correct for one in records]
        columns[f"{model} fault"] = [one.verdict.faults[0].fault if one.verdict.faults else None for one in records]
    return columns


def _log_table(run_id: str, columns: dict[str, list[Any]]) -> None:
    """Log a table, or overwrite it: MLflow would append to one that is there."""
    import mlflow
    import pandas as pd

    there = {one.path for one in mlflow.MlflowClient().list_artifacts(run_id, str(Path(TABLE_ARTIFACT).parent))}
    if TABLE_ARTIFACT in there:
        mlflow.log_text(pd.DataFrame(columns).to_json(orient="split", index=False), TABLE_ARTIFACT)
    else:
        mlflow.log_table(columns, TABLE_ARTIFACT)
