"""reports/metrics.json from checked chains: pure, the contract that other people's scripts lean on."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from callwright.agent.loop import ends_chain
from callwright.errors import DataError
from callwright.evaluation.compare import gain, share
from callwright.params import EvaluateParams
from callwright.records import CheckedChain, Problem

OVERALL = "overall"


def metrics_of(
    evaluated: Mapping[str, Mapping[str, CheckedChain]],
    problems: Sequence[Problem],
    seen_groups: frozenset[str],
    params: EvaluateParams,
) -> dict[str, Any]:
    """Accuracy by model and slice, the student's gain over the base, valid calls, grounded answers.

    Args:
        evaluated: model ("base", "student", "teacher") -> problem id -> checked chain.
        problems: that every model attempted.
        seen_groups: groups that training saw; the others are the slice `held_out`.

    Raises:
        DataError: a model has no chain for one of the problems.
    """
    slices = slices_of(problems, seen_groups)
    right = {model: _right(model, chains, problems) for model, chains in evaluated.items()}
    accuracy = {
        model: {
            name: asdict(
                share(
                    [flags[problem.id] for problem in members],
                    [problem.group for problem in members],
                    params.confidence,
                    params.resamples,
                )
            )
            for name, members in slices.items()
        }
        for model, flags in right.items()
    }
    gains = {
        name: asdict(
            gain(
                [right["base"][problem.id] for problem in members],
                [right["student"][problem.id] for problem in members],
                [problem.group for problem in members],
                params.confidence,
                params.resamples,
            )
        )
        for name, members in slices.items()
    }
    return {
        "accuracy": accuracy,
        "gain": gains,
        "valid_calls": {model: _valid_calls(chains.values()) for model, chains in evaluated.items()},
        "grounded": {model: _grounded(chains.values()) for model, chains in evaluated.items()},
        "tokens": {
            model: round(sum(one.chain.usage.completion_tokens for one in chains.values()) / len(problems), 2)
            for model, chains in evaluated.items()
        },
        "faults": {model: faults_of(chains.values()) for model, chains in evaluated.items()},
    }


def slices_of(problems: Sequence[Problem], seen_groups: frozenset[str]) -> dict[str, list[Problem]]:
    """Problems by slice: overall, each task, and within it seen or held-out groups and the number of gold steps."""
    slices: dict[str, list[Problem]] = {OVERALL: list(problems)}
    namers: list[Callable[[Problem], str | None]] = [
        lambda problem: problem.task,
        lambda problem: f"{problem.task}/{'seen' if problem.group in seen_groups else 'held_out'}",
        lambda problem: f"{problem.task}/steps_{len(problem.solution) - 1}" if problem.solution else None,
    ]
    for namer in namers:
        for problem in sorted(problems, key=lambda one: namer(one) or ""):
            name = namer(problem)
            if name:
                slices.setdefault(name, []).append(problem)
    return slices


def _right(model: str, chains: Mapping[str, CheckedChain], problems: Sequence[Problem]) -> dict[str, bool]:
    missing = [problem.id for problem in problems if problem.id not in chains]
    if missing:
        raise DataError(f"evaluate: {model} has no chain for {len(missing):,} problems, such as {missing[0]}")
    return {problem.id: chains[problem.id].verdict.correct for problem in problems}


def _valid_calls(chains: Iterable[CheckedChain]) -> float:
    """Share of all replies whose call was read, bound and executed."""
    steps = [step for record in chains for step in record.chain.steps]
    return round(sum(step.error is None for step in steps) / len(steps), 4) if steps else 0.0


def _grounded(chains: Iterable[CheckedChain]) -> float:
    """Share of all answers that a call had returned."""
    answered = [record for record in chains if record.chain.steps and ends_chain(record.chain.steps[-1])]
    guessed = sum(any(fault.fault == "ungrounded_answer" for fault in record.verdict.faults) for record in answered)
    return round(1 - guessed / len(answered), 4) if answered else 0.0


def faults_of(chains: Iterable[CheckedChain]) -> dict[str, int]:
    """How many chains have each fault."""
    counts = Counter(fault for record in chains for fault in {one.fault for one in record.verdict.faults})
    return dict(sorted(counts.items()))
