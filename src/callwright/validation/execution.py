"""Every call of a chain executed again. Needs no model."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from callwright.agent.loop import ends_chain
from callwright.errors import CallError
from callwright.functions.toolbox import Toolbox, parts_of, text_of
from callwright.records import Step, StepError
from callwright.tasks.task import Executed


def execute_again(recorded: Sequence[Step], toolbox: Toolbox) -> Executed:
    """The steps of a chain as they come out when their calls are executed now, in a fresh toolbox, and the values.

    A call that cannot be executed gives its error again. A step without a readable call had its syntax error; if an
    observation was recorded of it, it comes out without.
    """
    tools = toolbox.open()
    steps: list[Step] = []
    values: list[Any] = []
    for step in recorded:
        value = observation = None
        call, error = step.call, step.error
        if call is not None:
            named = toolbox.name_arguments(call)
            result = named if isinstance(named, CallError) else tools.execute(named)
            call = call if isinstance(named, CallError) else named
            if isinstance(result, CallError):
                error = StepError(result.fault, result.message)
            else:
                value, observation, error = result.value, result.text, None
        steps.append(Step(step.thought, call, error, observation))
        values.append(value)
    return Executed(tuple(steps), tuple(values))


def returned_texts(steps: Sequence[Step], values: Sequence[Any]) -> Iterator[str]:
    """What the calls of a chain returned, but for its answer: observations as recorded, and each part of a value.

    Args:
        values: of the steps, executed again.
    """
    for step, value in zip(steps, values, strict=True):
        if step.observation is None or step.call is None or ends_chain(step):
            continue
        yield step.observation
        if isinstance(value, list | tuple | set | frozenset | Mapping):
            yield from (text_of(part, step.call.name) for part in parts_of(value))
