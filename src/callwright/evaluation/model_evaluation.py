"""The results of evaluating one model, and the problems on which several models can be compared."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from callwright.errors import DataError
from callwright.evaluation.perturb.run import Variant
from callwright.evaluation.perturb.unseen import UnseenProblem
from callwright.records import CheckedChain, Problem
from callwright.rollouts.journal import JournalEntry


@dataclass(frozen=True, slots=True)
class ModelEvaluation:
    """One model's results.

    Attributes:
        chains: the greedy chain of each problem, by problem id; a failed attempt has none.
        seconds: mean time per problem spent waiting for the model, while other problems are in flight.
        samples: further chains of each problem, by problem id; empty without sampling.
        variants: the chain of each variant, in the variants' order; None where the attempt failed. Empty for a model
            that is not evaluated on variants.
        unseen: the same for the problems that need an unseen function.
        attempts: the attempts behind `chains`, with seconds and tokens of each request, by problem id.
    """

    chains: Mapping[str, CheckedChain]
    seconds: float
    samples: Mapping[str, Sequence[CheckedChain]] = field(default_factory=dict)
    variants: Sequence[CheckedChain | None] = ()
    unseen: Sequence[CheckedChain | None] = ()
    attempts: Mapping[str, JournalEntry] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is compared. `dropped`: ids of problems, changed ones too, for which at least one model has no chain."""

    problems: list[Problem]
    variants: list[Variant]
    unseen: list[UnseenProblem]
    evaluated: dict[str, ModelEvaluation]
    dropped: list[str]

    def dropped_message(self) -> str | None:
        """One line about what was dropped; None if nothing was."""
        if not self.dropped:
            return None
        return (
            f"{len(self.dropped):,} problems and changed problems are dropped for all models, for example "
            f"{self.dropped[0]}: at least one model has no chain of them"
        )


def select_comparable(
    problems: Sequence[Problem],
    variants: Sequence[Variant],
    evaluated: Mapping[str, ModelEvaluation],
    unseen: Sequence[UnseenProblem] = (),
) -> Comparison:
    """Drop problems and variants for which at least one model has no chain, so that all shares have the same base.

    Raises:
        DataError: no problem is left.
    """
    complete = [
        problem
        for problem in problems
        if all(_is_complete(problem.id, evaluation) for evaluation in evaluated.values())
    ]
    if problems and not complete:
        raise DataError("no problem is left on which all models can be compared: see the failures above")
    ids = {problem.id for problem in complete}
    in_common = _indexes_in_common([evaluation.variants for evaluation in evaluated.values()], len(variants))
    variant_indexes = [index for index in in_common if variants[index].original.id in ids]
    unseen_indexes = _indexes_in_common([evaluation.unseen for evaluation in evaluated.values()], len(unseen))
    dropped = [problem.id for problem in problems if problem.id not in ids]
    dropped += [variants[index].problem.id for index in sorted(set(range(len(variants))) - set(variant_indexes))]
    dropped += [unseen[index].problem.id for index in sorted(set(range(len(unseen))) - set(unseen_indexes))]
    return Comparison(
        complete,
        [variants[index] for index in variant_indexes],
        [unseen[index] for index in unseen_indexes],
        {model: _restrict(each, ids, variant_indexes, unseen_indexes) for model, each in evaluated.items()},
        dropped,
    )


def _indexes_in_common(chains_of_models: Iterable[Sequence[CheckedChain | None]], count: int) -> list[int]:
    """The indexes at which every model that has chains has one."""
    evaluated = [chains for chains in chains_of_models if chains]
    return [index for index in range(count) if all(chains[index] is not None for chains in evaluated)]


def _is_complete(problem_id: str, evaluation: ModelEvaluation) -> bool:
    return problem_id in evaluation.chains and (not evaluation.samples or problem_id in evaluation.samples)


def _restrict(
    evaluation: ModelEvaluation, ids: set[str], variants: Sequence[int], unseen: Sequence[int]
) -> ModelEvaluation:
    return replace(
        evaluation,
        chains={problem_id: chain for problem_id, chain in evaluation.chains.items() if problem_id in ids},
        samples={problem_id: chains for problem_id, chains in evaluation.samples.items() if problem_id in ids},
        variants=[evaluation.variants[index] for index in variants] if evaluation.variants else (),
        unseen=[evaluation.unseen[index] for index in unseen] if evaluation.unseen else (),
        attempts={problem_id: attempt for problem_id, attempt in evaluation.attempts.items() if problem_id in ids},
    )
