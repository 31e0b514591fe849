"""Compute the metrics of reports/metrics.json from checked chains. Pure."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from callwright.agent.loop import ends_chain
from callwright.errors import DataError
from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.evaluation.perturb.run import Variant, compute_robustness
from callwright.evaluation.perturb.unseen import UnseenProblem, compute_unseen
from callwright.evaluation.samples import compute_sample_metrics
from callwright.evaluation.slices import SeenInTraining, problems_by_slice
from callwright.evaluation.statistics.compare import gain, rate_with_interval, share_with_interval
from callwright.params import EvaluateParams
from callwright.records import CheckedChain, Problem
from callwright.reports.metrics import Gain, Interval, Metrics, Rates
from callwright.reports.values import ByModel, ByName, BySlice
from callwright.tasks import Tasks
from callwright.validation.faults import GROUNDING_FAULTS

T = TypeVar("T")
Chains = Mapping[str, CheckedChain]  # by problem id
Slices = Mapping[str, Sequence[Problem]]


def compute_metrics(
    evaluated: Mapping[str, ModelEvaluation],
    problems: Sequence[Problem],
    tasks: Tasks,
    variants: Sequence[Variant],
    seen: SeenInTraining,
    params: EvaluateParams,
    unseen: Sequence[UnseenProblem] = (),
) -> Metrics:
    """All metrics of all models.

    Args:
        evaluated: results of "base", "student", "teacher", and "champion" if it was evaluated.
        problems: the problems that every model attempted, at least one.
        variants: the variants that were attempted by every model that has variant chains.
        unseen: the same for the problems that need an unseen function.

    Raises:
        DataError: a model has no chain for one of the problems.
    """
    slices = problems_by_slice(problems, seen)
    chains = {model: evaluation.chains for model, evaluation in evaluated.items()}
    correct = {model: _correct_by_problem(model, by_problem, problems) for model, by_problem in chains.items()}
    robustness = {
        model: compute_robustness(variants, evaluation.variants, evaluation.chains, params)
        for model, evaluation in evaluated.items()
        if evaluation.variants
    }
    unseen_results = {
        model: compute_unseen(unseen, evaluation.unseen, params)
        for model, evaluation in evaluated.items()
        if evaluation.unseen
    }
    valid_calls = _per_model(chains, partial(_valid_calls, confidence=params.confidence))
    grounded = _per_model(chains, partial(_grounded, confidence=params.confidence))
    return Metrics(
        accuracy=ByModel({model: _accuracy_by_slice(flags, slices, params) for model, flags in correct.items()}),
        gain=_gain_by_slice(correct["base"], correct["student"], slices, params),
        gain_over_champion=_gain_by_slice(correct["champion"], correct["student"], slices, params)
        if "champion" in correct
        else None,
        samples=ByName(
            {
                model: compute_sample_metrics(evaluation.samples, problems, tasks, params)
                for model, evaluation in evaluated.items()
                if evaluation.samples
            }
        ),
        robustness=ByName({model: results for model, results in robustness.items() if results is not None}),
        unseen=ByName({model: results for model, results in unseen_results.items() if results is not None}),
        valid_calls=ByModel({model: round(interval.value, 4) for model, interval in valid_calls.items()}),
        grounded=ByName({model: round(interval.value, 4) for model, interval in grounded.items()}),
        rates=Rates(valid_calls=ByName(valid_calls), grounded=ByName(grounded)),
        calls=ByName(_per_model(chains, _calls_per_problem)),
        tokens=ByName(_per_model(chains, _tokens_per_problem)),
        seconds_per_problem=ByName({model: round(evaluation.seconds, 3) for model, evaluation in evaluated.items()}),
        faults=ByName(_per_model(chains, count_faults)),
        first_faults=ByName(_per_model(chains, count_first_faults)),
    )


def _per_model(chains: Mapping[str, Chains], measure: Callable[[list[CheckedChain]], T]) -> dict[str, T]:
    return {model: measure(list(by_problem.values())) for model, by_problem in chains.items()}


def _accuracy_by_slice(flags: Mapping[str, bool], slices: Slices, params: EvaluateParams) -> BySlice[Interval]:
    interval_of = partial(share_with_interval, confidence=params.confidence, resamples=params.resamples)
    return BySlice(
        {
            name: interval_of([flags[problem.id] for problem in members], [problem.group for problem in members])
            for name, members in slices.items()
        }
    )


def _gain_by_slice(
    before: Mapping[str, bool], after: Mapping[str, bool], slices: Slices, params: EvaluateParams
) -> BySlice[Gain]:
    gain_of = partial(gain, confidence=params.confidence, resamples=params.resamples)
    return BySlice(
        {
            name: gain_of(
                [before[problem.id] for problem in members],
                [after[problem.id] for problem in members],
                [problem.group for problem in members],
            )
            for name, members in slices.items()
        }
    )


def _correct_by_problem(model: str, chains: Chains, problems: Sequence[Problem]) -> dict[str, bool]:
    missing = [problem.id for problem in problems if problem.id not in chains]
    if missing:
        raise DataError(f"evaluate: {model} has no chain for {len(missing):,} problems, such as {missing[0]}")
    return {problem.id: chains[problem.id].verdict.correct for problem in problems}


def _valid_calls(chains: Iterable[CheckedChain], confidence: float) -> Interval:
    """Share of all replies whose call was parsed, bound to its function and executed."""
    steps = [step for checked in chains for step in checked.chain.steps]
    return rate_with_interval(sum(step.error is None for step in steps), len(steps), confidence)


def _grounded(chains: Iterable[CheckedChain], confidence: float) -> Interval:
    """Share of all answers that a call returned and that rest on the problem."""
    answered = [checked for checked in chains if checked.chain.steps and ends_chain(checked.chain.steps[-1])]
    guessed = sum(any(fault.fault in GROUNDING_FAULTS for fault in checked.verdict.faults) for checked in answered)
    return rate_with_interval(len(answered) - guessed, len(answered), confidence)


def _calls_per_problem(chains: Sequence[CheckedChain]) -> float:
    """Mean number of calls per problem (one chain each); the last call, `answer`, and failed calls count too."""
    return round(sum(step.call is not None for checked in chains for step in checked.chain.steps) / len(chains), 2)


def _tokens_per_problem(chains: Sequence[CheckedChain]) -> float:
    """Mean number of completion tokens per problem (one chain each)."""
    return round(sum(checked.chain.usage.completion_tokens for checked in chains) / len(chains), 2)


def count_faults(chains: Iterable[CheckedChain]) -> dict[str, int]:
    """Fault -> number of chains that have it."""
    counts = Counter(name for checked in chains for name in {fault.fault for fault in checked.verdict.faults})
    return dict(sorted(counts.items()))


def count_first_faults(chains: Iterable[CheckedChain]) -> dict[str, int]:
    """Fault -> number of chains whose first fault it is; a chain without faults is not counted."""
    counts = Counter(checked.verdict.faults[0].fault for checked in chains if checked.verdict.faults)
    return dict(sorted(counts.items()))
