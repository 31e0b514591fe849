"""The problems stage: read problems, check them, split them by group, and keep test questions out of training."""

from callwright.pipeline.problems import main

if __name__ == "__main__":
    main()
