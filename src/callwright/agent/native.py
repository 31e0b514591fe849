"""The native protocol: the chat-completions API's `tools` and `tool_calls`, or those of a model's chat template.

A reply may hold several calls. They are executed in order, and each is a step. What cannot be sent back as a tool call
(broken JSON, a name that servers reject) is kept in the history as its original text, and its error is a user message.
docs/decisions/0006 says why.
"""

import json
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from callwright.agent.parsing.json_call import end_of_brackets, read_json_value
from callwright.agent.parsing.markup.blocks import remove_markup
from callwright.agent.parsing.markup.one_call import call_continues
from callwright.agent.parsing.parse import ThoughtsAndCalls
from callwright.agent.parsing.several_calls import read_calls
from callwright.agent.parsing.syntax_faults import (
    ARGUMENTS_ADVICE,
    CALL_ADVICE,
    MANY_CALLS_MESSAGE,
    NO_CALL_MESSAGE,
    check_bounds,
    require_valid_unicode,
)
from callwright.agent.text import CUT_OFF_MESSAGE, example_result, replace_invalid_unicode, reply_text
from callwright.chat.model import Message, Reply, Tool, ToolCall
from callwright.errors import CallError
from callwright.functions.guard import MAX_ITEMS
from callwright.functions.literal import resolve_function_name
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Json, Step
from callwright.tasks.task import Task
from callwright.tasks.view import CACHE_SIZE, PLAIN, View

_SERVER_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")  # the function names that servers accept
_ADVICE = "call one of the tools"
_NO_CALL_MESSAGE = f"no function was called; {_ADVICE}"
_MIXED_MESSAGE = f"several calls stand amid other text; {_ADVICE}"


class NativeProtocol:
    """Any number of tool calls per reply; results and errors come back as tool messages."""

    name: Literal["native"] = "native"

    def render(
        self, task: Task, question: str, steps: Sequence[Step], view: View = PLAIN
    ) -> tuple[list[Message], list[Tool]]:
        """Messages that ask for the step after `steps`, and the schemas of the task's functions.

        Each step is an assistant message with one call and a tool message, even if one reply held several calls.
        """
        toolbox = view.show(task.toolbox)
        instructions = view.show_instructions(task.instructions, task.named_in_instructions)
        messages = [
            {
                "role": "system",
                "content": f"{instructions}\n\n{self.example_section(toolbox)}",
            },
            {"role": "user", "content": question},
        ]
        for step_index, step in enumerate(view.show_step(step, task.toolbox) for step in steps):
            messages += [self.reply_message(step, step_index), self.result_message(step, step_index)]
        return messages, toolbox.schemas()

    def example_section(self, toolbox: Toolbox) -> str:
        """The worked example of each function with its result, which the schemas do not have."""
        return _example_section(toolbox)

    def reply_message(self, step: Step, step_index: int) -> Message:
        """A step as the assistant's message: its thought, and its call with the arguments as JSON text.

        Args:
            step_index: index of the step in its chain, 0-based; the id of the call is made of it.
        """
        if not _can_be_tool_call(step):
            return {"role": "assistant", "content": reply_text(step)}
        assert step.call is not None
        function = {"name": step.call.name, "arguments": json.dumps(step.call.arguments, ensure_ascii=False)}
        call = {"id": _call_id(step_index), "type": "function", "function": function}
        return {"role": "assistant", "content": step.thought, "tool_calls": [call]}

    def result_message(self, step: Step, step_index: int) -> Message:
        """A step's result or error: a tool message, or a user message if the step could not be sent as a tool call."""
        text = f"Error: {step.error.message}" if step.error else str(step.observation)
        if not _can_be_tool_call(step):
            return {"role": "user", "content": text}
        return {"role": "tool", "tool_call_id": _call_id(step_index), "content": text}

    def read(self, reply: Reply) -> ThoughtsAndCalls:
        """The calls of a reply in order, the thought with the first; calls after a call of `answer` are dropped.

        Models also write calls as text, in their template's markup or in Python syntax; these are read too. The result
        is always valid Unicode.
        """
        return replace_invalid_unicode(self._read(reply))

    def _read(self, reply: Reply) -> ThoughtsAndCalls:
        if reply.finish == "length":
            return [(_as_text(reply.text, reply.tool_calls), CallError("syntax", CUT_OFF_MESSAGE))]
        if not reply.tool_calls:
            calls = read_calls(reply.text.strip())
            return _cut_after_answer([(thought, _with_advice(call)) for thought, call in calls])
        thought = remove_markup(reply.text)
        calls = [
            _read_tool_call(thought if index == 0 else "", tool_call)
            for index, tool_call in enumerate(reply.tool_calls[: MAX_ITEMS + 1])
        ]
        return _cut_after_answer(calls)


