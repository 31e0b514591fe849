"""Replies from public bug reports, by kind of fault, and what they mean. The comments name the reports."""

import json

import pytest

from callwright.agent.loop import solve, take_steps
from callwright.agent.native import NATIVE
from callwright.agent.protocol import PROTOCOLS, TEXT, AgentProtocol
from callwright.chat.model import Reply, Sampling, ToolCall
from callwright.errors import CallError
from callwright.records import Call, Chain, Step, Usage
from callwright.storage import jsonl
from callwright.tasks import TASKS
from tests.fakes import TOOLBOX, ScriptedChat, problem

SUM_JSON = '{"name": "add", "arguments": {"a": 2, "b": 3}}'
PRODUCT_JSON = '{"name": "multiply", "arguments": {"a": 4, "b": 5}}'
SUM, PRODUCT = Call("add", {"a": 2, "b": 3}), Call("multiply", {"a": 4, "b": 5})
TAGS = "<function=add>\n<parameter=a>\n2\n</parameter>\n<parameter=b>\n3\n</parameter>\n</function>"
BOTH_PROTOCOLS = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=list(PROTOCOLS))


def steps_of(protocol: AgentProtocol, text: str, *tool_calls: ToolCall) -> list[Step]:
    return list(take_steps(Reply(text, "stop", Usage(), tool_calls), protocol, TOOLBOX, TOOLBOX.open()))


def observations(protocol: AgentProtocol, text: str, *tool_calls: ToolCall) -> list[str | None]:
    return [step.observation for step in steps_of(protocol, text, *tool_calls)]


@BOTH_PROTOCOLS
@pytest.mark.parametrize(
    "text",
    [
        f"{TAGS}\n</tool_call>",  # row 1, ollama 16686
        f"<tool_call>\n{TAGS}",
        TAGS,
        f"<tool_call>\n{TAGS.removesuffix('</function>')}</tool_call>",
        TAGS.removesuffix("</function>"),
        f"{SUM_JSON}\n</tool_call>",
        f"<tool_call>\n{SUM_JSON}",
        f"{TAGS}\n</tool_call>".replace("3\n</parameter>\n", "3\n"),  # row 2, ollama 17353
        TAGS.replace("2\n</parameter>\n", "2\n"),
        f"functools[{SUM_JSON}]",  # row 7, vllm PR48795
        '<function=add>{"a": 2, "b": 3}</function>',  # row 7, Rapid-MLX 700
        f"[TOOL_CALLS] [{SUM_JSON}]</s>",
    ],
)
def test_markup_may_lack_its_opening_or_closing_mark(protocol: AgentProtocol, text: str):
    assert steps_of(protocol, text) == [Step("", SUM, None, "5")]


@BOTH_PROTOCOLS
@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>\n<function=predicate>\n<parameter=name>Likes</parameter>\n"
        "<parameter=terms>['x', 'rex']</parameter>\n</function>\n</tool_call>",
        "<tool_call>predicate\n<arg_key>name</arg_key>\n<arg_value>Likes</arg_value>\n"
        "<arg_key>terms</arg_key>\n<arg_value>['x', 'rex']</arg_value>\n</tool_call>",
        '<invoke name="predicate"><parameter name="name">Likes</parameter>'
        '<parameter name="terms">["x", "rex"]</parameter></invoke>',
    ],
)
def test_a_list_between_tags_is_a_list(protocol: AgentProtocol, text: str):  # row 3, vllm-mlx 63
    ((_, call),) = protocol.read(Reply(text, "stop", Usage()))
    assert call == Call("predicate", {"name": "Likes", "terms": ["x", "rex"]})


