"""What every section shares."""

from pydantic import BaseModel, ConfigDict, Field


class Section(BaseModel):
    """A section of params.yaml."""

    model_config = ConfigDict(extra="forbid", frozen=True)


Share = Field(ge=0, le=1)
