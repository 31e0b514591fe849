"""The rollout stage: sample chains of the teacher and of the base."""

from callwright.pipeline.rollout import main

if __name__ == "__main__":
    main()
