"""Grade the answers of chains, whose other steps validation checks later. Grading a formula takes Z3 about 1 ms."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import tee

from callwright.execution.map_shards import map_shards
from callwright.execution.shards import ChainShard, chunks_of
from callwright.records import Chain, Problem
from callwright.rollouts.journal import JournalEntry
from callwright.rollouts.plan import Attempt
from callwright.surprises import UNEXPECTED, Surprise, surprise_of
from callwright.tasks import Tasks
from callwright.tasks.task import Task

CHAINS_PER_SHARD = 256

Graded = tuple[Attempt, JournalEntry, bool | Surprise]


@dataclass(frozen=True)
class AnswerShard:
    """Answers with the ids of their problems, and these problems."""

    problems: ChainShard[Chain]  # without chains: grading needs only the answers
    answers: Sequence[tuple[str, str | None]]


def answered_right(answer: str | None, problem: Problem, task: Task) -> bool:
    """Whether an answer is graded right. The validation checks how the chain got there."""
    return answer is not None and task.grade(problem, answer) == "right"


def grade_attempts(
    finished: Iterable[tuple[Attempt, JournalEntry]], tasks: Tasks, workers: int | None = None
) -> Iterator[Graded]:
    """Whether each answer is right, or the unexpected error that its grader raised; in order.

    Args:
        tasks: those of the attempts; worker processes load them by their modules.
        workers: number of processes; by default one per core, if they are worth their start.
    """
    to_grade, to_return = tee(finished)
    shards = map(_shard, chunks_of(to_grade, CHAINS_PER_SHARD))
    results = map_shards(partial(grade_shard, tasks), shards, workers=workers)
    grades = (grade for shard_grades in results for grade in shard_grades)
    for (attempt, entry), grade in zip(to_return, grades, strict=True):
        yield attempt, entry, grade


def grade_shard(tasks: Tasks, shard: AnswerShard) -> list[bool | Surprise]:
    """The grade of each answer of a shard, see `grade_attempts`."""
    problems = {problem.id: problem for problem in shard.problems.problems}
    return [_grade(answer, problems[problem_id], tasks) for problem_id, answer in shard.answers]


def _grade(answer: str | None, problem: Problem, tasks: Tasks) -> bool | Surprise:
    try:
        return answered_right(answer, problem, tasks[problem.task])
    except UNEXPECTED as error:
        return surprise_of(error)


def _shard(chunk: Sequence[tuple[Attempt, JournalEntry]]) -> AnswerShard:
    problems = {attempt.problem.id: attempt.problem for attempt, _ in chunk}
    answers = [(attempt.problem.id, entry.chain.answer) for attempt, entry in chunk]
    return AnswerShard(ChainShard(tuple(problems.values()), ()), answers)
