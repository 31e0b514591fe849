"""Several samples of a problem: is one right, is any right, and is the answer right that most of them give."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from callwright.evaluation.statistics.compare import share
from callwright.params import EvaluateParams
from callwright.records import CheckedChain, Problem
from callwright.tasks import TASKS

UNGROUNDED_FAULTS = frozenset({"ungrounded_answer", "replay_mismatch"})  # faults that show without knowing the answer


def compute_sample_metrics(
    chains: Mapping[str, Sequence[CheckedChain]], problems: Sequence[Problem], params: EvaluateParams
) -> dict[str, Any]:
    """pass@1, pass@k and the majority vote, with intervals.

    Args:
        chains: problem id -> its k samples, in order.
    """
    share_of = partial(
        share, groups=[problem.group for problem in problems], confidence=params.confidence, resamples=params.resamples
    )
    right = [[checked.verdict.correct for checked in chains[problem.id]] for problem in problems]
    return {
        "k": params.samples,
        "pass_at_1": asdict(share_of([sum(flags) / len(flags) for flags in right])),
        "pass_at_k": asdict(share_of([any(flags) for flags in right])),
        "majority": asdict(share_of([majority_is_right(problem, chains[problem.id]) for problem in problems])),
    }


def majority_is_right(problem: Problem, chains: Sequence[CheckedChain]) -> bool:
    """Whether the answer with the most votes is right; of answers with as many votes the one that was given first.

    A chain votes with a grounded answer. An answer is right if one chain that gave it is correct: others may have come
    to it by a call that is unfaithful, which shows only to who knows the solution. Two answers are one where the task's
    grader takes one for the other. Without a vote there is no answer.
    """
    camps: list[tuple[str, list[CheckedChain]]] = []  # an answer, and who gave it
    for checked in chains:
        answer = checked.chain.answer
        if answer is None or UNGROUNDED_FAULTS & {fault.fault for fault in checked.verdict.faults}:
            continue
        camp = next(
            (members for first_answer, members in camps if _is_same_answer(problem, first_answer, answer)), None
        )
        if camp is None:
            camps.append((answer, camp := []))
        camp.append(checked)
    largest = max((members for _, members in camps), key=len, default=None)  # the first of equals
    return largest is not None and any(checked.verdict.correct for checked in largest)


def _is_same_answer(problem: Problem, one: str, other: str) -> bool:
    return one == other or TASKS[problem.task].grade(replace(problem, answer=one), other) == "right"
