"""Execute chains again and judge them. Needs no model."""

from callwright.records import Chain, CheckedChain, Problem
from callwright.tasks.task import ExecutedSteps, Task
from callwright.validation.execution import execute_again
from callwright.validation.faults import judge


def replay(chain: Chain, task: Task) -> ExecutedSteps:
    """Execute the calls of a chain again, see `execute_again`.

    Args:
        task: the task that the chain was sampled with.
    """
    return execute_again(chain.steps, task.toolbox)


def check_chain(chain: Chain, problem: Problem, task: Task) -> CheckedChain:
    """Replay and judge a chain of a problem; `task` as in `replay`."""
    return CheckedChain(chain, judge(chain, problem, task, replay(chain, task)))
