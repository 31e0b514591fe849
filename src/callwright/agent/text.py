"""The text protocol: calls in Python syntax within plain text. Works with any chat model."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal

from callwright.agent.parsing.parse import ThoughtsAndCalls, read_reply
from callwright.chat.model import Message, Reply, Tool
from callwright.errors import CallError
from callwright.functions.function import Function, render_call
from callwright.functions.toolbox import Observation, Toolbox
from callwright.records import Call, Step
from callwright.tasks.task import Task
from callwright.tasks.view import CACHE_SIZE, PLAIN, View

CUT_OFF_MESSAGE = "the reply was cut off; write one short call"
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class TextProtocol:
    """One call per reply, on its last line; results and errors come back as user messages."""

    name: Literal["text"] = "text"

    def render(
        self, task: Task, question: str, steps: Sequence[Step], view: View = PLAIN
    ) -> tuple[list[Message], list[Tool]]:
        """Messages that ask for the step after `steps`; no tools."""
        functions = self.function_section(view.show(task.toolbox))
        instructions = view.show_instructions(task.instructions, task.named_in_instructions)
        messages = [
            {"role": "system", "content": f"{instructions}\n\n{functions}"},
            {"role": "user", "content": question},
        ]
        for step_index, step in enumerate(view.show_step(step, task.toolbox) for step in steps):
            messages += [self.reply_message(step, step_index), self.result_message(step)]
        return messages, []

    def function_section(self, toolbox: Toolbox) -> str:
        """The part of the system prompt with a line for each function: signature, help, example with its result."""
        return _function_section(toolbox)

    def reply_message(self, step: Step, step_index: int = 0) -> Message:
        """A step as the assistant's message; `step_index` is part of the interface and not used."""
        return {"role": "assistant", "content": reply_text(step)}

    def result_message(self, step: Step) -> Message:
        """The user message with a step's result or error."""
        text = f"Error: {step.error.message}" if step.error else f"Result: {step.observation}"
        return {"role": "user", "content": text}

    def read(self, reply: Reply) -> ThoughtsAndCalls:
        """The one thought and call of a reply; for an unreadable reply, its whole text and the error.

        The result is always valid Unicode.
        """
        if reply.finish == "length":
            return replace_invalid_unicode([(reply.text.strip(), CallError("syntax", CUT_OFF_MESSAGE))])
        return replace_invalid_unicode([read_reply(reply.text)])


def replace_invalid_unicode(calls: ThoughtsAndCalls) -> ThoughtsAndCalls:
    """Replace lone surrogates in the thoughts, because UTF-8 cannot encode them: they could not be stored or sent.

    Calls and error messages are valid Unicode already: a lone surrogate in a call is a fault, and messages are
    printable.
    """
    return [(_LONE_SURROGATE.sub("\ufffd", thought), call) for thought, call in calls]


def reply_text(step: Step) -> str:
    """A step's thought and call as text."""
    call = render_call(step.call) if step.call else ""
    return "\n".join(part for part in (step.thought, call) if part)


def example_result(function: Function, toolbox: Toolbox) -> str:
    """The result of a function's example call, as text.

    Raises:
        TypeError: the example fails, which is a mistake of the function's author.
    """
    result = toolbox.open().execute(Call(function.name, function.example))
    if not isinstance(result, Observation):
        raise TypeError(f"the example of {function.name} fails: {result.message}")
    return result.text


@lru_cache(maxsize=CACHE_SIZE)  # every request renders this, and an example may need a solver
def _function_section(toolbox: Toolbox) -> str:
    lines = [_describe(function, toolbox) for function in toolbox.functions.values()]
    return "\n".join(["In each reply write one call. The functions:", *lines])


def _describe(function: Function, toolbox: Toolbox) -> str:
    result = example_result(function, toolbox)
    return f"{function.signature()}: {function.description} Example: {function.example_call()} -> {result}"


TEXT = TextProtocol()
