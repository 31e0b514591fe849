"""Build the embedded student, or resolve and pin the one that params name."""

from callwright import paths
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.tasks import load as load_tasks
from callwright.training.base import prepare_base


def main(_: Clock) -> None:
    params = Params.load()
    load_tasks(params.functions)
    recipe = prepare_base(paths.BASE, params.student, params.seed)
    print(f"base: {recipe['source']} in {paths.BASE}")


if __name__ == "__main__":
    run_stage("base", main)
