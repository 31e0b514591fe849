"""The base stage: copy the embedded student, or resolve and pin the model that params name."""

from callwright import paths
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.training.base import prepare_base


def run(_: Clock) -> None:
    params = Params.load()
    recipe = prepare_base(paths.BASE, params.student)
    print(f"base: {recipe['source']} in {paths.BASE}")


def main() -> None:
    """Run the stage as a process (see `run_stage`)."""
    run_stage("base", run)


if __name__ == "__main__":
    main()
