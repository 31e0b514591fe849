"""How pairs are made from chains."""

from pkgutil import resolve_name
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from callwright.params.section import Section, Share

AT_LEAST_HALF = Field(ge=0.5, le=1)  # at least half, so that at most one kind or task can exceed it


_STRATEGIES = "callwright.preferences.strategies:STRATEGIES"  # by name, as it is in a package above this one


def _check_mode(mode: str) -> str:
    modes = resolve_name(_STRATEGIES)
    if mode not in modes:
        raise PydanticCustomError("mode", "should be one of {modes}", {"modes": ", ".join(modes)})
    return mode


class PairsParams(Section):
    """How pairs are made from chains, and limits that keep their mix balanced."""

    mode: Annotated[str, AfterValidator(_check_mode)]
    min_margin: float = Field(gt=0, le=1)
    cost_weight: float = Share
    max_per_problem: int = Field(ge=1)
    max_kind_share: float = AT_LEAST_HALF
    max_task_share: float = AT_LEAST_HALF
