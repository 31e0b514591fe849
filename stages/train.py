"""The train stage: train the base on preference pairs. `accelerate launch` starts it, with any number of processes."""

from callwright.pipeline.train import main

if __name__ == "__main__":
    main()
