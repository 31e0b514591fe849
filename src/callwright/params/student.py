"""The student, and how the embedded one is built."""

from typing import Self

from pydantic import Field, model_validator

from callwright.params.section import Section, Share


class TaskShares(Section):
    """Shares of the tasks; together 1."""

    arithmetic: float = Share
    translation: float = Share
    entailment: float = Share

    @model_validator(mode="after")
    def _check_sum(self) -> Self:
        total = self.arithmetic + self.translation + self.entailment
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the shares of the tasks make {total:g}, not 1")
        return self


class EmbeddedParams(Section):
    """The recipe of the embedded student: its size, and what it learns from before the pipeline trains it."""

    hidden: int = Field(ge=16)
    layers: int = Field(ge=1)
    heads: int = Field(ge=1)
    vocabulary: int = Field(ge=300)
    demonstrations: int = Field(ge=1)
    tasks: TaskShares = Field(description="of the demonstrations")
    careless_share: float = Share
    steps: int = Field(ge=1)
    careless_steps: int = Field(ge=0, description="of these, the last ones that see careless demonstrations")
    prompt_steps: int = Field(
        ge=0, description="of these, spread over the last 60 %: those that also read the system prompt"
    )
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(
        gt=0, description="of Muon, for the weight matrices; AdamW for the rest takes 0.15 of it"
    )
    question_weight: float = Share
    copy_weight: float = Field(ge=1, description="of a number or name that a call takes from the question or a result")


class StudentParams(Section):
    source: str = Field(min_length=1, description='"embedded", a folder, or a Hugging Face model id')
    revision: str | None
    embedded: EmbeddedParams
