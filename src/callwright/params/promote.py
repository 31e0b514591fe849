"""When a model is promoted."""

from pydantic import Field

from callwright.params.section import Section, Share


class PromoteParams(Section):
    """The gate, and the registry it guards."""

    model_name: str = Field(min_length=1)
    min_accuracy: float = Share
    min_gain: float = Field(ge=-1, le=1, description="lower confidence bound of student minus base")
    max_p_value: float = Share
    min_valid_calls: float = Share
    min_gain_over_champion: float = Field(ge=-1, le=1, description="lower confidence bound of student minus champion")
    max_task_regression: float = Field(
        ge=0, le=1, description="how much less accurate than base or champion in one task"
    )
    max_robustness_gap: float | None = Field(ge=-1, le=1, description="accuracy lost on changed problems (null: any)")
