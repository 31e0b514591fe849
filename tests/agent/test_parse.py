import keyword
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.agent.parse import parse_call, split_reply
from callwright.errors import CallError
from callwright.functions.function import render_call
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH, MAX_ITEMS
from callwright.records import Call

TWO_AND_THREE = Call("add", {"a": 2, "b": 3})


@pytest.mark.parametrize(
    ("reply", "name", "arguments"),
    [
        ("add(a=2, b=3)", "add", {"a": 2, "b": 3}),
        ("add(2, b=3)", "add", {"0": 2, "b": 3}),
        ("  add ( 2 , 3 )  \n", "add", {"0": 2, "1": 3}),
        ("(add(2, 3))", "add", {"0": 2, "1": 3}),
        ("add(2, 3)  # two and three", "add", {"0": 2, "1": 3}),
        ("f()", "f", {}),
        ("logic.assume('rain')", "logic.assume", {"0": "rain"}),
        ("f(-2, +3, -0.5)", "f", {"0": -2, "1": 3, "2": -0.5}),
        ("f(−2)", "f", {"0": -2}),  # U+2212, as models write it
        ("f(0.5, −2)", "f", {"0": 0.5, "1": -2}),
        ("f(1/2, -3/4)", "f", {"0": "1/2", "1": "-3/4"}),
        ("f(1_000, 1e3, 0x10)", "f", {"0": 1000, "1": 1000.0, "2": 16}),
        ("f(1,200)", "f", {"0": 1, "1": 200}),  # two arguments: the toolbox will say so
        ("f(True, None)", "f", {"0": True, "1": None}),
        ("f('it''s', \"$5\")", "f", {"0": "its", "1": "$5"}),
        ("f('(a) + [b]')", "f", {"0": "(a) + [b]"}),
        ("f([1, [2]], {'k': (3, 4)})", "f", {"0": [1, [2]], "1": {"k": [3, 4]}}),
        (f"f({'9' * 500})", "f", {"0": 10**500 - 1}),  # read exactly; the guard bounds what is computed
    ],
)
def test_a_call_is_read_as_it_is_meant(reply, name, arguments):
    assert parse_call(reply) == Call(name, arguments)


@pytest.mark.parametrize(
    "reply",
    [
        "Two and three first.\nadd(a=2, b=3)",
        "First.\n\nThen (as asked):\n\nadd(a=2, b=3)\n\n",
        "```python\nadd(a=2, b=3)\n```",
        "```\nadd(a=2, b=3)\n```",
        "Let me add.\n```python\nadd(a=2, b=3)\n```\n",
        "add(a=2, b=3) is what I need:\nadd(a=2, b=3)",
    ],
)
def test_the_call_is_the_last_line_and_code_fences_do_not_matter(reply):
    assert parse_call(reply) == TWO_AND_THREE


@pytest.mark.parametrize(
    ("reply", "complaint"),
    [
        ("", "no function call could be read"),
        ("five", "no function call was found"),
        ("The answer is 5.", "no function call could be read"),
        ("add(a=2, b=3", "no function call could be read"),
        ("add(a=2, b=3))", "no function call could be read"),
        ("answer(5).", "no function call could be read"),
        ("so add(2, 3)", "no function call could be read"),
        ("`add(2, 3)`", "no function call could be read"),
        ("add(2, 3)\nThat is it.", "no function call could be read|only one call"),
        ("x = add(2, 3)", "no function call could be read"),
        ("add(2, 3); add(4, 5)", "no function call could be read"),
        ("add(2, 3), add(4, 5)", "no function call was found"),
        ("add(2, 3) + add(4, 5)", "no function call was found"),
        ("add(2, 3)\nadd(4, 5)", "only one call in a reply"),
        ("add(subtract(5, 3), 2)", "call subtract first, then use its result"),
        ("add(x, 2)", "not the name x; quote text"),
        ("add(2 + 3, 4)", "must be a plain value"),
        ("add(2 ** 9, 4)", "must be a plain value"),
        ("add(1/2/3, 4)", "for other divisions call divide"),
        ("add(0.5/2, 4)", "a fraction is written p/q with whole numbers"),
        ("add(True/2, 4)", "a fraction is written p/q with whole numbers"),
        ("add(-True, 1)", "a sign needs a number"),
        ("add(--2, 3)", "must be a plain value"),
        ("add(a=1, a=2)", "the argument a is given twice"),
        ("add(*[2, 3])", "must be a plain value"),
        ("add(**{'a': 2})", r"\*\* is not allowed"),
        ("add(lambda: 2, 3)", "must be a plain value"),
        ("add([x for x in range(9)], 3)", "must be a plain value"),
        ("add(x for x in range(9))", "must be a plain value"),
        ("add((a := 2), 3)", "must be a plain value"),
        ("add(f'{2}', 3)", "must be a plain value"),
        ("add(2 if True else 3, 3)", "must be a plain value"),
        ("add(b'2', 3)", "must be a plain value"),
        ("add(2j, 3)", "must be a plain value"),
        ("add(..., 3)", "must be a plain value"),
        ("add({2, 3})", "must be a plain value"),
        ("add({1: 2})", "the keys of a dict must be quoted text"),
        ("add({**a})", "the keys of a dict must be quoted text"),
        ("add(os.environ, 3)", "must be a plain value"),
        ("add(1e400, 3)", "too many digits"),
        ("add(0.12345678901234567890, 3)", "too many digits"),
        ("add(2, 3)\x00", "no function call could be read"),
        ("add('\x00', 3)", "no function call could be read"),
        ("add('\ud800', 3)", "no function call could be read"),
        ("__import__('os')", "a call starts with a function's name"),
        ("__import__('os').system('true')", "a call starts with a function's name"),
        ("add.__globals__()", "a call starts with a function's name"),
        ("add.__class__.mro()", "a call starts with a function's name"),
        ("(lambda: 2)()", "a call starts with a function's name"),
        ("[add][0](2, 3)", "a call starts with a function's name"),
        ("add(2)(3)", "a call starts with a function's name"),
    ],
)
def test_what_is_no_single_plain_call_is_a_syntax_fault_that_says_why(reply, complaint):
    result = parse_call(reply)
    assert isinstance(result, CallError)
    assert result.fault == "syntax"
    assert pytest.raises(CallError, match=complaint).matches(result), result.message


