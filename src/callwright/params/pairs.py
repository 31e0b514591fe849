"""How pairs are made from chains."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from callwright.params.section import Section, Share

AT_LEAST_HALF = Field(ge=0.5, le=1)  # at least half, so that at most one kind or task can exceed it

_STEP = "callwright.preferences.forks:step_pairs"
_CHAIN = "callwright.preferences.chain_pairs:chain_pairs"
PAIR_STRATEGIES = {"step": (_STEP,), "chain": (_CHAIN,), "both": (_STEP, _CHAIN)}
"""`pairs.mode` -> the strategies whose pairs it makes, as "module:function", in the order of the pairs' numbers.

The functions are in a package above this one, and imported when pairs are made (`callwright.preferences.strategies`).
"""


def _check_mode(mode: str) -> str:
    if mode not in PAIR_STRATEGIES:
        raise PydanticCustomError("mode", "should be one of {modes}", {"modes": ", ".join(PAIR_STRATEGIES)})
    return mode


class PairsParams(Section):
    """How pairs are made from chains, and limits that keep their mix balanced."""

    mode: Annotated[str, AfterValidator(_check_mode)]
    min_margin: float = Field(gt=0, le=1)
    cost_weight: float = Share
    max_per_problem: int = Field(ge=1)
    max_kind_share: float = AT_LEAST_HALF
    max_task_share: float = AT_LEAST_HALF
