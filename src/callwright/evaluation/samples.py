"""Metrics over several samples per problem: pass@1, pass@k, majority vote."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from callwright.evaluation.statistics.compare import share_with_interval
from callwright.params import EvaluateParams
from callwright.records import CheckedChain, Problem
from callwright.tasks import Tasks
from callwright.tasks.task import Task

# A chain with one of these faults has no vote. Unlike the other faults they can be found without the right answer and
# the gold solution, so the vote could also be taken in use.
UNGROUNDED_FAULTS = frozenset({"ungrounded_answer", "replay_mismatch"})


def compute_sample_metrics(
    chains: Mapping[str, Sequence[CheckedChain]], problems: Sequence[Problem], tasks: Tasks, params: EvaluateParams
) -> dict[str, Any]:
    """pass@1, pass@k and the majority vote, with intervals.

    Args:
        chains: problem id -> its k samples, in order.
    """
    interval_of = partial(
        share_with_interval,
        groups=[problem.group for problem in problems],
        confidence=params.confidence,
        resamples=params.resamples,
    )
    correct_flags = [[checked.verdict.correct for checked in chains[problem.id]] for problem in problems]
    majorities = [majority_is_right(problem, tasks[problem.task], chains[problem.id]) for problem in problems]
    return {
        "k": params.samples,
        "pass_at_1": asdict(interval_of([sum(flags) / len(flags) for flags in correct_flags])),
        "pass_at_k": asdict(interval_of([any(flags) for flags in correct_flags])),
        "majority": asdict(interval_of(majorities)),
    }


def majority_is_right(problem: Problem, task: Task, chains: Sequence[CheckedChain]) -> bool:
    """Whether the answer with the most votes is right; of answers with equal votes, the one that was given first.

    Every chain with a grounded answer has a vote. Two answers count as the same if the task's grader accepts one for
    the other. An answer is right if at least one of its chains is correct: another of them may reach it by an
    unfaithful call, which can be seen only with the gold solution. Without a vote no answer is right.
    """
    answer_groups: list[tuple[str, list[CheckedChain]]] = []  # an answer, and the chains that gave it
    for checked in chains:
        answer = checked.chain.answer
        if answer is None or UNGROUNDED_FAULTS & {fault.fault for fault in checked.verdict.faults}:
            continue
        group = next(
            (
                members
                for first_answer, members in answer_groups
                if _is_same_answer(problem, task, first_answer, answer)
            ),
            None,
        )
        if group is None:
            answer_groups.append((answer, group := []))
        group.append(checked)
    largest = max((members for _, members in answer_groups), key=len, default=None)  # `max` returns the first
    return largest is not None and any(checked.verdict.correct for checked in largest)


def _is_same_answer(problem: Problem, task: Task, first: str, second: str) -> bool:
    return first == second or task.grade(replace(problem, answer=first), second) == "right"
