"""What the sections of params.yaml have in common. The comments in params.yaml say what each key means."""

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section of params.yaml: immutable, with no keys but its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Share = Field(ge=0, le=1)
