"""How models are evaluated, and when one is promoted."""

from pydantic import Field

from callwright.params.section import Section, Share


class EvaluateParams(Section):
    problems: int | None = Field(ge=1, description="test problems (null: all)")
    batch_size: int = Field(ge=1)
    confidence: float = Field(gt=0.5, lt=1)
    resamples: int = Field(ge=100)


class PromoteParams(Section):
    """The gate, and the registry it guards."""

    model_name: str = Field(min_length=1)
    min_accuracy: float = Share
    min_gain: float = Field(ge=-1, le=1, description="lower confidence bound of student minus base")
    max_p_value: float = Share
    min_valid_calls: float = Share
