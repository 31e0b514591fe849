"""Synthetic translation problems for every split, spread evenly over the families."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from callwright.errors import DataError
from callwright.problems.sentences import TASK
from callwright.problems.source import Sourced
from callwright.problems.synthetic.draw import SOURCE
from callwright.problems.synthetic.pool import POOLS, Pool
from callwright.problems.synthetic_logic.translation_families import HELD_OUT, SEEN
from callwright.problems.synthetic_logic.translation_family import Family, draw
from callwright.records import Problem, Split

MAX_REPEATS = 1_000  # of questions that were drawn before, in a row


def translation_problems(counts: Mapping[Split, int], held_out_test: int, seed: int) -> Sourced:
    """Problems with ids like "synthetic/translation/train/000123", no question twice.

    Each family has its own stream of random words, so a larger count adds problems and changes none.

    Args:
        counts: problems of the seen families, by split; a split that is missing gets none.
        held_out_test: further test problems, of the held-out families.
        seed: the same seed gives the same problems on any machine.

    Raises:
        DataError: a family has no more distinct questions.
    """
    sourced = Sourced()
    for split, count in counts.items():
        sourced.problems += _numbered(split, _round_robin(SEEN, count, POOLS[split], seed))
    done = counts.get("test", 0)
    sourced.problems += _numbered("test", _round_robin(HELD_OUT, held_out_test, POOLS["test"], seed), start=done)
    return sourced


def _numbered(split: Split, problems: Sequence[Problem], start: int = 0) -> list[Problem]:
    return [
        replace(problem, id=f"{SOURCE}/{TASK}/{split}/{place:06d}") for place, problem in enumerate(problems, start)
    ]


def _round_robin(families: Sequence[Family], count: int, pool: Pool, seed: int) -> list[Problem]:
    """Questions cannot repeat between pools: a family's words differ; nor between families, whose wordings do."""
    streams = [Random(f"{seed}/{TASK}/{pool.split}/{family.name}") for family in families]
    questions: set[str] = set()
    problems = []
    for place in range(count):
        turn = place % len(families)
        problem = _draw_new(families[turn], streams[turn], pool, questions)
        questions.add(problem.question)
        problems.append(problem)
    return problems


def _draw_new(family: Family, rng: Random, pool: Pool, questions: set[str]) -> Problem:
    for _ in range(MAX_REPEATS):
        problem = draw(family, rng, pool)
        if problem.question not in questions:
            return problem
    raise DataError(f"family {family.name}: no more distinct questions for the {pool.split} split; lower its count")
