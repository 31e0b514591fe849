"""How pairs are made from chains."""

from typing import Literal

from pydantic import Field

from callwright.params.section import Section, Share

AT_LEAST_HALF = Field(ge=0.5, le=1)  # at least half, so that at most one kind or task can exceed it


class PairsParams(Section):
    """How pairs are made from chains, and limits that keep their mix balanced."""

    mode: Literal["step", "chain", "both"]
    min_margin: float = Field(gt=0, le=1)
    cost_weight: float = Share
    max_per_problem: int = Field(ge=1)
    max_kind_share: float = AT_LEAST_HALF
    max_task_share: float = AT_LEAST_HALF
