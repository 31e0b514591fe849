import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.agent.loop import STUCK_AFTER, solve, take_steps
from callwright.agent.native import NATIVE
from callwright.agent.protocol import PROTOCOLS, TEXT
from callwright.chat.model import Reply, Sampling, ToolCall
from callwright.chat.template import template_messages
from callwright.errors import CallError
from callwright.records import Call, Chain, Step, StepError, Usage
from callwright.storage import jsonl
from callwright.tasks import TASKS
from tests.fakes import TOOLBOX, ScriptedChat, problem
from tests.fakes import step as make_step

TASK = TASKS["arithmetic"]
ADD = ToolCall("add", '{"a": 2, "b": 3}')
ANSWER = ToolCall("answer", '{"value": 5}')


def native_reply(*tool_calls: ToolCall, text: str = "", finish: str = "stop") -> Reply:
    return Reply(text, finish, Usage(10, 2), tool_calls)


def steps_of(reply: Reply) -> list[Step]:
    return list(take_steps(reply, NATIVE, TOOLBOX, TOOLBOX.open()))


async def solve_with(*replies: Reply | str, max_steps: int = 12) -> tuple[Chain, ScriptedChat]:
    model = ScriptedChat(*replies)
    return await solve(problem(), TASK, model, Sampling(max_steps=max_steps), NATIVE), model


def test_both_protocols_are_registered_under_their_names():
    assert {name: protocol.name for name, protocol in PROTOCOLS.items()} == {"text": "text", "native": "native"}


