"""Select the problems on which models can be compared: those for which every model has all its chains."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from callwright.errors import DataError
from callwright.evaluation.perturb.run import Variant
from callwright.records import CheckedChain, Problem
from callwright.rollouts.journal import JournalEntry


@dataclass(frozen=True, slots=True)
class ModelEvaluation:
    """What one model made of the problems.

    Attributes:
        chains: the greedy one of each problem, by problem id; an attempt that failed has none.
        seconds: that a problem waited for the model's replies, on average, with many others in flight.
        samples: further chains of each problem, by problem id; empty without sampling.
        variants: a chain of each variant, in their order, None where there is none; empty for a model that was not
            asked them.
        attempts: those that made the chains, with the times and tokens of their requests, by problem id.
    """

    chains: Mapping[str, CheckedChain]
    seconds: float
    samples: Mapping[str, Sequence[CheckedChain]] = field(default_factory=dict)
    variants: Sequence[CheckedChain | None] = ()
    attempts: Mapping[str, JournalEntry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared. `dropped`: ids of problems and variants for which some model has no chain."""

    problems: list[Problem]
    variants: list[Variant]
    evaluated: dict[str, ModelEvaluation]
    dropped: list[str]

    def line(self) -> str | None:
        """A line about what was dropped; None if nothing was."""
        if not self.dropped:
            return None
        return (
            f"{len(self.dropped):,} problems and changed problems are left out for every model, such as "
            f"{self.dropped[0]}: a model has no chain of them"
        )


def select_comparable(
    problems: Sequence[Problem], variants: Sequence[Variant], evaluated: Mapping[str, ModelEvaluation]
) -> Comparison:
    """Drop, for every model, what some model has no chain of, so that all shares refer to the same problems.

    Raises:
        DataError: nothing is left.
    """
    complete = [
        problem
        for problem in problems
        if all(_is_complete(problem.id, evaluation) for evaluation in evaluated.values())
    ]
    if problems and not complete:
        raise DataError("no problem is left on which all models can be compared: see the failures above")
    ids = {problem.id for problem in complete}
    variant_chains = [evaluation.variants for evaluation in evaluated.values() if evaluation.variants]
    indexes = [
        index
        for index, variant in enumerate(variants)
        if variant.original.id in ids and all(chains[index] is not None for chains in variant_chains)
    ]
    dropped = [problem.id for problem in problems if problem.id not in ids]
    dropped += [variants[index].problem.id for index in sorted(set(range(len(variants))) - set(indexes))]
    return Comparison(
        complete,
        [variants[index] for index in indexes],
        {model: _restricted(evaluation, ids, indexes) for model, evaluation in evaluated.items()},
        dropped,
    )


def _is_complete(problem_id: str, evaluation: ModelEvaluation) -> bool:
    return problem_id in evaluation.chains and (not evaluation.samples or problem_id in evaluation.samples)


def _restricted(evaluation: ModelEvaluation, ids: set[str], indexes: Sequence[int]) -> ModelEvaluation:
    return replace(
        evaluation,
        chains={name: chain for name, chain in evaluation.chains.items() if name in ids},
        samples={name: chains for name, chains in evaluation.samples.items() if name in ids},
        variants=[evaluation.variants[index] for index in indexes] if evaluation.variants else (),
        attempts={name: attempt for name, attempt in evaluation.attempts.items() if name in ids},
    )
