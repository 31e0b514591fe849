"""The train stage: train the base on preference pairs. `accelerate launch` starts it, with any number of processes."""

from callwright.pipeline.stage import run_stage
from callwright.pipeline.train import main

if __name__ == "__main__":
    run_stage("train", main)
