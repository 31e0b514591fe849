"""Every chain executed again and judged. Needs no model."""

from callwright.records import Chain, CheckedChain, Problem
from callwright.tasks import TASKS
from callwright.tasks.task import ExecutedSteps, Task
from callwright.validation.execution import execute_again
from callwright.validation.faults import judge


def replay(chain: Chain, problem: Problem, task: Task | None = None) -> ExecutedSteps:
    """See `callwright.validation.execution.execute_again`.

    Args:
        task: what the chain was asked with, where that is not the problem's own task.
    """
    return execute_again(chain.steps, (task or TASKS[problem.task]).toolbox)


def check_chain(chain: Chain, problem: Problem, task: Task | None = None) -> CheckedChain:
    """Replay and judge a chain of a problem, asked with its own task or with another."""
    return CheckedChain(chain, judge(chain, problem, replay(chain, problem, task), task))
