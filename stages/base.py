"""The base stage: copy the embedded student, or resolve and pin the model that params name."""

from callwright.pipeline.base import main

if __name__ == "__main__":
    main()
