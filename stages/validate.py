"""The validate stage: execute every call again, judge every chain, and check the data's quality."""

from callwright.pipeline.validate import main

if __name__ == "__main__":
    main()
