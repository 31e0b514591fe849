import json
import keyword
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.agent.parsing.bare_call import _read_flat_call
from callwright.agent.parsing.parse import MAX_REPLY_CHARACTERS, parse_call, read_reply
from callwright.agent.parsing.python_call import read_python
from callwright.errors import CallError
from callwright.functions.function import render_call
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH, MAX_ITEMS
from callwright.records import Call

SUM = Call("add", {"a": 2, "b": 3})


@pytest.mark.parametrize(
    ("reply", "thought"),
    [
        ("add(a=2, b=3)", ""),
        ("Two and three first.\nadd(a=2, b=3)", "Two and three first."),
        ("First.\n\nThen (as asked):\n\nadd(a=2, b=3)\n\n", "First.\n\nThen (as asked):"),
        ("Let me add.\n```python\nx = add(a=2, b=3)\nprint(x)\n```\nThat is it.", "Let me add."),
        ("so add(a=2, b=3)", "so"),
        ("Now I call `add(a=2, b=3)`.", "Now I call"),
        ("Call: add(a=2, b=3)  # now", "Call:"),
        ("Sum first.\n>>> add(a=2, b=3)\n5", "Sum first."),
        ("print(add(a=2, b=3))", ""),
        ("1. add(a=2, b=3)", ""),
        ("é: add(a=2, b=3)", "é:"),
        ("# é\r\nadd(a=2, b=3)", "# é"),
        ("<tool_call>\n{'name': 'add', 'arguments': {'a': 2, 'b': 3}}\n</tool_call>", ""),
        ("<think>add(1, 1)?</think>\nadd(a=2, b=3)", "<think>add(1, 1)?</think>"),
    ],
)
def test_the_thought_is_the_text_before_the_call(reply, thought):
    assert read_reply(reply) == (thought, SUM)
    assert parse_call(reply) == SUM


def test_the_thought_of_an_unreadable_reply_is_all_of_it():
    thought, error = read_reply(" The answer is 5.\n")
    assert isinstance(error, CallError)
    assert thought == "The answer is 5."


def test_a_number_of_many_digits_is_read_exactly():
    assert parse_call(f"f({'9' * 500})") == Call("f", {"0": 10**500 - 1})  # limits of size apply when it is executed


def test_a_call_on_the_last_line_counts_whatever_a_long_thought_mentions():
    thought = "\n".join(f"P(x{number}) or P(y) holds, says rule({number})." for number in range(2_000))
    assert read_reply(f"{thought}\nadd(a=2, b=3)") == (thought, SUM)


@pytest.mark.parametrize(
    ("allowed", "excessive", "cause"),
    [
        ("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1), "[" * MAX_DEPTH + "]" * MAX_DEPTH, "nested deeper than 8"),
        ("1, " * MAX_ITEMS, "1, " * (MAX_ITEMS + 1), "more than 64 arguments"),
        (f"[{'1, ' * MAX_ITEMS}]", f"[{'1, ' * (MAX_ITEMS + 1)}]", "more than 64 items"),
        ("9" * (MAX_CALL_CHARACTERS - 3), "9" * (MAX_CALL_CHARACTERS - 2), "longer than 2000 characters"),
    ],
)
def test_depth_items_and_length_have_exact_limits(allowed, excessive, cause):
    assert isinstance(parse_call(f"f({allowed})"), Call)
    error = parse_call(f"f({excessive})")
    assert isinstance(error, CallError)
    assert cause in error.message


def test_the_length_of_a_reply_has_an_exact_limit():
    remaining = MAX_REPLY_CHARACTERS - len("add(a=2, b=3)")
    assert parse_call(" " * remaining + "add(a=2, b=3)") == SUM
    thought = "x" * (remaining - 1)
    assert parse_call(f"{thought}\nadd(a=2, b=3)") == SUM
    assert "longer than 100000 characters" in str(parse_call(f"{thought}xx\nadd(a=2, b=3)"))


@pytest.mark.parametrize("filler", ["-", "not ", "1+", "a.", "~"])
def test_deep_nesting_without_brackets_is_a_fault(filler):
    assert isinstance(parse_call(f"f({filler * (1_900 // len(filler))}1)"), CallError)


def test_an_invalid_escape_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_call(r"f('\d')") == Call("f", {"0": r"\d"})


names = st.from_regex(r"[a-z][a-z_]{0,6}(\.[a-z][a-z_]{0,6})?", fullmatch=True).filter(
    lambda name: not any(keyword.iskeyword(part) for part in name.split("."))
)
words = st.text(max_size=6) | st.text(alphabet="'\"“”‘’„−\\`(){}[]\n#, add1", max_size=8)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.builds("{}/{}".format, st.integers(-999, 999), st.integers(0, 999))
    | words
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=4
)
keywords = st.dictionaries(names.filter(lambda name: "." not in name), values, max_size=3)
calls = st.builds(
    lambda name, positional, named: Call(
        name, {**{str(index): value for index, value in enumerate(positional)}, **named}
    ),
    names,
    st.lists(values, max_size=3),
    keywords,
)


