"""Which pairs are made of chains."""

from pydantic import Field

from callwright.params.section import Section, Share


class PairsParams(Section):
    min_margin: float = Field(gt=0, le=1)
    cost_weight: float = Share
    max_per_problem: int = Field(ge=1)
    max_kind_share: float = Field(ge=0.5, le=1)
