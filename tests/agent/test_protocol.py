import pytest

from callwright.agent.loop import solve
from callwright.agent.parsing.parse import parse_call
from callwright.agent.protocol import TEXT
from callwright.chat.model import Reply, Sampling
from callwright.errors import CallError
from callwright.functions.function import function
from callwright.functions.numbers import Number, execution_error
from callwright.functions.toolbox import Toolbox
from callwright.records import Chain, Usage
from callwright.storage import jsonl
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.functions import answer
from tests.fakes import TOOLBOX, ScriptedChat, problem, step

TASK = TASKS["arithmetic"]
EXAMPLE_RESULTS = {
    "add": "42",  # 17 + 25
    "subtract": "28",  # 40 - 12
    "multiply": "48",  # 6 x 8
    "divide": "12",  # 84 / 7
    "power": "32",  # 2 ** 5
    "remainder": "2",  # 17 - 3 x 5
    "percent_of": "12",  # 80 x 0.15
    "round_to": "7.4",
    "solve": "7",  # 3 x 7 + 5 = 26
    "answer": "42",
}


def test_every_function_is_described_with_the_result_of_its_example():
    assert list(TOOLBOX.functions) == list(EXAMPLE_RESULTS)
    lines = TEXT.function_section(TOOLBOX).split("\n")[1:]
    for line, (name, result) in zip(lines, EXAMPLE_RESULTS.items(), strict=True):
        assert line.startswith(f"{name}(")
        assert line.endswith(f"-> {result}")


def test_a_function_is_described_by_signature_help_and_example():
    lines = TEXT.function_section(TOOLBOX).split("\n")
    assert lines[1] == "add(a, b): The sum of two numbers. Example: add(a=17, b=25) -> 42"
    assert lines[8].startswith("round_to(number, decimals=0): ")


def test_a_function_whose_example_fails_is_rejected():
    @function(example={"number": -1})
    def root(number: Number) -> Number:
        """The square root."""
        raise execution_error("no root of a negative number")

    with pytest.raises(TypeError, match="the example of root fails: no root of a negative number"):
        TEXT.function_section(Toolbox([root, answer]))


def test_the_messages_are_the_prompt_the_question_and_each_reply_with_its_result():
    steps = [step("First.\nadd(2, 3)"), step("add(2"), step("divide(5, 0)")]
    messages, tools = TEXT.render(TASK, "How many?", steps)
    assert tools == []
    assert [message["role"] for message in messages] == ["system", "user"] + ["assistant", "user"] * 3
    assert messages[0]["content"] == f"{TASK.instructions}\n\n{TEXT.function_section(TOOLBOX)}"
    assert [message["content"] for message in messages[1:]] == [
        "How many?",
        "First.\nadd(a=2, b=3)",
        "Result: 5",
        "add(2",
        "Error: the closing bracket of add is missing; write one call on the last line, like add(a=17, b=25)",
        "divide(a=5, b=0)",
        "Error: cannot divide by zero",
    ]


async def test_the_messages_are_rendered_from_the_recorded_steps_alone():
    model = ScriptedChat("I add.\nadd(2, 3)", "ad(5, 1)", "add(5, 1", "add(5)", "divide(6, 0)", "answer(5)")
    chain = await solve(problem(), TASK, model, Sampling())
    on_disk = jsonl.loads(Chain, jsonl.dumps(chain), "here")
    assert len(on_disk.steps) == 6
    for step_count, messages in enumerate(model.requests):
        assert messages == TEXT.render(TASK, problem().question, on_disk.steps[:step_count])[0]


@pytest.mark.parametrize("text", ["add(2, 3)", "So.\nadd(b=1/2, a=-3)", "sum(2, 3)", "add(2)", "say('a\\nb')"])
def test_a_rendered_step_is_read_back_as_the_same_step(text):
    original = step(text)
    read_back = TEXT.read(Reply(TEXT.reply_message(original)["content"], "stop", Usage()))
    assert read_back == [(original.thought, original.call)]


def test_an_unreadable_reply_is_kept_as_the_thought():
    ((thought, call),) = TEXT.read(Reply(" I add.\nadd(2, 3\n", "stop", Usage()))
    assert thought == "I add.\nadd(2, 3"
    assert isinstance(call, CallError)


def test_a_reply_that_was_cut_off_is_a_syntax_fault_even_if_it_reads_as_a_call():
    assert not isinstance(parse_call("add(2, 3)"), CallError)
    ((thought, call),) = TEXT.read(Reply("add(2, 3)", "length", Usage()))
    assert thought == "add(2, 3)"
    assert isinstance(call, CallError)
    assert (call.fault, call.message) == ("syntax", "the reply was cut off; write one short call")
