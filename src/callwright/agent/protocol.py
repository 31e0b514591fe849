"""How steps become messages, and a reply becomes a call. Everything a model reads is rendered from steps alone.

So the prompt of a training pair and the prompt at inference are the same text by construction.
"""

from collections.abc import Sequence

from callwright.agent.parse import parse_call, split_reply
from callwright.chat.model import Message, Reply, Tool
from callwright.errors import CallError
from callwright.functions.function import Function, render_call
from callwright.functions.toolbox import Observation, Toolbox
from callwright.records import Call, Step
from callwright.tasks.task import Task


class TextProtocol:
    """Calls in Python syntax within plain text: works with any chat model."""

    name = "text"

    def render(self, task: Task, question: str, steps: Sequence[Step]) -> tuple[list[Message], list[Tool]]:
        """Messages (and, for other protocols, tools) that ask for the step after `steps`."""
        messages = [
            {"role": "system", "content": f"{task.instructions}\n\n{self.function_section(task.toolbox)}"},
            {"role": "user", "content": question},
        ]
        for step in steps:
            messages += [self.reply_message(step), self.result_message(step)]
        return messages, []

    def function_section(self, toolbox: Toolbox) -> str:
        """What the system prompt says of every function: signature, help line, worked example with its result."""
        lines = [_describe(function, toolbox) for function in toolbox.functions.values()]
        return "\n".join(["In each reply write one call. The functions:", *lines])

    def reply_message(self, step: Step) -> Message:
        """A step as the assistant's message: what is trained on and what stands in the history."""
        call = render_call(step.call) if step.call else ""
        return {"role": "assistant", "content": "\n".join(part for part in (step.thought, call) if part)}

    def result_message(self, step: Step) -> Message:
        """What came of a step, as the model reads it."""
        text = f"Error: {step.error.message}" if step.error else f"Result: {step.observation}"
        return {"role": "user", "content": text}

    def read(self, reply: Reply) -> tuple[str, Call | CallError]:
        """The thought and the call of a reply; for an unreadable reply, its whole text and the error."""
        if reply.finish == "length":
            return reply.text.strip(), CallError("syntax", "the reply was cut off; write one short call")
        call = parse_call(reply.text)
        if isinstance(call, CallError):
            return reply.text.strip(), call
        return split_reply(reply.text)[0], call


def _describe(function: Function, toolbox: Toolbox) -> str:
    result = toolbox.open().execute(Call(function.name, function.example))
    if not isinstance(result, Observation):
        raise TypeError(f"the example of {function.name} fails: {result.message}")
    return f"{function.signature()}: {function.description} Example: {function.usage()} -> {result.text}"


TEXT = TextProtocol()
