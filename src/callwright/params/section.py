"""What every section shares."""

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Share = Field(ge=0, le=1)
