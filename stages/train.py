"""Train the base on preference pairs. Started by `accelerate launch`, on any number of processes."""

from callwright.pipeline.stage import run_stage
from callwright.pipeline.train import main

if __name__ == "__main__":
    run_stage("train", main)
