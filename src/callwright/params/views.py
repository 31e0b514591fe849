"""Views: how prompts show a task's functions (`callwright.tasks.view`)."""

from typing import Literal

from pydantic import Field

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
    train: Literal["batch"] | int = Field(union_mode="left_to_right")

    def model_post_init(self, _context: object) -> None:
        if isinstance(self.train, int) and self.train < 1:
            raise ValueError("train has to be batch, or a number of views above 0")
