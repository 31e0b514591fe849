"""The problems on which models can be compared: those of which every model has all its chains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from callwright.errors import DataError
from callwright.evaluation.evaluated import Evaluated
from callwright.evaluation.robustness import Variant
from callwright.records import Problem


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared. `dropped`: ids of problems and variants that one of the models has no chain of."""

    problems: list[Problem]
    variants: list[Variant]
    evaluated: dict[str, Evaluated]
    dropped: list[str]

    def line(self) -> str | None:
        """What to tell about the dropped ones; None without any."""
        if not self.dropped:
            return None
        return (
            f"{len(self.dropped):,} problems and changed problems are left out for every model, such as "
            f"{self.dropped[0]}: a model has no chain of them"
        )


def comparison_of(
    problems: Sequence[Problem], variants: Sequence[Variant], evaluated: Mapping[str, Evaluated]
) -> Comparison:
    """Leave out what one of the models has no chain of, for all of them: shares are of the same problems then.

    Raises:
        DataError: nothing is left.
    """
    kept = [one for one in problems if all(_is_complete(one.id, own) for own in evaluated.values())]
    if problems and not kept:
        raise DataError("no problem is left on which all models can be compared: see the failures above")
    ids = {one.id for one in kept}
    asked = [own.variants for own in evaluated.values() if own.variants]
    places = [
        place
        for place, variant in enumerate(variants)
        if variant.original.id in ids and all(chains[place] is not None for chains in asked)
    ]
    left = [one.id for one in problems if one.id not in ids]
    left += [variants[place].problem.id for place in sorted(set(range(len(variants))) - set(places))]
    return Comparison(
        kept,
        [variants[place] for place in places],
        {model: _only(own, ids, places) for model, own in evaluated.items()},
        left,
    )


def _is_complete(problem_id: str, own: Evaluated) -> bool:
    return problem_id in own.chains and (not own.samples or problem_id in own.samples)


def _only(own: Evaluated, ids: set[str], places: Sequence[int]) -> Evaluated:
    return replace(
        own,
        chains={name: chain for name, chain in own.chains.items() if name in ids},
        samples={name: chains for name, chains in own.samples.items() if name in ids},
        variants=[own.variants[place] for place in places] if own.variants else (),
        attempts={name: attempt for name, attempt in own.attempts.items() if name in ids},
    )
