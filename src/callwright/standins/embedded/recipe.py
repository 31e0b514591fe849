"""The recipe of the embedded student: its size, and its training before the pipeline."""

from typing import Annotated

from pydantic import AfterValidator, Field

from callwright.params.section import Section, Share


def _check_sum(shares: dict[str, float]) -> dict[str, float]:
    total = sum(shares.values())
    if abs(total - 1) > 1e-6:
        raise ValueError(f"the shares of the tasks add up to {total:g}, not 1")
    return shares


TaskShares = Annotated[dict[str, Annotated[float, Share]], AfterValidator(_check_sum)]
"""Task -> its share; their sum is 1. The builder knows the tasks."""


class BuildRecipe(Section):
    """How the embedded student is built.

    Attributes:
        hidden: width of the hidden states.
        vocabulary: tokens.
        demonstrations: lessons that are drawn.
        tasks: shares of the lessons.
        careless_share: of the lessons with several calls; the pipeline then corrects this.
        steps: optimizer steps.
        careless_steps: the last of the steps, which use careless lessons too; earlier steps use correct ones only.
        prompt_steps: some of the steps, spread over the last 60 %, which also read the system prompt.
        learning_rate: of Muon, for the weight matrices; AdamW takes 0.15 of it for the other weights.
        question_weight: loss weight of the tokens that the model reads but does not write.
        copy_weight: loss weight of a number or name that a call takes from the question or a result.
    """

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


RECIPE = BuildRecipe(
    hidden=128,
    layers=3,
    heads=4,
    vocabulary=1280,
    demonstrations=14_000,
    tasks={"arithmetic": 0.32, "translation": 0.37, "entailment": 0.31},
    careless_share=0.88,
    steps=1_900,
    careless_steps=250,
    prompt_steps=340,
    batch_size=24,
    learning_rate=0.02,
    question_weight=0.1,
    copy_weight=4.0,
)
