"""The evaluate stage: base, student, champion and teacher on the same held-out problems, by the same agent."""

from callwright.pipeline.evaluate import main
from callwright.pipeline.stage import run_stage

if __name__ == "__main__":
    run_stage("evaluate", main)
