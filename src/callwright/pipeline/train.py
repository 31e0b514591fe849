"""Train the base on preference pairs. Started by `accelerate launch`, on any number of processes."""

import csv
import io
import os

from callwright import paths
from callwright.errors import CallwrightError
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.records import Demonstration, Pair
from callwright.storage.files import write_json, write_text
from callwright.storage.jsonl import read
from callwright.tracking import runs
from callwright.training import dpo


def main(_: Clock) -> None:
    import mlflow

    params = Params.load()
    examples = dpo.Examples(
        tuple(read(Pair, paths.PAIRS_TRAIN)),
        tuple(read(Pair, paths.PAIRS_DEV)),
        tuple(read(Demonstration, paths.DEMONSTRATIONS)),
    )
    first = int(os.environ.get("RANK", "0")) == 0

    def run() -> dpo.TrainingResult:
        return dpo.train(
            paths.BASE,
            examples,
            params.train,
            seed=params.seed,
            student=paths.STUDENT,
            adapter=paths.ADAPTER,
            work=paths.WORK / "training",
            log=(lambda row, step: mlflow.log_metrics(row, step=step)) if first else None,
        )

    if not first:
        run()
        return
    key = dpo.training_key(paths.BASE, examples, params.train, params.seed)
    with runs.pipeline_run(key, system_metrics=True):
        determines = params.train.model_dump(exclude=dpo.FIELDS_NOT_IN_KEY)
        mlflow.log_params({f"train.{name}": value for name, value in determines.items()})
        mlflow.log_params({"seed": params.seed, "student.source": params.student.source})
        mlflow.log_dict(params.train.model_dump(), "config/train.json")
        mlflow.log_artifact(f"conf/accelerate/{params.train.accelerate}.yaml", "config")
        runs.log_lineage()
        trained = run()
        write_text(paths.CURVES, _table(trained.curves))
        write_json(paths.TRAIN_REPORT, trained.report)
        mlflow.log_artifact(str(paths.CURVES), "reports")
        mlflow.log_artifacts(str(paths.ADAPTER), "adapter")
    print(f"train: {trained.report['pairs']:,} pairs, {trained.report['pairs_per_second']} pairs/s")


def _table(rows: list[dict[str, float]]) -> str:
    if not rows:
        raise CallwrightError("the trainer logged nothing: fewer than one step; lower train.batch_size")
    text = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    table = csv.DictWriter(text, names, lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    return text.getvalue()


if __name__ == "__main__":
    run_stage("train", main)