def test_decimals_and_words_between_tags_are_text():
    text = f"<tool_call>\n{TAGS}\n</tool_call>".replace("\n2\n", "\n0.10\n").replace("\n3\n", "\nTrue\n")
    assert NATIVE.read(Reply(text, "stop", Usage())) == [("", Call("add", {"a": "0.10", "b": "True"}))]
    exact = "<function=f><parameter=a>[0.1234567890123456789]</parameter></function>"
    ((_, call),) = NATIVE.read(Reply(exact, "stop", Usage()))
    assert call == Call("f", {"a": "[0.1234567890123456789]"})  # no float is exactly this number


@pytest.mark.parametrize(
    "after", ["Estimating the sum...", "</s>", "<|im_end|>", "}", "\n```", "\n</tool_call>", " and so on", "  "]
)
def test_text_after_complete_arguments_is_dropped(after: str):  # row 4, vllm 48975
    assert observations(NATIVE, "", ToolCall("add", f'{{"a": 2, "b": 3}}{after}')) == ["5"]
    assert observations(NATIVE, "", ToolCall("add", f"{{'a': 2, 'b': 3}}{after}")) == ["5"]


@pytest.mark.parametrize("after", ['{"a": 4}', ', "b": 4', ' "b": 4}', "[1]", ": 4", " 4"])
def test_arguments_followed_by_more_of_them_are_a_fault(after: str):
    (step,) = steps_of(NATIVE, "", ToolCall("add", f'{{"a": 2, "b": 3}}{after}'))
    assert step.error is not None
    assert step.error.fault == "syntax"


@pytest.mark.parametrize(
    "text",
    [
        f"[TOOL_CALLS] [{SUM_JSON}, {PRODUCT_JSON}]</s>",  # row 4
        f"[{SUM_JSON}, {PRODUCT_JSON}]",  # row 5
        "[add(a=2, b=3), multiply(a=4, b=5)]",
        "```python\n[add(a=2, b=3), multiply(a=4, b=5)]\n```",
        "add(a=2, b=3)\nmultiply(a=4, b=5)",
        "x = add(a=2, b=3)\ny = multiply(a=4, b=5)  # both",
        "add(a=2, b=3); multiply(a=4, b=5)",
        f"{SUM_JSON}\n{PRODUCT_JSON}",
        f"{SUM_JSON}; {PRODUCT_JSON}",
        f"```json\n{SUM_JSON}\n{PRODUCT_JSON}\n```",
        f"<tool_call>\n{SUM_JSON}\n</tool_call>\n<tool_call>\n{PRODUCT_JSON}\n</tool_call>",
        f"<tool_call>\n{SUM_JSON}\n</tool_call>\nThen I multiply.\n<tool_call>\n{PRODUCT_JSON}\n</tool_call>",
        '<tool_call>{"arguments": {"a": 2, "b": 3}, "name": "add"}</tool_call>'
        '<tool_call>{"arguments": {"a": 4, "b": 5}, "name": "multiply"}</tool_call>',
        f"<tool_call>{SUM_JSON}</tool_call><tool_call>{PRODUCT_JSON}</tool_call>".replace('"', "'"),
    ],
)
def test_several_calls_in_the_text_of_a_native_reply_are_read_in_order(text: str):  # triton PR8772, vllm PR9859
    assert steps_of(NATIVE, text) == [Step("", SUM, None, "5"), Step("", PRODUCT, None, "20")]
    assert [step.thought for step in steps_of(NATIVE, f"Both.\n{text}")] == ["Both.", ""]


def test_arguments_encoded_twice_are_decoded():  # row 6, quarkus-langchain4j 2569
    encoded_twice = json.dumps('{"a": 2, "b": 3}')
    assert observations(NATIVE, "", ToolCall("add", encoded_twice)) == ["5"]
    (step,) = steps_of(NATIVE, "", ToolCall("add", json.dumps(encoded_twice)))
    assert step.error is not None


