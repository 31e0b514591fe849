"""The teacher, and how models are sampled."""

from typing import Literal, Self

from pydantic import Field, model_validator

from callwright.params.endpoint import EndpointParams
from callwright.params.section import Section, Share
from callwright.records import Protocol


class MistakeShares(Section):
    """Share of the oracle teacher's attempts that make each mistake."""

    wrong_function: float = Share
    wrong_operand: float = Share
    skipped_step: float = Share
    extra_step: float = Share
    guessed_answer: float = Share
    malformed_call: float = Share
    unknown_function: float = Share
    repeated_call: float = Share

    @model_validator(mode="after")
    def _check_sum(self) -> Self:
        if sum(self.model_dump().values()) > 1 + 1e-9:
            raise ValueError("the shares add up to more than 1")
        return self


class TeacherParams(EndpointParams):
    """The teacher; for the oracle, also the mistakes that it makes."""

    mistakes: MistakeShares


class SamplingParams(Section):
    """How one model is sampled on the train and dev problems."""

    chains: int = Field(ge=0)
    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(gt=0, le=1)
    problems: int | None = Field(ge=1)


class BudgetParams(Section):
    """Limits of what one run of a stage may spend at the teacher; None: no limit."""

    requests: int | None = Field(ge=1)
    tokens: int | None = Field(ge=1)
    cost: float | None = Field(gt=0)
    seconds: float | None = Field(gt=0)
    on_budget: Literal["stop", "publish"]

    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        values = {"requests": self.requests, "tokens": self.tokens, "cost": self.cost, "seconds": self.seconds}
        return {name: float(value) for name, value in values.items() if value is not None}


class Prices(Section):
    """Per million of the teacher's tokens, in any currency; `cached`: prompt tokens from the server's cache."""

    prompt: float = Field(ge=0)
    cached: float = Field(ge=0)
    completion: float = Field(ge=0)


class RolloutParams(Section):
    """How every model is asked, here and in the evaluation: the protocol and the limits."""

    teacher: SamplingParams
    student: SamplingParams
    protocol: Protocol
    max_steps: int = Field(ge=1)
    max_tokens: int = Field(ge=1)
    concurrency: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    max_failure_rate: float = Share
    prices: Prices | None
    budget: BudgetParams

    @model_validator(mode="after")
    def _check_prices_are_set(self) -> Self:
        if self.budget.cost is not None and self.prices is None:
            raise ValueError("budget.cost needs prices: {prompt: .., cached: .., completion: ..} per million tokens")
        return self
