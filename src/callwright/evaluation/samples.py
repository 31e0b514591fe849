"""Several samples of a problem: is one right, is any right, and is the answer right that most of them give."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from callwright.evaluation.compare import share
from callwright.params import EvaluateParams
from callwright.records import CheckedChain, Problem
from callwright.tasks import TASKS

UNGROUNDED = frozenset({"ungrounded_answer", "replay_mismatch"})  # faults that show without knowing the answer


def samples_of(
    chains: Mapping[str, Sequence[CheckedChain]], problems: Sequence[Problem], params: EvaluateParams
) -> dict[str, Any]:
    """pass@1, pass@k and the majority vote, with intervals.

    Args:
        chains: problem id -> its k samples, in order.
    """
    share_of = partial(
        share, groups=[one.group for one in problems], confidence=params.confidence, resamples=params.resamples
    )
    right = [[one.verdict.correct for one in chains[problem.id]] for problem in problems]
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
    for one in chains:
        answer = one.chain.answer
        if answer is None or UNGROUNDED & {fault.fault for fault in one.verdict.faults}:
            continue
        home = next((members for given, members in camps if _same(problem, given, answer)), None)
        if home is None:
            camps.append((answer, home := []))
        home.append(one)
    largest = max((members for _, members in camps), key=len, default=None)  # the first of equals
    return largest is not None and any(one.verdict.correct for one in largest)


def _same(problem: Problem, one: str, other: str) -> bool:
    return one == other or TASKS[problem.task].grade(replace(problem, answer=one), other) == "right"