@given(calls)
def test_a_rendered_call_is_read_back_as_the_same_call(call):
    read = parse_call(render_call(call))
    assert read == call or "nested deeper" in str(read)


@given(st.text(alphabet=" abc.,:;!?-\n", max_size=40), calls.filter(lambda call: call.name != "print"))
def test_a_stored_reply_is_read_again_as_the_same_thought_and_call(prose, call):
    thought, read = read_reply(f"{prose}\n{render_call(call)}")
    if isinstance(read, Call):
        again = read_reply(f"{thought}\n{render_call(read)}".strip())
        assert again == (thought, read)


numbers = st.from_regex(r"-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,4})?", fullmatch=True)
flat = st.builds(
    lambda name, arguments: f"{name}({', '.join(f'{key}={number}' if key else number for key, number in arguments)})",
    st.sampled_from(["add", "f", "not", "None", "print", "a_1"]),
    st.lists(st.tuples(st.sampled_from(["", "", "a", "b", "if", "True"]), numbers), max_size=9),
)


@given(flat)
def test_the_quick_reader_of_calls_with_numbers_gives_the_same_calls(text):
    quick = _read_flat_call(text)
    if quick is not None:
        assert quick == read_python(text)
        assert list(map(type, quick.arguments.values())) == list(map(type, read_python(text).arguments.values()))


@given(calls.filter(lambda call: call.name != "print"))
def test_a_call_in_json_is_read_as_the_same_call(call):
    named = {key: value for key, value in call.arguments.items() if not key.isdigit()}
    text = json.dumps({"name": call.name, "arguments": named})
    read = parse_call(text)
    assert read == Call(call.name, named) or "nested deeper" in str(read)


call_like_text = st.text(alphabet="add(2,3)[]{}'\"“”\\\n\t`=*:.-/−_#;<>| \x00", max_size=60)


@given(st.text(max_size=200) | call_like_text)
def test_no_text_raises_and_every_error_is_one_printable_line(text):
    thought, result = read_reply(text)
    assert parse_call(text) == result or isinstance(result, CallError)
    if isinstance(result, CallError):
        assert result.fault == "syntax"
        assert result.message.isprintable()
        assert thought == text.strip()


def test_a_decimal_after_a_unicode_minus_is_exact():
    assert parse_call("add(−1, 0.5)") == Call("add", {"0": -1, "1": 0.5})


def test_a_unicode_minus_in_quoted_text_is_kept():
    assert parse_call("say('a−b')") == Call("say", {"0": "a−b"})


def test_a_thought_that_ends_in_brackets_is_not_a_second_call():
    assert parse_call("The total (in euros)\nadd(a=2, b=3)") == SUM
    assert parse_call("Apples (both kinds)\nadd(a=2, b=3)") == SUM