@pytest.mark.parametrize(
    "name",
    ["functions.add", "default_api.add", "functions.add:0", "add:12", "add<|channel|>commentary",
     "add<|constrain|>json", "functions.add<|channel|>commentary", "tools.add"],
)  # fmt: skip
def test_a_name_with_a_known_prefix_or_ending_is_the_function(name: str):  # row 8, vllm 32587
    assert steps_of(NATIVE, "", ToolCall(name, '{"a": 2, "b": 3}')) == [Step("", SUM, None, "5")]
    assert observations(NATIVE, json.dumps({"name": name, "arguments": {"a": 2, "b": 3}})) == ["5"]
    assert observations(TEXT, json.dumps({"name": name, "arguments": {"a": 2, "b": 3}})) == ["5"]


def test_an_answer_with_a_prefix_ends_the_calls_of_a_reply():
    answer = ToolCall("functions.answer", '{"value": "many"}')
    assert len(steps_of(NATIVE, "", answer, ToolCall("add", '{"a": 2, "b": 3}'))) == 1


@pytest.mark.parametrize(
    "name", ["math.add", "functions.sum", "add:", "add:x", "functions.", "functions.functions.add"]
)
def test_only_known_prefixes_and_endings_of_known_functions_are_removed(name: str):
    (step,) = steps_of(NATIVE, "", ToolCall(name, '{"a": 2, "b": 3}'))
    assert step.error is not None
    assert step.error.fault == "unknown_function"


def test_the_error_for_a_misspelt_name_with_a_prefix_suggests_the_function():
    (step,) = steps_of(NATIVE, "", ToolCall("functions.ad", '{"a": 2, "b": 3}'))
    assert step.error is not None
    assert "did you mean add?" in step.error.message


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("add(a=2, b=3", "closing bracket of add is missing"),
        ("add(subtract(5, 3), 2)", "call subtract first"),
        ("add(2, 3) * 4", "nothing calculated around it"),
        ('{"name": "add", "arguments": {"a": 2 "b": 3}}', "JSON of the call could not be read"),
        ('{"name": "add", "arguments": {"a": 2, "a": 3}}', "names something twice"),
        ("The result of add(2, 3) is 5.", "amid other text"),
        ("add(a=x, b=3)", "not the name x"),
        (f"f('{'x' * 2_000}')", "longer than 2000 characters"),
        ("x" * 100_001, "longer than 100000 characters"),
        ("add(2, 3)\x00", "cannot be shown"),
    ],
)
def test_the_error_for_an_unreadable_native_text_has_its_cause(text: str, cause: str):  # row 11
    ((thought, error),) = NATIVE.read(Reply(text, "stop", Usage()))
    assert isinstance(error, CallError)
    assert cause in error.message
    assert "on the last line" not in error.message
    assert thought == text.strip()


@pytest.mark.parametrize("text", ["", "I think it is five.", "2 + 3 = 5"])
def test_the_error_for_a_text_without_a_call_asks_for_one(text: str):  # row 18: all in reasoning_content
    ((_, error),) = NATIVE.read(Reply(text, "stop", Usage()))
    assert isinstance(error, CallError)
    assert error.message == "no function was called; call one of the tools"
    ((_, error),) = TEXT.read(Reply(text, "stop", Usage()))
    assert isinstance(error, CallError)
    assert error.message.startswith("no function call was found")


@BOTH_PROTOCOLS
@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("f(from='x', to=3)", Call("f", {"from": "x", "to": 3})),
        ("f(from = 'x')", Call("f", {"from": "x"})),
        ("f(a=1,\n  class='if x=1')", Call("f", {"a": 1, "class": "if x=1"})),
        ("f(lambda=2)", Call("f", {"lambda": 2})),
        ("import.from(1)", Call("import.from", {"0": 1})),
        ("math.lambda(in=[1, 2])", Call("math.lambda", {"in": [1, 2]})),
    ],
)
def test_a_name_may_be_a_keyword_of_python(protocol: AgentProtocol, text: str, call: Call):  # row 12
    assert protocol.read(Reply(text, "stop", Usage())) == [("", call)]


