"""The pairs stage: turn validated chains into preference pairs, check the pairs, and show samples of both."""

from callwright.pipeline.pairs import main

if __name__ == "__main__":
    main()
