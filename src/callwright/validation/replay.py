"""Every call of every chain executed again, and the chain judged. Needs no model."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from callwright.agent.loop import executed
from callwright.errors import CallError, DataError
from callwright.records import Chain, CheckedChain, Problem, Step, StepError
from callwright.tasks import TASKS
from callwright.tasks.task import Task
from callwright.validation.faults import judge


def replay(chain: Chain, problem: Problem, task: Task | None = None) -> tuple[Step, ...]:
    """The chain's steps as they come out when its calls are executed now, in a fresh toolbox.

    A call that cannot be executed gives its error again. A step without a readable call had its syntax error; if an
    observation was recorded of it, it comes out without.

    Args:
        task: what the chain was asked with, where that is not the problem's own task.
    """
    toolbox = (task or TASKS[problem.task]).toolbox
    tools = toolbox.open()
    steps = []
    for step in chain.steps:
        if step.call is None:
            steps.append(replace(step, observation=None))
            continue
        named = toolbox.name_arguments(step.call)
        if isinstance(named, CallError):
            steps.append(Step(step.thought, step.call, StepError(named.fault, named.message), None))
        else:
            steps.append(executed(step.thought, named, tools))
    return tuple(steps)


def check_chain(chain: Chain, problem: Problem, task: Task | None = None) -> CheckedChain:
    """Replay and judge a chain of a problem, asked with its own task or with another."""
    return CheckedChain(chain, judge(chain, problem, replay(chain, problem, task), task))


def check_chains(chains: Iterable[Chain], problems: Mapping[str, Problem]) -> Iterator[CheckedChain]:
    """Replay and judge chains, one at a time.

    Raises:
        DataError: a chain's problem is not among `problems`.
    """
    for chain in chains:
        problem = problems.get(chain.problem_id)
        if problem is None:
            raise DataError(f"chain {chain.id} belongs to problem {chain.problem_id}, which does not exist")
        yield check_chain(chain, problem)