@pytest.mark.parametrize(
    "text", ["f(x if y else 2)", "f(lambda: 2)", "f(not 2)", "f(from=1, from=2)", "f(a=1 in=2)", "f(not(2), in=3)"]
)
def test_keywords_of_python_elsewhere_are_not_names(text: str):
    ((_, error),) = TEXT.read(Reply(text, "stop", Usage()))
    assert isinstance(error, CallError)
    assert "keyword" not in error.message


@BOTH_PROTOCOLS
def test_the_error_for_a_call_that_is_too_long_has_the_limit(protocol: AgentProtocol):  # row 12
    for text in (f"f('{'x' * 2_000}')", f'{{"name": "f", "arguments": {{"a": "{"x" * 2_000}"}}}}', f"{'f' * 2_000}(1)"):
        ((_, error),) = protocol.read(Reply(text, "stop", Usage()))
        assert isinstance(error, CallError)
        assert "longer than 2000 characters" in error.message


@BOTH_PROTOCOLS
async def test_a_lone_surrogate_in_the_last_reply_is_a_fault_that_can_be_stored(protocol: AgentProtocol):
    replies = [Reply("Done \ud83d.\nanswer(5)", "stop", Usage())] * 2  # row 17, claude-code-log 139
    model = ScriptedChat(*replies)
    chain = await solve(problem(), TASKS["arithmetic"], model, Sampling(max_steps=2), protocol)
    assert jsonl.loads(Chain, jsonl.dumps(chain), "here") == chain
    assert [step.thought for step in chain.steps] == ["Done \ufffd.\nanswer(5)"] * 2
    assert {step.error.fault for step in chain.steps if step.error} == {"syntax"}
    json.dumps(model.requests, ensure_ascii=False).encode()  # the next request


async def test_a_lone_surrogate_next_to_a_tool_call_does_not_affect_the_call():
    model = ScriptedChat(
        Reply("so \ud83d", "stop", Usage(), (ToolCall("add", '{"a": 2, "b": 3}'),)),
        Reply("so \udc00", "stop", Usage(), (ToolCall("answer", '{"value": 5}'),)),
    )
    chain = await solve(problem(), TASKS["arithmetic"], model, Sampling(), NATIVE)
    assert (chain.outcome, chain.answer) == ("answered", "5")
    assert [step.thought for step in chain.steps] == ["so \ufffd"] * 2
    assert jsonl.loads(Chain, jsonl.dumps(chain), "here") == chain
    json.dumps(model.requests, ensure_ascii=False).encode()


@pytest.mark.parametrize(
    ("name", "arguments"),
    [("add\ud83d", '{"a": 2, "b": 3}'),
     ("add", '{"a": "\ud83d"}'), ("add", '{"\ud83d": 2}'), ("add", '{"a": 2}\ud83d{')],
)  # fmt: skip
def test_a_lone_surrogate_in_a_tool_call_is_a_fault_that_can_be_stored(name: str, arguments: str):
    (step,) = steps_of(NATIVE, "\udfff", ToolCall(name, arguments))
    assert step.error is not None
    assert jsonl.loads(Step, jsonl.dumps(step), "here") == step
    json.dumps(NATIVE.reply_message(step, 0), ensure_ascii=False).encode()


@BOTH_PROTOCOLS
def test_a_reply_that_was_cut_off_at_a_lone_surrogate_can_be_stored(protocol: AgentProtocol):
    (step,) = take_steps(Reply("so \ud83d", "length", Usage()), protocol, TOOLBOX, TOOLBOX.open())
    assert jsonl.loads(Step, jsonl.dumps(step), "here") == step


@BOTH_PROTOCOLS
def test_a_superscript_is_not_a_position(protocol: AgentProtocol):
    (step,) = steps_of(protocol, '{"name":"add","arguments":{"²":1,"b":2}}')
    assert step.error is not None
    assert step.error.message.startswith("add needs a")
