"""When a model is promoted."""

import re

from pydantic import Field, field_validator

from callwright.params.section import Section, Share

PROMOTION_LOCK_SUFFIX = "-promotions"  # the registered model with this suffix is the lock of its promotions
_MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MAX_NAME_CHARACTERS = 100  # short enough that MLflow's database also takes it with the suffix


def is_model_name(name: object) -> bool:
    """Whether MLflow's queries, addresses and the model card can hold this name of a registered model."""
    return isinstance(name, str) and bool(_MODEL_NAME.fullmatch(name))


class PromoteParams(Section):
    """The limits of the gate, and the registered model that it guards."""

    model_name: str
    min_accuracy: float = Share
    min_gain: float = Field(ge=-1, le=1)
    max_p_value: float = Share
    min_valid_calls: float = Share
    min_gain_over_champion: float = Field(ge=-1, le=1)
    max_task_regression: float = Share
    max_robustness_gap: float | None = Field(ge=-1, le=1)

    @field_validator("model_name")
    @classmethod
    def _check_model_name(cls, name: str) -> str:
        if not is_model_name(name) or len(name) > _MAX_NAME_CHARACTERS:
            raise ValueError(
                'has to be 1 to 100 of the characters a-z, A-Z, 0-9, ".", "_" and "-", the first a letter or digit'
            )
        if name.endswith(PROMOTION_LOCK_SUFFIX):
            raise ValueError(f"cannot end with {PROMOTION_LOCK_SUFFIX}: that suffix is for the promotion lock")
        return name
