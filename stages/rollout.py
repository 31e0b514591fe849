"""The rollout stage: sample chains of the teacher and of the base."""

from callwright.pipeline.rollout import main
from callwright.pipeline.stage import run_stage

if __name__ == "__main__":
    run_stage("rollout", main)
