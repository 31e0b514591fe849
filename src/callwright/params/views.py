"""Views: how prompts show a task's functions (`callwright.tasks.view`)."""

from typing import Literal

from pydantic import Field, field_validator

from callwright.params.section import Section, Share


class ViewsParams(Section):
    """What views of the functions differ in, and how many there are in rollouts and in training."""

    rename: bool
    parameters: bool
    shuffle: bool
    reword: bool
    distractors: int = Field(ge=0)
    plain: float = Share
    rollout: int = Field(ge=1)
    train: Literal["batch"] | int

    @field_validator("train", mode="before")
    @classmethod
    def _check_train(cls, train: object) -> object:
        """One line for both types, where pydantic would report the first one alone; `true` is no number."""
        if train != "batch" and (type(train) is not int or train < 1):
            raise ValueError("should be batch, or a number of views above 0")
        return train
