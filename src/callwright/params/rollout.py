"""The teacher, and how models are sampled."""

from typing import Literal, Self

from pydantic import Field, model_validator

from callwright.params.address import ORACLE, BaseUrl, KeyVariable, RequestFields
from callwright.params.section import Section, Share
from callwright.records import Protocol


class MistakeShares(Section):
    """Share of the oracle teacher's attempts that make each mistake; in all at most 1."""

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


class TeacherParams(Section):
    base_url: BaseUrl = Field(description='"oracle" (in process), or an OpenAI-compatible endpoint')
    base_urls: list[BaseUrl] = Field(description="further endpoints of the same model, beside base_url")
    model: str = Field(min_length=1)
    api_key_env: KeyVariable = Field(description="the environment variable that holds the key")
    request: RequestFields = Field(default={}, description="fields of the request's body; null leaves one out")
    timeout_s: float = Field(gt=0)
    max_retries: int = Field(ge=0)
    mistakes: MistakeShares

    @model_validator(mode="after")
    def _check_base_urls(self) -> Self:
        if self.base_urls and ORACLE in (self.base_url, *self.base_urls):
            raise ValueError("the oracle in process stands alone: set base_urls to [], or base_url to an endpoint")
        if len({self.base_url, *self.base_urls}) <= len(self.base_urls):
            raise ValueError("base_urls holds an address twice, or base_url")
        return self


class SamplingParams(Section):
    """Attempts per problem of one model; problems: how many train problems it tries (null: all)."""

    chains: int = Field(ge=0, description="0: none")
    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(gt=0, le=1)
    problems: int | None = Field(ge=1)


class BudgetParams(Section):
    """What one run of a stage may spend at the teacher; null: no limit."""

    requests: int | None = Field(ge=1)
    tokens: int | None = Field(ge=1, description="of prompts and completions together")
    cost: float | None = Field(gt=0, description="in the unit of the prices")
    seconds: float | None = Field(gt=0)
    on_budget: Literal["stop", "publish"] = Field(description="whether what there is goes on when a limit is reached")

    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        values = {"requests": self.requests, "tokens": self.tokens, "cost": self.cost, "seconds": self.seconds}
        return {name: float(value) for name, value in values.items() if value is not None}


class Prices(Section):
    """Of a million of the teacher's tokens, in any unit; `cached`: prompt tokens that the server had in its cache."""

    prompt: float = Field(ge=0)
    cached: float = Field(ge=0)
    completion: float = Field(ge=0)


class RolloutParams(Section):
    """How every model is asked, here and in the evaluation: by which protocol, and within which limits."""

    teacher: SamplingParams
    student: SamplingParams
    protocol: Protocol
    max_steps: int = Field(ge=1)
    max_tokens: int = Field(ge=1)
    concurrency: int = Field(ge=1, description="attempts in flight at the teacher")
    batch_size: int = Field(ge=1, description="rows in one forward pass of the student")
    max_failure_rate: float = Share
    prices: Prices | None
    budget: BudgetParams

    @model_validator(mode="after")
    def _check_prices_are_set(self) -> Self:
        if self.budget.cost is not None and self.prices is None:
            raise ValueError("budget.cost needs prices: {prompt: .., cached: .., completion: ..} per million tokens")
        return self
