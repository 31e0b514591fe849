"""The pairs stage: turn validated chains into preference pairs, check the pairs, and show samples of both."""

from callwright.pipeline.pairs import main
from callwright.pipeline.stage import run_stage

if __name__ == "__main__":
    run_stage("pairs", main)
