"""Let the student through the gate, or say why not; write the report."""

from callwright.pipeline.promote import main
from callwright.pipeline.stage import run_stage

if __name__ == "__main__":
    run_stage("promote", main)
