"""The student, and how the embedded one is built."""

from typing import Self

from pydantic import Field, model_validator

from callwright.params.section import Section, Share


class TaskShares(Section):
    """Share of each task; their sum is 1."""

    arithmetic: float = Share
    translation: float = Share
    entailment: float = Share

    @model_validator(mode="after")
    def _check_sum(self) -> Self:
        total = self.arithmetic + self.translation + self.entailment
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares of the tasks add up to {total:g}, not 1")
        return self


class EmbeddedParams(Section):
    """The recipe of the embedded student: its size and its training before the pipeline."""

    hidden: int = Field(ge=16)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    vocabulary: int = Field(ge=300)
    demonstrations: int = Field(ge=1)
    tasks: TaskShares
    careless_share: float = Share
    steps: int = Field(ge=1)
    careless_steps: int = Field(ge=0)
    prompt_steps: int = Field(ge=0)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    question_weight: float = Share
    copy_weight: float = Field(ge=1)


class StudentParams(Section):
    """Where the base comes from."""

    source: str = Field(min_length=1)
    revision: str | None
    embedded: EmbeddedParams
