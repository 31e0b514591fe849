"""The base stage: build the embedded base, or resolve and pin the model that params name."""

from callwright.pipeline.base import main
from callwright.pipeline.stage import run_stage

if __name__ == "__main__":
    run_stage("base", main)
