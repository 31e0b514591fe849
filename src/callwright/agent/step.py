"""Execute the call of one step. The agent's loop and validation's replay share this, so that they cannot disagree."""

from dataclasses import dataclass
from typing import Any

from callwright.errors import CallError
from callwright.functions.toolbox import OpenToolbox, Toolbox
from callwright.records import Call, Step, StepError


@dataclass(frozen=True, slots=True)
class ExecutedStep:
    """A step with its observation or error.

    Attributes:
        value: what the function returned, of which the observation is the text; None if the call failed.
    """

    step: Step
    value: Any = None


def execute_step(thought: str, call: Call, toolbox: Toolbox, open_toolbox: OpenToolbox) -> ExecutedStep:
    """Name a call's arguments, execute it, and return the step with its observation or error.

    The step has the call with named arguments; if they cannot be named, the call as it was written.

    Args:
        open_toolbox: `toolbox`, opened for the chain that the step belongs to.

    Raises:
        Exception: whatever a defective function raised (docs/decisions/0005).
    """
    named_call = toolbox.name_arguments(call)
    if isinstance(named_call, CallError):
        return ExecutedStep(failed_step(thought, call, named_call))
    result = open_toolbox.execute(named_call)
    if isinstance(result, CallError):
        return ExecutedStep(failed_step(thought, named_call, result))
    return ExecutedStep(Step(thought, named_call, None, result.text), result.value)


def failed_step(thought: str, call: Call | None, error: CallError) -> Step:
    """A step without an observation; `call` is None if the reply could not be read."""
    return Step(thought, call, StepError(error.fault, error.message), None)
