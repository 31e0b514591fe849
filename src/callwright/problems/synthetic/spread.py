"""Synthetic problems of one task for every split, spread evenly over its families."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Protocol, TypeVar

from callwright.errors import DataError
from callwright.problems.source import Sourced
from callwright.problems.synthetic.pool import POOLS, Pool
from callwright.records import Problem, Split

MAX_REPEATS = 1_000  # of questions that were drawn before, in a row


class SyntheticFamily(Protocol):
    """What every task's families have. `held_out`: of the splits, it occurs in the test alone."""

    @property
    def name(self) -> str: ...
    @property
    def held_out(self) -> bool: ...


F = TypeVar("F", bound=SyntheticFamily)
Draw = Callable[[F, int, Random, Pool], Problem]
"""Draws a problem without id, given its family, how many of that family came before, random numbers and a pool."""


def spread(
    families: Sequence[F],
    draw: Draw[F],
    counts: Mapping[Split, int],
    held_out_test: int,
    seed: int,
    prefix: str,
) -> Sourced:
    """Problems with ids like "<prefix>/train/000123", families in turn, no question of a split twice.

    Each family has its own stream of random numbers, so a larger count adds problems and changes none.

    Args:
        counts: problems of the seen families, by split; a split that is missing gets none.
        held_out_test: further test problems, of the held-out families.
        seed: the same seed gives the same problems on any machine.

    Raises:
        DataError: a family has no more distinct questions.
    """
    seen = [family for family in families if not family.held_out]
    held_out = [family for family in families if family.held_out]
    drawn: dict[Split, list[Problem]] = {
        split: _in_turn(seen, draw, count, POOLS[split], seed) for split, count in counts.items()
    }
    drawn.setdefault("test", []).extend(_in_turn(held_out, draw, held_out_test, POOLS["test"], seed))
    return Sourced(
        [
            replace(problem, id=f"{prefix}/{split}/{place:06d}")
            for split, problems in drawn.items()
            for place, problem in enumerate(problems)
        ]
    )


def _in_turn(families: Sequence[F], draw: Draw[F], count: int, pool: Pool, seed: int) -> list[Problem]:
    streams = [Random(f"{seed}/{pool.split}/{family.name}") for family in families]
    questions: set[str] = set()
    problems = []
    for place in range(count):
        before, turn = divmod(place, len(families))
        problem = _new(families[turn], draw, before, streams[turn], pool, questions)
        questions.add(problem.question)
        problems.append(problem)
    return problems


def _new(family: F, draw: Draw[F], before: int, rng: Random, pool: Pool, questions: set[str]) -> Problem:
    for _ in range(MAX_REPEATS):
        problem = draw(family, before, rng, pool)
        if problem.question not in questions:
            return problem
    raise DataError(f"family {family.name}: no more distinct questions for the {pool.split} split; lower its count")
