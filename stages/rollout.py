"""Sample chains: the teacher's, and the base's own."""

from callwright.pipeline.rollout import main
from callwright.pipeline.stage import run_stage

if __name__ == "__main__":
    run_stage("rollout", main)
