"""The problems stage: read problems, check them, split them by group, and keep test questions out of training."""

from callwright.pipeline.problems import main
from callwright.pipeline.stage import run_stage

if __name__ == "__main__":
    run_stage("problems", main)
