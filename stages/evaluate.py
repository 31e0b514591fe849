"""The evaluate stage: base, student, champion and teacher on the same held-out problems, by the same agent."""

if __name__ == "__main__":  # worker processes import this script too, and need neither SciPy nor MLflow
    from callwright.pipeline.evaluate import main

    main()
