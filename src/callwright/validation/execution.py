"""Execute every call of a chain again. Needs no model."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from callwright.agent.loop import ExecutedStep, ends_chain, execute_step
from callwright.functions.toolbox import Toolbox, render_result, walk_value
from callwright.records import Step
from callwright.tasks.task import ExecutedSteps


def execute_again(recorded: Sequence[Step], toolbox: Toolbox) -> ExecutedSteps:
    """Execute a chain's calls in a fresh toolbox, and return the new steps and values.

    A call that cannot be executed gives its error again. A step without a readable call keeps its syntax error, and
    gets no observation, even if one was recorded.

    Raises:
        Exception: whatever a defective function raised (docs/decisions/0005).
    """
    open_toolbox = toolbox.open()
    results = [
        ExecutedStep(replace(step, observation=None))
        if step.call is None
        else execute_step(step.thought, step.call, toolbox, open_toolbox)
        for step in recorded
    ]
    return ExecutedSteps(tuple(result.step for result in results), tuple(result.value for result in results))


def returned_texts(steps: Sequence[Step], values: Sequence[Any]) -> Iterator[str]:
    """The texts that a chain's calls returned, except the answer: recorded observations, and each part of a value.

    Args:
        values: of the steps, from `execute_again`.
    """
    for step, value in zip(steps, values, strict=True):
        if step.observation is None or step.call is None or ends_chain(step):
            continue
        yield step.observation
        if isinstance(value, list | tuple | set | frozenset | Mapping):
            yield from (render_result(value_part, step.call.name) for value_part in walk_value(value))
