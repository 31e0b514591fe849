"""The student, and how the embedded one is built."""

from typing import Annotated

from pydantic import AfterValidator, Field

from callwright.params.section import Section, Share


def _check_sum(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    if abs(total - 1) > 1e-6:
        raise ValueError(f"the shares of the tasks add up to {total:g}, not 1")
    return shares


TaskShares = Annotated[dict[str, Annotated[float, Share]], AfterValidator(_check_sum)]
"""Task -> its share; their sum is 1. The base stage knows the tasks."""


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
