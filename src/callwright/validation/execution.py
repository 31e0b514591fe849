"""Execute every call of a chain again. Needs no model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from callwright.agent.loop import ends_chain
from callwright.errors import CallError
from callwright.functions.toolbox import Toolbox, render_result, walk_value
from callwright.records import Step, StepError
from callwright.tasks.task import ExecutedSteps


def execute_again(recorded: Sequence[Step], toolbox: Toolbox) -> ExecutedSteps:
    """Execute a chain's calls in a fresh toolbox, and return the new steps and values.

    A call that cannot be executed gives its error again. A step without a readable call keeps its syntax error, and
    gets no observation, even if one was recorded.
    """
    tools = toolbox.open()
    steps: list[Step] = []
    values: list[Any] = []
    for step in recorded:
        value = observation = None
        call, error = step.call, step.error
        if call is not None:
            with_names = toolbox.name_arguments(call)
            result = with_names if isinstance(with_names, CallError) else tools.execute(with_names)
            call = call if isinstance(with_names, CallError) else with_names
            if isinstance(result, CallError):
                error = StepError(result.fault, result.message)
            else:
                value, observation, error = result.value, result.text, None
        steps.append(Step(step.thought, call, error, observation))
        values.append(value)
    return ExecutedSteps(tuple(steps), tuple(values))


def returned_texts(steps: Sequence[Step], values: Sequence[Any]) -> Iterator[str]:
    """What a chain's calls returned, except the answer: recorded observations, and each part of a value.

    Args:
        values: of the steps, executed again.
    """
    for step, value in zip(steps, values, strict=True):
        if step.observation is None or step.call is None or ends_chain(step):
            continue
        yield step.observation
        if isinstance(value, list | tuple | set | frozenset | Mapping):
            yield from (render_result(value_part, step.call.name) for value_part in walk_value(value))
