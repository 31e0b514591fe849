"""The promote stage: promote the student if it passes the gate, and write the report."""

from callwright.pipeline.promote import main
from callwright.pipeline.stage import run_stage

if __name__ == "__main__":
    run_stage("promote", main)
