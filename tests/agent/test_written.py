import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.agent.written import written_calls
from callwright.chat.model import ToolCall

ADD = ToolCall("add", '{"a": 2, "b": 3}')
HALF = ToolCall("add", '{"a": 0.5, "b": "1/3"}')


@pytest.mark.parametrize(
    ("text", "thought", "calls"),
    [
        ('<tool_call>\n{"name": "add", "arguments": {"a": 2, "b": 3}}\n</tool_call>', "", [ADD]),
        ('So.\n<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}', "So.", [ADD]),  # the stop came first
        ('So.\n<tool_call>{"name": "add", "arguments": {"a": 2, "b": 3}}</tool_call>\n', "So.", [ADD]),
        (
            '<tool_call>\n{"name": "add", "arguments": {"a": 2, "b": 3}}\n</tool_call>\n'
            '<tool_call>\n{"name": "add", "arguments": {"a": 0.5, "b": "1/3"}}\n</tool_call>',
            "",
            [ADD, HALF],
        ),
        (
            "<tool_call>\n<function=add>\n<parameter=a>\n2\n</parameter>\n<parameter=b>\n3\n</parameter>\n"
            "</function>\n</tool_call>",
            "",
            [ADD],
        ),
        (
            "<tool_call>\n<function=add>\n<parameter=a>\n0.10\n</parameter>\n<parameter=b>\nDog(x)\n</parameter>\n"
            "</function>\n</tool_call>",
            "",
            [ToolCall("add", '{"a": "0.10", "b": "Dog(x)"}')],  # a decimal stays as it was written
        ),
        (
            "So.\n<tool_call>add\n<arg_key>a</arg_key>\n<arg_value>2</arg_value>\n"
            "<arg_key>b</arg_key>\n<arg_value>3</arg_value>\n</tool_call>",
            "So.",
            [ADD],
        ),
        ('[TOOL_CALLS] [{"name": "add", "arguments": {"a": 2, "b": 3}}]', "", [ADD]),
        ('[TOOL_CALLS][{"name": "add", "arguments": {"a": 2, "b": 3}}, '
         '{"name": "add", "arguments": {"a": 0.5, "b": "1/3"}}]', "", [ADD, HALF]),
        ('So.[TOOL_CALLS]add[ARGS]{"a": 2, "b": 3}', "So.", [ADD]),
        ('[TOOL_CALLS]add{"a": 2, "b": 3}[TOOL_CALLS]add{"a": 0.5, "b": "1/3"}', "", [ADD, HALF]),
        ('{"name": "add", "parameters": {"a": 2, "b": 3}}', "", [ADD]),
        ('<|python_tag|>{"type": "function", "name": "add", "parameters": {"a": 2, "b": 3}}', "", [ADD]),
        ('So.\n{"name": "add", "parameters": {"a": 2, "b": 3}}; '
         '{"name": "add", "parameters": {"a": 0.5, "b": "1/3"}}', "So.", [ADD, HALF]),
        ("So.<|tool_call_start|>[add(a=2, b=3), add(a=0.5, b='1/3')]<|tool_call_end|>", "So.", [ADD, HALF]),
        ('{"name": "f", "arguments": "{}"}', "", [ToolCall("f", '"{}"')]),
        ('{"name": "say", "arguments": {"text": "</tool_call> }{ \\""}}', "",
         [ToolCall("say", '{"text": "</tool_call> }{ \\""}')]),
    ],
)  # fmt: skip
def test_calls_in_a_templates_markup_are_read_as_they_stand(text, thought, calls):
    assert written_calls(text) == (thought, tuple(calls))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I think it is five.",
        "add(2, 3)",
        '{"a": 2}',
        '<tool_call>\n{"name": "add", "arguments": {"a": 2\n</tool_call>',
        '<tool_call>{"name": "add", "arguments": {}}</tool_call> and more',
        "<tool_call>two words</tool_call>",
        '<tool_call>{"name": "add", "arguments": {}}</tool_call><tool_call>{"name": 3}</tool_call>',  # one of two
        "[TOOL_CALLS] nothing",
        "<|tool_call_start|>[add(a=2), 3]<|tool_call_end|>",
        "<|tool_call_start|>[add(a=x)]<|tool_call_end|>",
        "<|tool_call_start|>[]<|tool_call_end|> more",
        '[TOOL_CALLS] [{"name": "add", "arguments": {"a": }}]',
        '{"name": "add", "parameters": {"a": 2}} is what I would say',
        '{"name": "add", "parameters": ' + "[" * 100_000,
    ],
)
def test_what_does_not_read_whole_stays_text(text):
    assert written_calls(text) == (text, ())


marks = st.sampled_from(
    ["<tool_call>", "</tool_call>", "[TOOL_CALLS]", '{"name": "f", "arguments": ', "{}", "}", "[", "]", "<function=f>",
     "<parameter=a>", "</parameter>", "</function>", "<arg_key>", "</arg_key>", "<arg_value>", "f", "\n", ";", '"',
     "[ARGS]", "<|tool_call_start|>", "<|tool_call_end|>", "f(a=1)"]
)  # fmt: skip


@given(st.lists(marks, max_size=30).map("".join) | st.text(max_size=60))
def test_no_text_raises(text):
    thought, calls = written_calls(text)
    assert calls or thought == text
