"""reports/metrics.json from checked chains: pure, the contract that other people's scripts lean on."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from callwright.agent.loop import ends_chain
from callwright.errors import DataError
from callwright.evaluation.evaluated import ModelEvaluation
from callwright.evaluation.perturb.run import Variant, compute_robustness
from callwright.evaluation.samples import compute_sample_metrics
from callwright.evaluation.slices import SeenInTraining, problems_by_slice
from callwright.evaluation.statistics.compare import Interval, gain, rate, share
from callwright.params import EvaluateParams
from callwright.records import CheckedChain, Problem
from callwright.validation.faults import GROUNDING_FAULTS

Chains = Mapping[str, CheckedChain]  # by problem id
Slices = Mapping[str, Sequence[Problem]]


def compute_metrics(
    evaluated: Mapping[str, ModelEvaluation],
    problems: Sequence[Problem],
    variants: Sequence[Variant],
    seen: SeenInTraining,
    params: EvaluateParams,
) -> dict[str, Any]:
    """All that is said of the models; docs/evaluation.md describes each key.

    Args:
        evaluated: by model: "base", "student", "teacher", and "champion" where it was evaluated.
        problems: that every model attempted.
        variants: that those models attempted which have chains of them.

    Raises:
        DataError: a model has no chain for one of the problems.
    """
    slices = problems_by_slice(problems, seen)
    chains = {model: one.chains for model, one in evaluated.items()}
    right = {model: _correct_by_problem(model, own, problems) for model, own in chains.items()}
    metrics: dict[str, Any] = {
        "accuracy": {model: _accuracy_by_slice(flags, slices, params) for model, flags in right.items()},
        "gain": _gain_by_slice(right["base"], right["student"], slices, params),
    }
    if "champion" in right:
        metrics["gain_over_champion"] = _gain_by_slice(right["champion"], right["student"], slices, params)
    samples = {
        model: compute_sample_metrics(one.samples, problems, params) for model, one in evaluated.items() if one.samples
    }
    robustness = {
        model: compute_robustness(variants, one.variants, one.chains, params)
        for model, one in evaluated.items()
        if one.variants
    }
    rates = {
        "valid_calls": _per_model(chains, partial(_valid_calls, confidence=params.confidence)),
        "grounded": _per_model(chains, partial(_grounded, confidence=params.confidence)),
    }
    return {
        **metrics,
        **({"samples": samples} if samples else {}),
        **({"robustness": robustness} if robustness else {}),
        **{name: {model: round(one.value, 4) for model, one in found.items()} for name, found in rates.items()},
        "rates": {name: {model: asdict(one) for model, one in found.items()} for name, found in rates.items()},
        "calls": _per_model(chains, _calls_per_problem),
        "tokens": _per_model(chains, _tokens_per_problem),
        "seconds_per_problem": {model: round(one.seconds, 3) for model, one in evaluated.items()},
        "faults": _per_model(chains, count_faults),
        "first_faults": _per_model(chains, count_first_faults),
    }


def _per_model(chains: Mapping[str, Chains], measure: Callable[[list[CheckedChain]], Any]) -> dict[str, Any]:
    return {model: measure(list(own.values())) for model, own in chains.items()}


def _accuracy_by_slice(flags: Mapping[str, bool], slices: Slices, params: EvaluateParams) -> dict[str, Any]:
    share_of = partial(share, confidence=params.confidence, resamples=params.resamples)
    return {
        name: asdict(share_of([flags[one.id] for one in members], [one.group for one in members]))
        for name, members in slices.items()
    }


def _gain_by_slice(
    before: Mapping[str, bool], after: Mapping[str, bool], slices: Slices, params: EvaluateParams
) -> dict[str, Any]:
    gain_of = partial(gain, confidence=params.confidence, resamples=params.resamples)
    return {
        name: asdict(
            gain_of(
                [before[one.id] for one in members], [after[one.id] for one in members], [one.group for one in members]
            )
        )
        for name, members in slices.items()
    }


def _correct_by_problem(model: str, chains: Chains, problems: Sequence[Problem]) -> dict[str, bool]:
    missing = [problem.id for problem in problems if problem.id not in chains]
    if missing:
        raise DataError(f"evaluate: {model} has no chain for {len(missing):,} problems, such as {missing[0]}")
    return {problem.id: chains[problem.id].verdict.correct for problem in problems}


def _valid_calls(chains: Iterable[CheckedChain], confidence: float) -> Interval:
    """Share of all replies whose call was read, bound and executed."""
    steps = [step for record in chains for step in record.chain.steps]
    return rate(sum(step.error is None for step in steps), len(steps), confidence)


def _grounded(chains: Iterable[CheckedChain], confidence: float) -> Interval:
    """Share of all answers that a call had returned, and that rest on the problem."""
    answered = [record for record in chains if record.chain.steps and ends_chain(record.chain.steps[-1])]
    guessed = sum(any(fault.fault in GROUNDING_FAULTS for fault in record.verdict.faults) for record in answered)
    return rate(len(answered) - guessed, len(answered), confidence)


def _calls_per_problem(chains: Sequence[CheckedChain]) -> float:
    """Calls per problem, the last one (`answer`) included, and those that failed."""
    return round(sum(step.call is not None for one in chains for step in one.chain.steps) / len(chains), 2)


def _tokens_per_problem(chains: Sequence[CheckedChain]) -> float:
    """Completion tokens per problem."""
    return round(sum(one.chain.usage.completion_tokens for one in chains) / len(chains), 2)


def count_faults(chains: Iterable[CheckedChain]) -> dict[str, int]:
    """How many chains have each fault."""
    counts = Counter(fault for record in chains for fault in {one.fault for one in record.verdict.faults})
    return dict(sorted(counts.items()))


def count_first_faults(chains: Iterable[CheckedChain]) -> dict[str, int]:
    """How many chains go wrong first by each fault; each chain counts once at most."""
    return dict(sorted(Counter(one.verdict.faults[0].fault for one in chains if one.verdict.faults).items()))