def _can_be_tool_call(step: Step) -> bool:
    return step.call is not None and _SERVER_NAME.fullmatch(step.call.name) is not None


def _call_id(step_index: int) -> str:
    """An id of nine letters and digits, as Mistral's templates require; a step has the same id in every prompt."""
    return f"call{step_index:05d}"


@lru_cache(maxsize=CACHE_SIZE)
def _example_section(toolbox: Toolbox) -> str:
    lines = [
        f"{function.example_call()} -> {example_result(function, toolbox)}" for function in toolbox.functions.values()
    ]
    return "\n".join(["In each reply call a function. Examples, with what they return:", *lines])


def _cut_after_answer(calls: ThoughtsAndCalls) -> ThoughtsAndCalls:
    if len(calls) > MAX_ITEMS:
        calls = [*calls[:MAX_ITEMS], ("", CallError("syntax", f"more than {MAX_ITEMS} calls in a reply; {_ADVICE}"))]
    for index, (_, call) in enumerate(calls):
        if isinstance(call, Call) and resolve_function_name(call.name, (ANSWER,)) == ANSWER:
            return calls[: index + 1]
    return calls


def _with_advice(call: Call | CallError) -> Call | CallError:
    """Keep a call that was written as text; in an error, replace the text protocol's advice by this protocol's."""
    if isinstance(call, Call):
        return call
    if call.message == NO_CALL_MESSAGE:
        return CallError(call.fault, _NO_CALL_MESSAGE)
    if call.message == MANY_CALLS_MESSAGE:
        return CallError(call.fault, _MIXED_MESSAGE)
    cause = call.message.removesuffix(CALL_ADVICE).rstrip("; ")
    return CallError(call.fault, cause if cause == call.message else f"{cause}; {_ADVICE}")


def _read_tool_call(thought: str, tool_call: ToolCall) -> tuple[str, Call | CallError]:
    try:
        check_bounds(tool_call.name)
        return thought, Call(require_valid_unicode(tool_call.name), _read_arguments(tool_call))
    except CallError as error:
        return _as_text(thought, (tool_call,)), error


def _as_text(thought: str, tool_calls: Sequence[ToolCall]) -> str:
    """An unreadable reply as text, with its calls in the JSON that most models use."""
    calls = (
        f'{{"name": {json.dumps(tool_call.name)}, "arguments": {tool_call.arguments}}}' for tool_call in tool_calls
    )
    return "\n".join(part for part in (thought.strip(), *calls) if part)


def _read_arguments(tool_call: ToolCall) -> dict[str, Json]:
    """Parse the arguments of a tool call, within the bounds of the text protocol.

    Models may encode the JSON twice, or write text after it. Prose after it is dropped; anything else is a fault.

    Raises:
        CallError: they are not a JSON object, too long or too deep, or hold a value that cannot be stored exactly.
    """
    text = tool_call.arguments.strip() or "{}"
    try:
        if text.startswith("{") and (end := end_of_brackets(text, 0)) < len(text) and not call_continues(text, end):
            text = text[:end]
        arguments = read_json_value(text)
        if isinstance(arguments, str) and arguments.lstrip().startswith("{"):
            arguments = read_json_value(arguments)
    except CallError as error:
        cause = error.message.partition(";")[0]
        raise CallError("syntax", f"{cause}; write the arguments as a {ARGUMENTS_ADVICE}") from None
    if arguments is None:  # servers send null for a function without parameters
        return {}
    if not isinstance(arguments, dict):
        raise CallError("syntax", f"the arguments of a call are a {ARGUMENTS_ADVICE}")
    return arguments


NATIVE = NativeProtocol()
