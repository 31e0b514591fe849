"""The demonstrations that the warm-up imitates: the steps of correct chains."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from callwright.agent.conversation import make_demonstration
from callwright.records import Chain, CheckedChain, Demonstration, Problem
from callwright.tasks import Tasks
from callwright.tasks.task import Task


def demonstrations_of(
    records: Iterable[CheckedChain], problems: Mapping[str, Problem], tasks: Tasks
) -> list[Demonstration]:
    """Every step of one chain per problem and protocol: the shortest that is correct and has no fault.

    Ordered by the problems' ids. Of several shortest chains, the one with the smallest id is used.
    """
    candidates: dict[tuple[str, str], list[Chain]] = defaultdict(list)
    for record in records:
        if record.verdict.correct and not record.verdict.faults:  # a correct chain may have recovered from one
            candidates[record.chain.problem_id, record.chain.protocol].append(record.chain)
    shortest = (min(candidates[key], key=lambda chain: (len(chain.steps), chain.id)) for key in sorted(candidates))
    demonstrations: list[Demonstration] = []
    for chain in shortest:
        problem = problems[chain.problem_id]
        demonstrations += _steps_of(chain, problem, tasks[problem.task])
    return demonstrations


def _steps_of(chain: Chain, problem: Problem, task: Task) -> list[Demonstration]:
    return [
        make_demonstration(f"{chain.id}#{index}", problem, task, chain.protocol, chain.steps[:index], step)
        for index, step in enumerate(chain.steps)
    ]
