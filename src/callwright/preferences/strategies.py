"""The ways to make pairs of a problem's chains.

A new one is a function (see `PairStrategy`) and a line in STRATEGIES.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pkgutil import resolve_name
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from callwright.params import PairsParams
    from callwright.records import CheckedChain, Pair, Problem
    from callwright.tasks.task import Task

PairStrategy: TypeAlias = "Callable[[Problem, Task, Sequence[CheckedChain], PairsParams], Iterator[Pair]]"
"""The pairs of a problem's chains, which all have the same protocol. Any text may be an id: the pairs are numbered."""

_STEP = "callwright.preferences.forks:step_pairs"
_CHAIN = "callwright.preferences.chain_pairs:chain_pairs"

STRATEGIES: Mapping[str, tuple[str, ...]] = {"step": (_STEP,), "chain": (_CHAIN,), "both": (_STEP, _CHAIN)}
"""`pairs.mode` -> the strategies whose pairs it makes, as "module:function", in the order of the pairs' numbers."""


def strategies_of(mode: str) -> list[PairStrategy]:
    """The strategies of a mode."""
    return [resolve_name(strategy) for strategy in STRATEGIES[mode]]
