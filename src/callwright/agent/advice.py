"""The advice in an error line that the model reads: an example call of the toolbox that the model may call."""

import json

from callwright.agent.parsing.syntax_faults import ARGUMENTS_ADVICE, CALL_ADVICE, EXAMPLE_ARGUMENTS, EXAMPLE_CALL
from callwright.errors import CallError
from callwright.functions.toolbox import ANSWER, Toolbox


def with_toolbox_example(error: CallError, toolbox: Toolbox) -> CallError:
    """The error of an unreadable call, with an example of the toolbox's first function instead of the parser's own."""
    function = next((function for name, function in toolbox.functions.items() if name != ANSWER), None)
    function = function or toolbox.functions[ANSWER]
    message = error.message
    if message.endswith(CALL_ADVICE):
        message = message.removesuffix(EXAMPLE_CALL) + function.example_call()
    if ARGUMENTS_ADVICE in message:
        arguments = json.dumps(function.example, ensure_ascii=False)
        advice = ARGUMENTS_ADVICE.replace(EXAMPLE_ARGUMENTS, arguments)
        message = message.replace(ARGUMENTS_ADVICE, advice, 1)
    return CallError(error.fault, message)