@pytest.mark.parametrize(
    ("inside", "over", "complaint"),
    [
        ("[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1), "[" * MAX_DEPTH + "]" * MAX_DEPTH, "nested deeper than 8"),
        ("1, " * MAX_ITEMS, "1, " * (MAX_ITEMS + 1), "more than 64 arguments"),
        (f"[{'1, ' * MAX_ITEMS}]", f"[{'1, ' * (MAX_ITEMS + 1)}]", "more than 64 items"),
        ("9" * (MAX_CALL_CHARACTERS - 3), "9" * (MAX_CALL_CHARACTERS - 2), "longer than 2000 characters"),
    ],
)
def test_depth_items_and_length_are_bounded_exactly(inside, over, complaint):
    assert isinstance(parse_call(f"f({inside})"), Call)
    refused = parse_call(f"f({over})")
    assert isinstance(refused, CallError)
    assert complaint in refused.message


@pytest.mark.parametrize("filler", ["-", "not ", "1+", "a.", "~"])
def test_what_nests_without_brackets_neither_crashes_nor_passes(filler):
    assert isinstance(parse_call(f"f({filler * (1_900 // len(filler))}1)"), CallError)


def test_an_odd_escape_does_not_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_call(r"f('\d')") == Call("f", {"0": r"\d"})


def test_split_reply_gives_thought_and_call():
    assert split_reply("One.\nTwo.\n```python\nadd(2, 3)\n```") == ("One.\nTwo.", "add(2, 3)")
    assert split_reply("add(2, 3)") == ("", "add(2, 3)")


names = st.from_regex(r"[a-z][a-z_]{0,6}(\.[a-z][a-z_]{0,6})?", fullmatch=True).filter(
    lambda name: not any(keyword.iskeyword(part) for part in name.split("."))
)
words = st.text(max_size=6).filter(lambda text: "−" not in text)  # see the expected failure below
plain = (
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.builds("{}/{}".format, st.integers(-999, 999), st.integers(0, 999))
    | words
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3), max_leaves=4
)
keywords = st.dictionaries(names.filter(lambda name: "." not in name), values, max_size=3)
calls = st.builds(
    lambda name, places, named: Call(name, {**{str(place): one for place, one in enumerate(places)}, **named}),
    names,
    st.lists(values, max_size=3),
    keywords,
)


@given(calls)
def test_a_rendered_call_is_read_back_as_the_same_call(made):
    text = render_call(made)
    read = parse_call(text)
    assert read == made or "nested deeper" in str(read)


soup = st.text(alphabet="add(2,3)[]{}'\"\\\n\t`=*:.-/−_#; \x00", max_size=60)


@given(st.text(max_size=200) | soup)
def test_no_text_raises_and_every_complaint_is_one_line(text):
    result = parse_call(text)
    assert isinstance(result, Call) or (result.fault == "syntax" and "\n" not in result.message)


def test_a_unicode_minus_does_not_spoil_a_later_decimal():
    assert parse_call("add(−1, 0.5)") == Call("add", {"0": -1, "1": 0.5})


def test_a_unicode_minus_in_quoted_text_is_kept():
    assert parse_call("say('a−b')") == Call("say", {"0": "a−b"})


def test_a_thought_that_ends_in_brackets_is_no_second_call():
    assert parse_call("The total (in euros)\nadd(a=2, b=3)") == TWO_AND_THREE
    assert parse_call("Apples (both kinds)\nadd(a=2, b=3)") == TWO_AND_THREE
