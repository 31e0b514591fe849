import pytest

from callwright.agent.loop import take_steps
from callwright.agent.protocol import NATIVE, TEXT
from callwright.chat.model import Reply, ToolCall
from callwright.records import Usage
from callwright.tasks import TASKS

EXAMPLES = {
    "arithmetic": "add(a=17, b=25)",
    "translation": "predicate(name='Dog', terms=['x'])",
    "entailment": "assume(formula='all x. (Cat(x) -> Kind(x))')",
}


def error_message(task: str, reply: Reply, protocol=TEXT) -> str:
    toolbox = TASKS[task].toolbox
    (step,) = take_steps(reply, protocol, toolbox, toolbox.open())
    assert step.error is not None and step.error.fault == "syntax"
    return step.error.message


@pytest.mark.parametrize("task", EXAMPLES)
def test_the_error_line_shows_a_call_of_the_toolbox(task):
    message = error_message(task, Reply("I do not know.", "stop", Usage()))
    assert message == f"no function call was found; write one call on the last line, like {EXAMPLES[task]}"


@pytest.mark.parametrize("task", EXAMPLES)
def test_arguments_that_python_cannot_read_show_a_call_of_the_toolbox(task):
    message = error_message(task, Reply("add(a=2 b=3)", "stop", Usage()))
    assert message.endswith(f"write numbers plainly and text in quotes, like {EXAMPLES[task]}")


def test_the_input_of_an_action_shows_arguments_of_the_toolbox():
    message = error_message("entailment", Reply("Action: assume\nAction Input: all dogs", "stop", Usage()))
    assert 'like {"formula": "all x. (Cat(x) -> Kind(x))"}' in message
    assert message.endswith(EXAMPLES["entailment"])


def test_a_tool_call_with_unreadable_arguments_shows_arguments_of_the_toolbox():
    reply = Reply("", "stop", Usage(), (ToolCall("predicate", "[1, 2]"),))
    message = error_message("translation", reply, NATIVE)
    assert message == ('the arguments of a call are a JSON object, like {"name": "Dog", "terms": ["x"]}')


def test_a_line_without_an_example_stays_as_it_is():
    message = error_message("translation", Reply("", "stop", Usage(), (ToolCall("f" * 3_000, "{}"),)), NATIVE)
    assert message == "the call is longer than 2000 characters"