def test_the_messages_are_the_prompt_the_question_and_each_call_with_its_result():
    steps = [make_step("First.\nadd(2, 3)"), make_step("divide(5, 0)"), make_step("answer(5)")]
    messages, tools = NATIVE.render(TASK, "How many?", steps)
    assert tools == TOOLBOX.schemas()
    assert messages[0]["content"] == f"{TASK.instructions}\n\n{NATIVE.example_section(TOOLBOX)}"
    assert messages[1:] == [
        {"role": "user", "content": "How many?"},
        {
            "role": "assistant",
            "content": "First.",
            "tool_calls": [
                {"id": "call00000", "type": "function", "function": {"name": "add", "arguments": '{"a": 2, "b": 3}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "call00000", "content": "5"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "call00001", "type": "function", "function": {"name": "divide", "arguments": '{"a": 5, "b": 0}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "call00001", "content": "Error: cannot divide by zero"},
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [
                {"id": "call00002", "type": "function", "function": {"name": "answer", "arguments": '{"value": 5}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "call00002", "content": "5"},
    ]


def test_the_prompt_has_the_examples_with_their_results():
    lines = NATIVE.example_section(TOOLBOX).split("\n")
    assert lines[1] == "add(a=17, b=25) -> 42"
    assert len(lines) == 1 + len(TOOLBOX.functions)


def test_every_function_has_a_schema_that_servers_accept():
    for task in TASKS.values():
        for tool in NATIVE.render(task, "?", ())[1]:
            assert tool["type"] == "function"
            assert set(tool["function"]) == {"name", "description", "parameters"}
            assert tool["function"]["parameters"]["type"] == "object"
            assert json.loads(json.dumps(tool)) == tool


async def test_a_chain_of_tool_calls_ends_with_an_answer():
    chain, model = await solve_with(native_reply(ADD, text="Two and three."), native_reply(ANSWER))
    assert chain.steps == (
        Step("Two and three.", Call("add", {"a": 2, "b": 3}), None, "5"),
        Step("", Call("answer", {"value": 5}), None, "5"),
    )
    assert (chain.protocol, chain.outcome, chain.answer) == ("native", "answered", "5")
    assert chain.usage == Usage(20, 4)
    assert model.requests[1] == NATIVE.render(TASK, problem().question, chain.steps[:1])[0]


async def test_each_call_of_a_reply_is_executed_in_order_and_becomes_a_step():
    chain, model = await solve_with(
        native_reply(ToolCall("add", '{"a": 1, "b": 1}'), ADD, text="Both."),
        native_reply(ANSWER, ToolCall("add", '{"a": 9, "b": 9}')),
    )
    assert [(step.thought, step.observation) for step in chain.steps] == [("Both.", "2"), ("", "5"), ("", "5")]
    assert chain.usage == Usage(20, 4)  # two requests
    assert [message["role"] for message in model.requests[1]] == ["system", "user"] + ["assistant", "tool"] * 2


def test_calls_after_an_answer_are_ignored_even_if_the_answer_is_refused():
    refused = ToolCall("answer", '{"value": "many"}')
    assert [call.name for _, call in NATIVE.read(native_reply(ADD, refused, ADD))] == ["add", "answer"]


async def test_a_reply_does_not_exceed_the_step_limit():
    calls = [ToolCall("add", json.dumps({"a": number, "b": 1})) for number in range(5)]
    chain, _ = await solve_with(native_reply(*calls), max_steps=3)
    assert (chain.outcome, len(chain.steps)) == ("step_limit", 3)


async def test_the_same_failing_call_several_times_in_a_reply_ends_the_chain():
    chain, _ = await solve_with(
        native_reply(*[ToolCall("sum", '{"a": 2}')] * (STUCK_AFTER + 1), text="Again and again.")
    )
    assert (chain.outcome, len(chain.steps)) == ("stuck", STUCK_AFTER)


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        ('{"a": 2, "b": 3', "bracket of the JSON is missing; write the arguments as a JSON object"),
        ("2, 3", "could not be read|are a JSON object"),
        ("[2, 3]", "the arguments of a call are a JSON object"),
        ('"add"', "the arguments of a call are a JSON object"),
        ('{"a": 1e400, "b": 3}', "too many digits"),
        ('{"a": NaN, "b": 3}', "NaN is not a number"),
        ('{"a": 2, "a": 3}', "twice"),
        ('{"a": "\\ud800", "b": 3}', "half a character"),
        ('{"a": ' + "[" * 3000 + "]" * 3000 + "}", "nested deeper"),
        ('{"a": "' + "x" * 3000 + '"}', "longer than"),
        ('{"a": ' + "[" * 20 + "]" * 20 + "}", "nested deeper"),
        ('{"a": [' + "1, " * 99 + "1]}", "more than 64 items"),
    ],
)
def test_unreadable_arguments_are_a_syntax_fault_in_one_line(arguments, cause):
    (step,) = steps_of(native_reply(ToolCall("add", arguments), text="So."))
    assert step.call is None
    assert step.error.fault == "syntax"
    assert "\n" not in step.error.message
    assert pytest.raises(CallError, match=cause).matches(CallError("", step.error.message)), step.error.message
    assert step.thought == f'So.\n{{"name": "add", "arguments": {arguments}}}'


def test_an_unreadable_call_is_text_in_the_history_and_its_error_is_a_user_message():
    (broken,) = steps_of(native_reply(ToolCall("add", '{"a": 2'), text="So."))
    (_, _, reply, result), _ = NATIVE.render(TASK, "How many?", [broken])
    assert reply == {"role": "assistant", "content": 'So.\n{"name": "add", "arguments": {"a": 2}'}
    assert result["role"] == "user"
    assert result["content"].startswith("Error: ")


@pytest.mark.parametrize("name", ["math.add", "add now", "", "ä", "a" * 65])
def test_a_name_that_servers_reject_is_not_sent_back_as_a_tool_call(name):
    (step,) = steps_of(native_reply(ToolCall(name, "{}")))
    assert step.error.fault == "unknown_function"
    messages, _ = NATIVE.render(TASK, "?", [step])
    assert not any("tool_calls" in message for message in messages)


@pytest.mark.parametrize(
    ("text", "thought"),
    [
        ("add(a=2, b=3)", ""),
        ("I add.\nadd(2, 3)", "I add."),
        ('I add.\n<tool_call>\n{"name": "add", "arguments": {"a": 2, "b": 3}}\n</tool_call>', "I add."),
        ('{"name": "add", "parameters": {"a": 2, "b": 3}}', ""),
        ('- {"name": "add", "arguments": {"a": 2, "b": 3}}', ""),
        ('As f(2) = 7: {"name": "add", "arguments": {"a": 2, "b": 3}}', "As f(2) = 7:"),
    ],
)
def test_a_call_written_as_text_is_read(text, thought):
    (step,) = steps_of(native_reply(text=text))
    assert step == Step(thought, Call("add", {"a": 2, "b": 3}), None, "5")


def test_a_reply_without_a_call_is_a_syntax_fault():
    (step,) = steps_of(native_reply(text="I think it is five."))
    error = StepError("syntax", "no function was called; call one of the tools")
    assert step == Step("I think it is five.", None, error, None)


def test_a_reply_that_was_cut_off_is_one_failed_step():
    (step,) = steps_of(native_reply(ADD, ToolCall("add", '{"a": 5'), text="So.", finish="length"))
    assert step.error == StepError("syntax", "the reply was cut off; write one short call")
    assert step.thought.startswith("So.\n")


@pytest.mark.parametrize("arguments", ["", "null", "{}"])
def test_missing_arguments_are_an_empty_object(arguments):
    assert NATIVE.read(native_reply(ToolCall("f", arguments))) == [("", Call("f", {}))]


@pytest.mark.parametrize("arguments", ['{"a": "1/3", "b": -2}', '{"a": 0.5, "b": 3}', '{"a": 2.0, "b": "7"}'])
def test_a_call_in_the_history_is_read_back_as_the_same_call(arguments):
    (step,) = steps_of(native_reply(ToolCall("add", arguments)))
    function = NATIVE.reply_message(step, 0)["tool_calls"][0]["function"]
    assert NATIVE.read(native_reply(ToolCall(**function))) == [("", step.call)]


async def test_the_messages_are_rendered_from_the_recorded_steps_alone():
    broken = ToolCall("add", '{"a": 2')
    model = ScriptedChat(
        native_reply(ADD, ToolCall("sum", "{}"), text="One."),
        native_reply(broken, ADD),
        native_reply(text="add(1, 1)"),
        native_reply(ANSWER),
    )
    chain = await solve(problem(), TASK, model, Sampling(), NATIVE)
    on_disk = jsonl.loads(Chain, jsonl.dumps(chain), "here")
    for messages, step_count in zip(model.requests, (0, 2, 4, 5), strict=True):
        assert messages == NATIVE.render(TASK, problem().question, on_disk.steps[:step_count])[0]


def test_chat_templates_get_arguments_as_mappings_and_no_empty_keys():
    messages, _ = NATIVE.render(TASK, "?", [make_step("add(2, 3)"), make_step("add(2")])
    for_template = template_messages(messages)
    assert for_template[2]["tool_calls"][0]["function"]["arguments"] == {"a": 2, "b": 3}
    assert "tool_calls" not in for_template[4]
    assert messages[2]["tool_calls"][0]["function"]["arguments"] == '{"a": 2, "b": 3}'


json_like_text = st.text(alphabet='{}[]":,a0-eE.\\u/\n tNI', max_size=60)


@given(st.text(max_size=80) | json_like_text, st.text(max_size=80) | json_like_text)
def test_no_reply_raises_and_every_error_is_one_line(name, text):
    for reply in (native_reply(ToolCall(name, text), text=text), native_reply(text=text)):
        for step in steps_of(reply):
            assert step.error is None or ("\n" not in step.error.message)
            jsonl.dumps(step)


@given(
    st.sampled_from(["add", "subtract", "divide"]), st.fractions(max_denominator=50), st.fractions(max_denominator=50)
)
def test_the_same_call_is_the_same_step_in_both_protocols(name, a, b):
    from callwright.functions.function import render_call
    from callwright.functions.numbers import as_argument

    call = Call(name, {"a": as_argument(a), "b": as_argument(b)})
    text_reply = Reply(render_call(call), "stop", Usage())
    (native_step,) = steps_of(native_reply(ToolCall(name, json.dumps(call.arguments))))
    (text_step,) = take_steps(text_reply, TEXT, TOOLBOX, TOOLBOX.open())
    assert native_step == text_step
