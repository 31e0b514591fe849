"""Log an evaluation to the student's MLflow run: a table, plots, traces."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.paths import TRAINING_FILE
from callwright.records import Problem
from callwright.reporting.charts import in_display_order
from callwright.reporting.render import render_plots
from callwright.storage.files import read_json
from callwright.tasks import Tasks
from callwright.text import escape_controls
from callwright.tracking.runs import pipeline_run
from callwright.tracking.traces import log_traces

TABLE_ARTIFACT = "reports/evaluation.json"


def log_evaluation(
    student: Path,
    evaluated: Mapping[str, ModelEvaluation],
    problems: Sequence[Problem],
    tasks: Tasks,
    metrics: Mapping[str, Any],
    traces: int,
) -> None:
    """Log the table, the plots and the traces to the student's run. They replace those of an earlier evaluation.

    Args:
        student: the student's folder; its training.json names the training.
        evaluated: results by model, as for `callwright.evaluation.metrics.compute_metrics`.
        traces: maximum number of traces per model.

    Raises:
        ProviderError: the tracking server cannot be used.
    """
    import mlflow

    with pipeline_run(read_json(student / TRAINING_FILE)["key"]) as run_id:
        _log_table(run_id, evaluation_table(evaluated, problems))
        for name, svg in render_plots(metrics).items():
            mlflow.log_text(svg, f"reports/{name}.svg")
        log_traces(run_id, evaluated, problems, tasks, traces)


def evaluation_table(evaluated: Mapping[str, ModelEvaluation], problems: Sequence[Problem]) -> dict[str, list[Any]]:
    """Column -> values, one row per problem: the problem, and each model's answer, correctness and first fault.

    Characters that UTF-8 cannot encode, such as a lone surrogate, are escaped.
    """
    columns: dict[str, list[Any]] = {
        "problem": [escape_controls(problem.id) for problem in problems],
        "task": [problem.task for problem in problems],
        "question": [escape_controls(problem.question) for problem in problems],
        "answer": [escape_controls(problem.answer) for problem in problems],
    }
    for model in in_display_order(evaluated):
        checked_chains = [evaluated[model].chains[problem.id] for problem in problems]
        answers = [checked.chain.answer for checked in checked_chains]
        faults = [checked.verdict.faults for checked in checked_chains]
        columns[f"{model} answer"] = [None if answer is None else escape_controls(answer) for answer in answers]
        columns[f"{model} correct"] = [checked.verdict.correct for checked in checked_chains]
        columns[f"{model} fault"] = [chain_faults[0].fault if chain_faults else None for chain_faults in faults]
    return columns


def _log_table(run_id: str, columns: dict[str, list[Any]]) -> None:
    """Log a table, or overwrite it: `mlflow.log_table` would append to an existing one."""
    import mlflow
    import pandas as pd

    artifacts = mlflow.MlflowClient().list_artifacts(run_id, str(Path(TABLE_ARTIFACT).parent))
    if TABLE_ARTIFACT in {artifact.path for artifact in artifacts}:
        mlflow.log_text(pd.DataFrame(columns).to_json(orient="split", index=False), TABLE_ARTIFACT)
    else:
        mlflow.log_table(columns, TABLE_ARTIFACT)
