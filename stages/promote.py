"""The promote stage: promote the student if it passes the gate, and write the report."""

from callwright.pipeline.promote import main

if __name__ == "__main__":
    main()
