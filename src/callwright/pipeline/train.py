"""The train stage: train the base on preference pairs. `accelerate launch` starts it, with any number of processes."""

import os

from callwright import paths
from callwright.errors import CallwrightError
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.records import Demonstration, Pair
from callwright.storage.files import csv_text, write_text
from callwright.storage.jsonl import read
from callwright.tasks import load_tasks
from callwright.tracking import runs
from callwright.training import dpo


def run(_: Clock) -> None:
    import mlflow

    params = Params.load()
    tasks = load_tasks(params.functions)
    examples = dpo.Examples(
        tuple(read(Pair, paths.PAIRS_TRAIN)),
        tuple(read(Pair, paths.PAIRS_DEV)),
        tuple(read(Demonstration, paths.DEMONSTRATIONS)),
    )
    is_rank_zero = int(os.environ.get("RANK", "0")) == 0

    def train() -> dpo.TrainingResult:
        return dpo.train(
            paths.BASE,
            examples,
            params.train,
            tasks,
            params.views,
            seed=params.seed,
            student=paths.STUDENT,
            adapter=paths.ADAPTER,
            work=paths.WORK / "training",
            log=(lambda row, step: mlflow.log_metrics(row, step=step)) if is_rank_zero else None,
        )

    if not is_rank_zero:
        train()
        return
    key = dpo.training_key(paths.BASE, examples, params.train, tasks, params.views, params.seed)
    with runs.pipeline_run(key, system_metrics=True):
        result_params = params.train.model_dump(exclude=dpo.FIELDS_NOT_IN_KEY)
        mlflow.log_params({f"train.{name}": value for name, value in result_params.items()})
        view_params = params.views.model_dump(exclude=dpo.VIEW_FIELDS_NOT_IN_KEY)
        mlflow.log_params({f"views.{name}": value for name, value in view_params.items()})
        mlflow.log_params({"seed": params.seed, "student.source": params.student.source})
        mlflow.log_dict(params.train.model_dump(), "config/train.json")
        mlflow.log_artifact(f"conf/accelerate/{params.train.accelerate}.yaml", "config")
        runs.log_lineage()
        result = train()
        if not result.curves:
            raise CallwrightError("the trainer logged nothing: fewer than one step; lower train.batch_size")
        columns = list(dict.fromkeys(name for row in result.curves for name in row))
        write_text(paths.CURVES, csv_text(columns, result.curves))
        assert result.report is not None, "on rank 0"
        result.report.save()
        mlflow.log_artifact(str(paths.CURVES), "reports")
        mlflow.log_artifacts(str(paths.ADAPTER), "adapter")
    report = result.report
    print(
        f"train: {report.pairs:,} pairs in {report.batches.batches:,} batches with {report.batches.views:,} views, "
        f"{report.pairs_per_second} pairs/s"
    )


def main() -> None:
    """Run the stage as a process (see `run_stage`)."""
    run_stage("train", run)


if __name__ == "__main__":
    main()
