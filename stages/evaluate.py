"""The evaluate stage: base, student, champion and teacher on the same held-out problems, by the same agent."""

from callwright.pipeline.evaluate import main

if __name__ == "__main__":
    main()
