"""Limits for problems, chains and pairs that the pipeline accepts."""

from typing import Self

from pydantic import Field, model_validator

from callwright.params.section import Section, Share


class ValidateParams(Section):
    """Limits of the data-quality suites."""

    min_correct_share: float = Share
    max_correct_share: float = Share
    min_answered_share: float = Share
    max_fault_share: float = Share
    max_label_share: float = Share
    max_quarantined_share: float = Share
    max_drift: float = Field(gt=0)
    max_steps: int = Field(ge=1)
    max_tokens: int = Field(ge=1)
    max_reply_characters: int = Field(ge=1)
    max_question_characters: int = Field(ge=1)

    @model_validator(mode="after")
    def _check_correct_share_bounds(self) -> Self:
        if self.min_correct_share > self.max_correct_share:
            raise ValueError(
                f"min_correct_share {self.min_correct_share} is above max_correct_share {self.max_correct_share}"
            )
        return self
