"""The ways to make pairs of a problem's chains. A new one is a function, and a line in `params/pairs.py`."""

from collections.abc import Callable, Iterator, Sequence
from pkgutil import resolve_name
from typing import TypeAlias

from callwright.params import PairsParams
from callwright.params.pairs import PAIR_STRATEGIES
from callwright.records import CheckedChain, Pair, Problem
from callwright.tasks.task import Task

PairStrategy: TypeAlias = Callable[[Problem, Task, Sequence[CheckedChain], PairsParams], Iterator[Pair]]
"""The pairs of a problem's chains, which all have the same protocol. Any text may be an id: the pairs are numbered."""


def strategies_of(mode: str) -> list[PairStrategy]:
    """The strategies of a mode."""
    return [resolve_name(strategy) for strategy in PAIR_STRATEGIES[mode]]
