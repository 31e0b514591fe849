"""Every family's markup is read as the calls it makes, by both protocols; and what stands in it is never ignored."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.agent.native import NATIVE
from callwright.agent.parsing.markup import marks as table
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
J = '{"name": "add", "arguments": {"a": 2, "b": 3}}'


def native(text: str, *tool_calls: ToolCall) -> list[tuple[str, Call | CallError]]:
    return NATIVE.read(Reply(text, "stop", Usage(), tool_calls))


def text_call(text: str) -> Call | CallError:
    ((_, call),) = TEXT.read(Reply(text, "stop", Usage()))
    return call


def named(call: Call | CallError) -> Call | CallError:
    return call if isinstance(call, CallError) else TOOLBOX.name_arguments(call)


@pytest.mark.parametrize("family", MARKUP_BY_SERIES)
def test_one_call_is_read_by_both_protocols_and_several_by_the_native_one(family: str):
    write = MARKUP_BY_SERIES[family]
    for before in ("", "Both numbers.\n"):
        said = native(before + write([SUM]))
        assert [(thought, named(call)) for thought, call in said] == [(before.strip(), SUM)]
        assert named(text_call(before + write([SUM]))) == SUM
        assert [named(call) for _, call in native(before + write([SUM, PRODUCT]))] == [SUM, PRODUCT]
        refused = text_call(before + write([SUM, PRODUCT]))
        assert isinstance(refused, CallError)
        assert "only one call" in refused.message


@pytest.mark.parametrize("family", MARKUP_BY_SERIES)
def test_lists_decimals_and_text_are_the_same_in_every_family(family: str):
    call = Call("f", {"terms": ["x", "rex"], "flag": True, "name": "all x. (Dog(x) -> Animal(x))", "none": None})
    ((_, read),) = native(MARKUP_BY_SERIES[family]([call]))
    assert isinstance(read, Call)
    assert read.arguments == call.arguments


ENVELOPES = ["<tool_call>", "</tool_call>", "\n", "</function>", "<minimax:tool_call>", "</minimax:tool_call>", "</s>"]


@given(
    st.sampled_from(["Qwen 3.5, Nemotron", "MiniMax-M2", "Llama, tags", "Seed"]),
    st.sampled_from(["", *ENVELOPES]),
    st.sampled_from(["", *ENVELOPES]),
)
def test_a_call_in_tags_is_read_whatever_of_its_envelope_is_missing(family: str, before: str, after: str):
    text = MARKUP_BY_SERIES[family]([SUM])
    bare = text[text.index("<function" if "<function" in text else "<invoke") :]
    for closing in ("</seed:tool_call>", "</tool_call>", "</minimax:tool_call>"):
        bare = bare.removesuffix(closing).rstrip()
    assert [call for _, call in native(before + bare + after)] == [SUM]


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
def test_what_cannot_be_read_in_a_markup_is_a_fault_with_its_cause(text: str):
    said = native(text)
    faults = [call for _, call in said if isinstance(call, CallError)]
    assert faults, said
    for fault in faults:
        assert fault.fault == "syntax"
        assert fault.message.isprintable()
        assert "no function was called" not in fault.message
    assert isinstance(text_call(text), CallError)


@function(example={"query": "rivers"})
def search(query: str) -> str:
    """Look something up."""
    return f"about {query}"


@pytest.mark.parametrize("family", MARKUP_BY_SERIES)
def test_a_number_is_text_where_the_function_takes_text(family: str):
    # <parameter=query>2024</parameter> does not say which it is
    ((_, call),) = native(MARKUP_BY_SERIES[family]([Call("search", {"query": 2024})]))
    assert isinstance(call, Call)
    box = Toolbox([search, answer])
    assert box.open().execute(Call("search", call.arguments)).text == "about 2024"


@pytest.mark.parametrize(
    "text",
    [
        '<tool_call>\n{"name": "now"}\n</tool_call>',
        '<tool_call>\n{"name": "now", "arguments": null}\n</tool_call>',
        '[TOOL_CALLS] [{"name": "now", "id": "abcdefghi"}]',
        '{"name": "now", "arguments": null}',
    ],
)
def test_a_call_without_arguments_may_leave_them_out_or_give_null(text: str):
    assert native(text) == [("", Call("now", {}))]
    assert text_call(text) == Call("now", {})


@pytest.mark.parametrize(
    "text", ['<tool_call>\n{"name": "add", "a": 2, "b": 3}\n</tool_call>', '<tool_call>{"name": 5}</tool_call>']
)
def test_arguments_beside_the_name_are_not_dropped(text: str):
    ((_, fault),) = native(text)
    assert isinstance(fault, CallError)
    assert "a name and arguments" in fault.message


def test_a_name_in_prose_is_no_call():
    assert isinstance(text_call('{"name": "Tim"}'), CallError)


def test_of_two_blocks_each_is_read_for_itself():
    said = native(f"So.\n<tool_call>\n{J}\n</tool_call>\nAnd:\n<tool_call>\n{{'name': 3}}\n</tool_call>")
    assert [type(call) for _, call in said] == [Call, CallError]
    assert said[0][0] == "So."
    assert "{'name': 3}" in said[1][0]


def test_a_block_whose_opening_mark_is_missing_is_no_thought():
    assert [call for _, call in native(f"{J}\n</tool_call>\n<tool_call>\n{J}\n</tool_call>")] == [SUM, SUM]
    assert "only one call" in text_call(f"{J}\n</tool_call>\n<tool_call>\n{J}\n</tool_call>").message


@pytest.mark.parametrize(
    "text",
    [
        f"<tool_call>\n{J}\n</tool_call>\nadd(4, 5)",
        f"{J}\nThen:\nadd(4, 5)</s>",
        f"<tool_call>{J}</tool_call>\nSo:\n{J}",
    ],
)
def test_a_call_after_a_block_is_not_lost(text: str):
    refused = text_call(text)
    assert isinstance(refused, CallError)
    assert "only one call" in refused.message
    assert "several calls stand amid other text" in native(text)[-1][1].message


TAGS = [
    *("<function=add>", "<parameter=a>", "<parameter=b>", "</parameter>", "</function>"),
    *("<tool_call>", "</tool_call>", "<arg_key>", "</arg_key>", "<arg_value>", "</arg_value>"),
    *('<invoke name="add">', '<parameter name="a">', '<parameter name="b">', "</invoke>"),
    *("<minimax:tool_call>", "</minimax:tool_call>"),
]


@given(st.sampled_from(["Qwen 3.5, Nemotron", "MiniMax-M2", "GLM", "Seed"]), st.sampled_from(TAGS), st.integers(0, 1))
def test_a_call_that_lacks_one_tag_is_the_same_call_or_a_fault(family: str, tag: str, place: int):
    pieces = MARKUP_BY_SERIES[family]([SUM]).split(tag)
    if place + 1 < len(pieces):
        pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
    said = native(tag.join(pieces))
    assert all(isinstance(call, CallError) or call == SUM for _, call in said), said


def test_a_tag_that_prose_mentions_is_no_call():
    ((thought, call),) = native("The tag <tool_call> is not needed.\nadd(a=2, b=3)")
    assert call == SUM
    assert thought == "The tag  is not needed."


def test_markup_within_quoted_text_stays_text():
    said = native('{"name": "say", "arguments": {"text": "</tool_call> }{ \\"<tool_call>"}}')
    assert said == [("", Call("say", {"text": '</tool_call> }{ "<tool_call>'}))]


def test_prose_between_two_calls_without_markup_leaves_open_which_is_meant():
    ((_, refused),) = native("add(2, 3)\nResult: 5, so I go on.\nmultiply(5, 4)")
    assert refused.message == "several calls stand amid other text; call one of the tools"


@pytest.mark.parametrize(
    "text",
    [
        "We have f(x) = 2x + 3, so f(2) = 7.\nadd(a=2, b=3)\nmultiply(a=4, b='1/3')",
        "As f(2) = 7:\n- add(a=2, b=3)\n- multiply(a=4, b='1/3')\n\nThen g(3) is known.",
        f"As f(2) = 7: I call both.\n[{J}, {{'name': 'multiply', 'arguments': {{'a': 4, 'b': '1/3'}}}}]",
    ],
)
def test_what_a_sentence_mentions_does_not_hide_the_calls_on_their_own_lines(text: str):
    assert [call for _, call in native(text)] == [SUM, PRODUCT]
    assert native(text)[0][0].startswith(("We have f(x)", "As f(2) = 7"))


def test_of_two_rows_of_calls_neither_is_chosen():
    rows = "add(a=2, b=3)\nadd(a=3, b=3)\nor rather\nmultiply(a=4, b=5)\nmultiply(a=5, b=5)"
    ((thought, fault),) = native(rows)
    assert thought == rows
    assert isinstance(fault, CallError)
    assert "several calls" in fault.message


def test_what_follows_an_observation_was_made_up():
    first, second = MARKUP_BY_SERIES["ReAct"]([SUM]), MARKUP_BY_SERIES["ReAct"]([Call("answer", {"value": 5})])
    assert native(f"Thought: both.\n{first}\nObservation: 5\n{second}") == [("Thought: both.", SUM)]


@pytest.mark.parametrize("pattern", [table.OPENING, table.CLOSING, table.MARK], ids=["opening", "closing", "mark"])
def test_every_mark_begins_plainly_so_that_a_search_can_skip_other_text(pattern: re.Pattern[str]):
    # re skips at once to a place where one of the alternatives can begin, if all of them begin with a literal
    assert all(re.match(r"[<\w]|\\\[", alternative) for alternative in top_level_alternatives(pattern.pattern))


def top_level_alternatives(pattern: str) -> list[str]:
    depth, alternatives = 0, [""]
    for piece in re.findall(r"\[[^\]]*\]|\\.|.", pattern):
        depth += (piece == "(") - (piece == ")")
        if piece == "|" and depth == 0:
            alternatives.append("")
        else:
            alternatives[-1] += piece
    return alternatives


def test_a_reply_holds_a_bounded_number_of_calls():
    said = native(MARKUP_BY_SERIES["Qwen, Hermes"]([SUM] * 1_000))
    assert len(said) == MAX_ITEMS + 1
    assert said[-1][1].message.startswith("more than 64 calls")
    assert [type(call) for _, call in native("", *[ToolCall("add", "{}")] * 1_000)].count(Call) == MAX_ITEMS


@pytest.mark.parametrize(
    "content",
    [
        "I add.\n<tool_call>",
        "I add.\n</tool_call>",
        "I add.\n</function>\n</tool_call>",
        "I add.\n<tool_call>\n</tool_call>",
        f"I add.\n<tool_call>\n{J}\n</tool_call>",
        f"I add.[TOOL_CALLS]\n[{J}]</s>",
        "<|channel|>analysis<|message|>I add.<|end|>",
        "I add.\n<function=add>\n<parameter=a>\n2\n</parameter>\n</function>\n</tool_call>",
        "I add.<｜tool▁calls▁begin｜>",
        "<|start_header_id|>assistant<|end_header_id|>\n\nI add.<|eot_id|>",
        "<|im_start|>assistant\nI add.<|im_end|>",
        "I add.<|tool_calls_section_begin|><|tool_calls_section_end|>",
    ],
)
def test_what_is_left_of_a_markup_beside_a_tool_call_is_cut_from_the_thought(content: str):
    assert native(content, ToolCall("add", '{"a": 2, "b": 3}')) == [("I add.", SUM)]


marks = st.sampled_from(
    ["<tool_call>", "</tool_call>", "[TOOL_CALLS]", '{"name": "f", "arguments": ', "{}", "}", "[", "]", "<function=f>",
     "<parameter=a>", "</parameter>", "</function>", "<arg_key>", "</arg_key>", "<arg_value>", "f", "\n", ";", '"',
     "[ARGS]", "<|tool_call_start|>", "<|tool_call_end|>", "f(a=1)", "call:f{a:", '<|"|>', "<invoke name=\"f\">", "7",
     "<｜tool▁sep｜>", "commentary to=", "Action: f\nAction Input: ", "```json\n", "```"]
)  # fmt: skip
soup = st.lists(marks, max_size=30).map("".join) | st.text(max_size=60)


@given(soup)
def test_no_text_raises_and_readings_follow_one_another(text: str):
    end = 0
    for reading in read_markup(text):
        assert end <= reading.start or reading.start < reading.end == end  # several calls of one object share a place
        end = reading.end
    assert isinstance(remove_markup(text), str)


@given(soup)
def test_no_text_raises_in_either_protocol(text: str):
    for said in (native(text), native(text, ToolCall("f", text)), TEXT.read(Reply(text, "stop", Usage()))):
        assert said
        assert all(isinstance(call, Call) or call.message.isprintable() for _, call in said)
