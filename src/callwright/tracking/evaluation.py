"""What MLflow shows of an evaluation, in the run that trained the student: a table, plots, traces."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from callwright.evaluation.evaluated import Evaluated
from callwright.paths import TRAINING
from callwright.records import Problem
from callwright.reporting.charts import ordered
from callwright.reporting.drawing import plots
from callwright.storage.files import read_json
from callwright.text import visible
from callwright.tracking.runs import pipeline_run
from callwright.tracking.traces import log_traces

TABLE = "reports/evaluation.json"


def log_evaluation(
    student: Path,
    evaluated: Mapping[str, Evaluated],
    problems: Sequence[Problem],
    metrics: Mapping[str, Any],
    traces: int,
) -> None:
    """Add the table, the plots and the traces to the student's run; those of an earlier evaluation are replaced.

    Args:
        student: its folder; training.json in it names the training.
        evaluated: by model, as in `callwright.evaluation.metrics.metrics_of`.
        traces: of each model.

    Raises:
        ProviderError: the tracking server cannot be used.
    """
    import mlflow

    with pipeline_run(read_json(student / TRAINING)["key"]) as run_id:
        _log_table(run_id, table_of(evaluated, problems))
        for name, picture in plots(metrics).items():
            mlflow.log_text(picture, f"reports/{name}.svg")
        log_traces(run_id, evaluated, problems, traces)


def table_of(evaluated: Mapping[str, Evaluated], problems: Sequence[Problem]) -> dict[str, list[Any]]:
    """A row per problem: question and answer, and of each model its answer, whether it is correct, its first fault.

    What JSON cannot hold in a text, such as half a character, shows as its escape.
    """
    columns: dict[str, list[Any]] = {
        "problem": [visible(one.id) for one in problems],
        "task": [one.task for one in problems],
        "question": [visible(one.question) for one in problems],
        "answer": [visible(one.answer) for one in problems],
    }
    for model in ordered(evaluated):
        records = [evaluated[model].chains[one.id] for one in problems]
        columns[f"{model} answer"] = [
            None if one.chain.answer is None else visible(one.chain.answer) for one in records
        ]
        columns[f"{model} correct"] = [one.verdict.correct for one in records]
        columns[f"{model} fault"] = [one.verdict.faults[0].fault if one.verdict.faults else None for one in records]
    return columns


def _log_table(run_id: str, columns: dict[str, list[Any]]) -> None:
    """Log a table, or overwrite it: MLflow would append to one that is there."""
    import mlflow
    import pandas as pd

    there = {one.path for one in mlflow.MlflowClient().list_artifacts(run_id, str(Path(TABLE).parent))}
    if TABLE in there:
        mlflow.log_text(pd.DataFrame(columns).to_json(orient="split", index=False), TABLE)
    else:
        mlflow.log_table(columns, TABLE)
