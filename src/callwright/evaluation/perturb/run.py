"""Rephrased questions and changed views: how much accuracy drops if nothing that matters has changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from random import Random

from callwright.errors import CallwrightError
from callwright.evaluation.perturb.question import QuestionPerturbation, reorder_sentences, replace_names
from callwright.evaluation.perturb.views import (
    ViewPerturbation,
    add_distractor,
    rename_all,
    rename_needed,
    reword_descriptions,
    swap_needed,
)
from callwright.evaluation.statistics.compare import difference, share_with_interval
from callwright.params import EvaluateParams, RobustnessParams
from callwright.params.evaluate import UNSEEN, Perturbation
from callwright.records import CheckedChain, Problem
from callwright.reports.metrics import ChangeResult
from callwright.reports.values import OVERALL, BySlice
from callwright.surprises import SurpriseLog, surprise_of
from callwright.tasks import Tasks
from callwright.tasks.view import PLAIN, View

_QUESTION_PERTURBATIONS: Mapping[Perturbation, QuestionPerturbation] = {
    "names": replace_names,
    "order": reorder_sentences,
}
_VIEW_PERTURBATIONS: Mapping[Perturbation, ViewPerturbation] = {
    "functions": rename_all,
    "new_name": rename_needed,
    "swapped": swap_needed,
    "reworded": reword_descriptions,
    "distractor": add_distractor,
}


@dataclass(frozen=True, slots=True)
class Variant:
    """A problem after a change, and the view in which its prompt shows the functions. The answer stays the same."""

    change: Perturbation
    original: Problem
    problem: Problem
    view: View = PLAIN


def variants_of(
    problems: Sequence[Problem],
    tasks: Tasks,
    params: RobustnessParams,
    seed: int,
    surprises: SurpriseLog | None = None,
) -> list[Variant]:
    """For each change, at most `params.problems` of the problems to which it applies.

    They are drawn at random; the seed and the change determine which ones. Variants of one change that share a view
    are next to each other. A change that raises an unexpected exception does not apply to the problem. The change
    `unseen` has problems of its own (`callwright.evaluation.perturb.unseen`).

    Args:
        surprises: counts the unexpected exceptions; by default those of the stage `evaluate`.

    Raises:
        ParamsError: a task's part `wording` cannot be imported.
    """
    log = surprises or SurpriseLog("evaluate")
    variants: list[Variant] = []
    for change in params.changes:
        if change == UNSEEN:
            continue
        drawn = Random(f"{seed}/{change}").sample(problems, len(problems))
        applicable = filter(None, map(_variant_builder(change, tasks, seed, log), drawn))
        chosen = islice(applicable, params.problems)
        variants += sorted(chosen, key=lambda variant: (variant.problem.task, variant.view.key))
    return variants


def _variant_builder(
    change: Perturbation, tasks: Tasks, seed: int, log: SurpriseLog
) -> Callable[[Problem], Variant | None]:
    """A function that changes a problem. It returns None if the change does not apply."""

    def build_variant(problem: Problem) -> Variant | None:
        task = tasks[problem.task]
        question: str | None = problem.question
        view: View | None = PLAIN
        if change in _QUESTION_PERTURBATIONS:
            question = _QUESTION_PERTURBATIONS[change](problem, task, Random(f"{seed}/{problem.id}"))
            if question == problem.question:
                return None
        else:
            view = _VIEW_PERTURBATIONS[change](problem, task, seed)
        if view is None or question is None:
            return None
        return Variant(change, problem, replace(problem, id=f"{problem.id}~{change}", question=question), view)

    def build_variant_or_log(problem: Problem) -> Variant | None:
        try:
            return build_variant(problem)
        except CallwrightError:
            raise
        except Exception as error:
            log.add(surprise_of(error), f"{problem.id}~{change}")
            return None

    return build_variant_or_log


def compute_robustness(
    variants: Sequence[Variant],
    chains: Sequence[CheckedChain | None],
    originals: Mapping[str, CheckedChain],
    params: EvaluateParams,
) -> BySlice[ChangeResult] | None:
    """Accuracy before and after each change on the same problems, and the gap: original minus changed.

    Args:
        chains: of the variants, in their order; None for a variant without a chain.
        originals: the model's chains on the original problems, by problem id.

    Returns:
        The result of each change, and of all together. A change without chains is omitted; None if all are.
    """
    share_of = partial(share_with_interval, confidence=params.confidence, resamples=params.resamples)
    difference_of = partial(difference, confidence=params.confidence, resamples=params.resamples)
    results: dict[str, ChangeResult] = {}
    for change in (*dict.fromkeys(variant.change for variant in variants), OVERALL):
        compared = [
            (originals[variant.original.id].verdict.correct, chain.verdict.correct, variant.original.group)
            for variant, chain in zip(variants, chains, strict=True)
            if chain is not None and change in (variant.change, OVERALL)
        ]
        if compared:
            before, after, groups = map(list, zip(*compared, strict=True))
            results[change] = ChangeResult(
                original=share_of(before, groups),
                changed=share_of(after, groups),
                gap=difference_of(after, before, groups),
            )
    return BySlice(results) if results else None
