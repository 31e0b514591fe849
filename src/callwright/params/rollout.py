"""The teacher, and how models are sampled."""

from typing import Self

from pydantic import Field, model_validator

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
    def _at_most_all(self) -> Self:
        if sum(self.model_dump().values()) > 1 + 1e-9:
            raise ValueError("the shares add up to more than 1")
        return self


class TeacherParams(Section):
    base_url: str = Field(min_length=1, description='"oracle" (in process), or an OpenAI-compatible endpoint')
    model: str = Field(min_length=1)
    api_key_env: str = Field(min_length=1, description="the environment variable that holds the key")
    timeout_s: float = Field(gt=0)
    max_retries: int = Field(ge=0)
    mistakes: MistakeShares


class SamplingParams(Section):
    """Attempts per problem of one model; problems: how many train problems it tries (null: all)."""

    chains: int = Field(ge=1)
    temperature: float = Field(ge=0, le=2)
    top_p: float = Field(gt=0, le=1)
    problems: int | None = Field(ge=1)


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
