"""Both protocols read the markup of every series of models as its calls, and no part of it is ignored."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.agent.native import NATIVE
from callwright.agent.parsing.markup import marks as marks_module
from callwright.agent.parsing.markup.blocks import read_markup, remove_markup
from callwright.agent.text import TEXT
from callwright.chat.model import Reply, ToolCall
from callwright.errors import CallError
from callwright.functions.function import function
from callwright.functions.guard import MAX_ITEMS
from callwright.functions.toolbox import Toolbox
from callwright.records import Call, Usage
from callwright.tasks.arithmetic.functions import answer
from tests.agent.parsing.markup_by_series import MARKUP_BY_SERIES
from tests.fakes import TOOLBOX

SUM, PRODUCT = Call("add", {"a": 2, "b": 3}), Call("multiply", {"a": 4, "b": "1/3"})
SUM_JSON = '{"name": "add", "arguments": {"a": 2, "b": 3}}'


def read_native(text: str, *tool_calls: ToolCall) -> list[tuple[str, Call | CallError]]:
    return NATIVE.read(Reply(text, "stop", Usage(), tool_calls))


def read_text(text: str) -> Call | CallError:
    ((_, call),) = TEXT.read(Reply(text, "stop", Usage()))
    return call


def with_named_arguments(call: Call | CallError) -> Call | CallError:
    return call if isinstance(call, CallError) else TOOLBOX.name_arguments(call)


@pytest.mark.parametrize("series", MARKUP_BY_SERIES)
def test_one_call_is_read_by_both_protocols_and_several_by_the_native_one(series: str):
    write = MARKUP_BY_SERIES[series]
    for before in ("", "Both numbers.\n"):
        calls = read_native(before + write([SUM]))
        assert [(thought, with_named_arguments(call)) for thought, call in calls] == [(before.strip(), SUM)]
        assert with_named_arguments(read_text(before + write([SUM]))) == SUM
        assert [with_named_arguments(call) for _, call in read_native(before + write([SUM, PRODUCT]))] == [SUM, PRODUCT]
        error = read_text(before + write([SUM, PRODUCT]))
        assert isinstance(error, CallError)
        assert "only one call" in error.message


@pytest.mark.parametrize("series", MARKUP_BY_SERIES)
def test_lists_decimals_and_text_are_the_same_in_every_series(series: str):
    call = Call("f", {"terms": ["x", "rex"], "flag": True, "name": "all x. (Dog(x) -> Animal(x))", "none": None})
    ((_, read),) = read_native(MARKUP_BY_SERIES[series]([call]))
    assert isinstance(read, Call)
    assert read.arguments == call.arguments


OUTER_TAGS = [
    "<tool_call>",
    "</tool_call>",
    "\n",
    "</function>",
    "<minimax:tool_call>",
    "</minimax:tool_call>",
    "</s>",
]


@given(
    st.sampled_from(["Qwen 3.5, Nemotron", "MiniMax-M2", "Llama, tags", "Seed"]),
    st.sampled_from(["", *OUTER_TAGS]),
    st.sampled_from(["", *OUTER_TAGS]),
)
def test_a_call_in_tags_is_read_even_if_marks_around_it_are_missing(series: str, before: str, after: str):
    text = MARKUP_BY_SERIES[series]([SUM])
    bare = text[text.index("<function" if "<function" in text else "<invoke") :]
    for closing in ("</seed:tool_call>", "</tool_call>", "</minimax:tool_call>"):
        bare = bare.removesuffix(closing).rstrip()
    assert [call for _, call in read_native(before + bare + after)] == [SUM]


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call><function=add>\n<parameter=a>2</parameter> and <parameter=b>3</parameter>\n</function></tool_call>",
        "<function=add><parameter=a>2</parameter><parameter=a>3</parameter></function>",
        "<function=add><parameter>2</parameter></function>",
        "<function=add>2, 3</function>",
        "<tool_call>add\n<arg_key>a</arg_key>\n<arg_key>b</arg_key>\n<arg_value>3</arg_value></tool_call>",
        "<tool_call>add\n<arg_key>a</arg_key><arg_value>2</arg_value> b=3</tool_call>",
        "<tool_call>two words</tool_call>",
        '<tool_call>\n{"name": "add", "arguments": {"a": 2\n</tool_call>',
        '<tool_call>{"name": "add", "arguments": {"a": 2}, "b": 3</tool_call>',
        '<tool_call>{"name": "add", "arguments": {"a": 2}} "b": 3}</tool_call>',
        '<tool_call>{"name": "add", "arguments": {"a": 2}}{"b": 3}</tool_call>',
        '<tool_call>{"name": "add", "a": 2, "b": 3}</tool_call>',
        "<|tool_call_start|>[add(a=2), 3]<|tool_call_end|>",
        "<|tool_call_start|>[add(a=x)]<|tool_call_end|>",
        "<|tool_call_start|>[add(a=2) * 4]<|tool_call_end|>",
        '[TOOL_CALLS] [{"name": "add", "arguments": {"a": }}]',
        "<|tool_call>call:add{a:2,b:<|\"|>3}<tool_call|>",
        "<|tool_call>call:add{a:2,b:London}<tool_call|>",
        "Action: add\nAction Input: 2, 3",
        '{"name": "add\n", "arguments": {"a": 1}}',
        '{"name": "add\t", "arguments": {"a": 1}}',
        '{"name": "add", "parameters": ' + "[" * 50_000,
    ],
)  # fmt: skip
def test_an_unreadable_call_in_markup_is_a_fault_with_its_cause(text: str):
    calls = read_native(text)
    errors = [call for _, call in calls if isinstance(call, CallError)]
    assert errors, calls
    for error in errors:
        assert error.fault == "syntax"
        assert error.message.isprintable()
        assert "no function was called" not in error.message
    assert isinstance(read_text(text), CallError)


@function(example={"query": "rivers"})
def search(query: str) -> str:
    """Look something up."""
    return f"about {query}"


@pytest.mark.parametrize("series", MARKUP_BY_SERIES)
def test_a_number_is_text_if_the_function_takes_text(series: str):
    # <parameter=query>2024</parameter> may be a number or text
    ((_, call),) = read_native(MARKUP_BY_SERIES[series]([Call("search", {"query": 2024})]))
    assert isinstance(call, Call)
    toolbox = Toolbox([search, answer])
    assert toolbox.open().execute(Call("search", call.arguments)).text == "about 2024"


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "now"}\n</tool_call>',
        '<tool_call>\n{"name": "now", "arguments": null}\n</tool_call>',
        '[TOOL_CALLS] [{"name": "now", "id": "abcdefghi"}]',
        '{"name": "now", "arguments": null}',
    ],
)
def test_a_call_without_arguments_may_omit_them_or_have_null(text: str):
    assert read_native(text) == [("", Call("now", {}))]
    assert read_text(text) == Call("now", {})


@pytest.mark.parametrize(
    "text", ['<tool_call>\n{"name": "add", "a": 2, "b": 3}\n</tool_call>', '<tool_call>{"name": 5}</tool_call>']
)
def test_arguments_next_to_the_name_are_a_fault(text: str):
    ((_, error),) = read_native(text)
    assert isinstance(error, CallError)
    assert "a name and arguments" in error.message


def test_json_with_only_a_name_in_prose_is_not_a_call():
    assert isinstance(read_text('{"name": "Tim"}'), CallError)


def test_two_blocks_are_read_independently():
    calls = read_native(f"So.\n<tool_call>\n{SUM_JSON}\n</tool_call>\nAnd:\n<tool_call>\n{{'name': 3}}\n</tool_call>")
    assert [type(call) for _, call in calls] == [Call, CallError]
    assert calls[0][0] == "So."
    assert "{'name': 3}" in calls[1][0]


def test_a_block_without_its_opening_mark_is_read_as_calls():
    text = f"{SUM_JSON}\n</tool_call>\n<tool_call>\n{SUM_JSON}\n</tool_call>"
    assert [call for _, call in read_native(text)] == [SUM, SUM]
    assert "only one call" in read_text(text).message


@pytest.mark.parametrize(
    "text",
    [
        f"<tool_call>\n{SUM_JSON}\n</tool_call>\nadd(4, 5)",
        f"{SUM_JSON}\nThen:\nadd(4, 5)</s>",
        f"<tool_call>{SUM_JSON}</tool_call>\nSo:\n{SUM_JSON}",
    ],
)
def test_a_call_after_a_block_is_not_ignored(text: str):
    error = read_text(text)
    assert isinstance(error, CallError)
    assert "only one call" in error.message
    assert "several calls stand amid other text" in read_native(text)[-1][1].message


TAGS = [
    *("<function=add>", "<parameter=a>", "<parameter=b>", "</parameter>", "</function>"),
    *("<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
    *('<invoke name="add">', '<parameter name="a">', '<parameter name="b">', "</invoke>"),
    *("<minimax:tool_call>", "</minimax:tool_call>"),
]


@given(st.sampled_from(["Qwen 3.5, Nemotron", "MiniMax-M2", "GLM", "Seed"]), st.sampled_from(TAGS), st.integers(0, 1))
def test_a_call_without_one_of_its_tags_is_the_same_call_or_a_fault(series: str, tag: str, index: int):
    pieces = MARKUP_BY_SERIES[series]([SUM]).split(tag)
    if index + 1 < len(pieces):
        pieces[index : index + 2] = [pieces[index] + pieces[index + 1]]
    calls = read_native(tag.join(pieces))
    assert all(isinstance(call, CallError) or call == SUM for _, call in calls), calls


def test_a_tag_that_prose_mentions_is_not_a_call():
    ((thought, call),) = read_native("The tag <tool_call> is not needed.\nadd(a=2, b=3)")
    assert call == SUM
    assert thought == "The tag  is not needed."


def test_markup_within_quoted_text_stays_text():
    calls = read_native('{"name": "say", "arguments": {"text": "</tool_call> }{ \\"<tool_call>"}}')
    assert calls == [("", Call("say", {"text": '</tool_call> }{ "<tool_call>'}))]


def test_two_calls_without_markup_but_with_prose_between_them_are_a_fault():
    ((_, error),) = read_native("add(2, 3)\nResult: 5, so I go on.\nmultiply(5, 4)")
    assert error.message == "several calls stand amid other text; call one of the tools"


@pytest.mark.parametrize(
    "text",
    [
        "We have f(x) = 2x + 3, so f(2) = 7.\nadd(a=2, b=3)\nmultiply(a=4, b='1/3')",
        "As f(2) = 7:\n- add(a=2, b=3)\n- multiply(a=4, b='1/3')\n\nThen g(3) is known.",
        f"As f(2) = 7: I call both.\n[{SUM_JSON}, {{'name': 'multiply', 'arguments': {{'a': 4, 'b': '1/3'}}}}]",
    ],
)
def test_formulas_in_prose_do_not_hide_the_calls_on_their_own_lines(text: str):
    assert [call for _, call in read_native(text)] == [SUM, PRODUCT]
    assert read_native(text)[0][0].startswith(("We have f(x)", "As f(2) = 7"))


def test_of_two_groups_of_consecutive_calls_neither_is_chosen():
    groups = "add(a=2, b=3)\nadd(a=3, b=3)\nor rather\nmultiply(a=4, b=5)\nmultiply(a=5, b=5)"
    ((thought, error),) = read_native(groups)
    assert thought == groups
    assert isinstance(error, CallError)
    assert "several calls" in error.message


def test_text_after_an_observation_is_ignored_because_the_model_invented_it():
    first, second = MARKUP_BY_SERIES["ReAct"]([SUM]), MARKUP_BY_SERIES["ReAct"]([Call("answer", {"value": 5})])
    assert read_native(f"Thought: both.\n{first}\nObservation: 5\n{second}") == [("Thought: both.", SUM)]


@pytest.mark.parametrize("name", ["OPENING", "CLOSING", "MARK"])
def test_every_mark_begins_with_a_literal_so_that_a_search_can_skip_other_text(name: str):
    # if all alternatives begin with a literal, re skips to the next character at which one of them can begin
    assert all(
        re.match(r"[<\w]|\\\[", alternative)
        for alternative in top_level_alternatives(getattr(marks_module, name).pattern)
    )


def top_level_alternatives(pattern: str) -> list[str]:
    depth, alternatives = 0, [""]
    for piece in re.findall(r"\[[^\]]*\]|\\.|.", pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            alternatives.append("")
        else:
            alternatives[-1] += piece
    return alternatives


def test_the_number_of_calls_in_a_reply_is_limited():
    calls = read_native(MARKUP_BY_SERIES["Qwen, Hermes"]([SUM] * 1_000))
    assert len(calls) == MAX_ITEMS + 1
    assert calls[-1][1].message.startswith("more than 64 calls")
    assert [type(call) for _, call in read_native("", *[ToolCall("add", "{}")] * 1_000)].count(Call) == MAX_ITEMS


@pytest.mark.parametrize(
    "content",
    [
        "I add.\n<tool_call>",
        "I add.\n</tool_call>",
        "I add.\n</function>\n</tool_call>",
        "I add.\n<tool_call>\n</tool_call>",
        f"I add.\n<tool_call>\n{SUM_JSON}\n</tool_call>",
        f"I add.[TOOL_CALLS]\n[{SUM_JSON}]</s>",
        "<|channel|>analysis<|message|>I add.<|end|>",
        "I add.\n<function=add>\n<parameter=a>\n2\n</parameter>\n</function>\n</tool_call>",
        "I add.<｜tool▁calls▁begin｜>",
        "<|start_header_id|>assistant<|end_header_id|>\n\nI add.<|eot_id|>",
        "<|im_start|>assistant\nI add.<|im_end|>",
        "I add.<|tool_calls_section_begin|><|tool_calls_section_end|>",
    ],
)
def test_leftover_markup_next_to_a_tool_call_is_removed_from_the_thought(content: str):
    assert read_native(content, ToolCall("add", '{"a": 2, "b": 3}')) == [("I add.", SUM)]


marks = st.sampled_from(
    ["<tool_call>", "</tool_call>", "[TOOL_CALLS]", '{"name": "f", "arguments": ', "{}", "}", "[", "]", "<function=f>",
     "<parameter=a>", "</parameter>", "</function>", "<arg_key>", "</arg_key>", "<arg_value>", "f", "\n", ";", '"',
     "[ARGS]", "<|tool_call_start|>", "<|tool_call_end|>", "f(a=1)", "call:f{a:", '<|"|>', "<invoke name=\"f\">", "7",
     "<｜tool▁sep｜>", "commentary to=", "Action: f\nAction Input: ", "```json\n", "```"]
)  # fmt: skip
markup_like_text = st.lists(marks, max_size=30).map("".join) | st.text(max_size=60)


@given(markup_like_text)
def test_no_text_raises_and_located_calls_are_in_order(text: str):
    end = 0
    for located in read_markup(text):
        assert end <= located.start or located.start < located.end == end  # several calls of one object share a span
        end = located.end
    assert isinstance(remove_markup(text), str)


@given(markup_like_text)
def test_no_text_raises_in_either_protocol(text: str):
    for calls in (read_native(text), read_native(text, ToolCall("f", text)), TEXT.read(Reply(text, "stop", Usage()))):
        assert calls
        assert all(isinstance(call, Call) or call.message.isprintable() for _, call in calls)
