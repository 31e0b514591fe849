"""What a model writes about functions is stored under true names, and shown under those of any view."""

import pytest

from callwright.agent.loop import take_steps
from callwright.agent.protocol import NATIVE, TEXT, AgentProtocol
from callwright.chat.model import Reply, ToolCall, Usage
from callwright.functions.function import function
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Step
from callwright.tasks import TASKS
from callwright.tasks.view import PLAIN, View

TOOLBOX = TASKS["arithmetic"].toolbox
VIEW = View(
    "v",
    names={"add": "lift_oak", "multiply": "wash"},
    parameters={"add": {"a": "item", "b": "thing"}, "divide": {"a": "item"}},
)
OTHER = View("o", names={"add": "river"}, parameters={"add": {"a": "slot", "b": "cell"}, "divide": {"a": "kind"}})


def read(view: View, text: str, toolbox: Toolbox = TOOLBOX, *calls: ToolCall, protocol: AgentProtocol = TEXT) -> Step:
    (step,) = take_steps(Reply(text, "stop", Usage(), calls), protocol, toolbox, toolbox.open(), view)
    return step


def texts(view: View, step: Step, toolbox: Toolbox = TOOLBOX) -> tuple[str, str]:
    """The thought and the error line of a step in a view."""
    shown = view.show_step(step, toolbox)
    return shown.thought, shown.error.message if shown.error else ""


@pytest.mark.parametrize(
    ("written", "stored", "in_another_view"),
    [
        ("I use lift_oak now.", "I use `add` now.", "I use `river` now."),
        ("I use `lift_oak` now.", "I use `add` now.", "I use `river` now."),
        ("So functions.lift_oak(item=2, thing=", "So functions.add(a=2, b=", "So functions.river(slot=2, cell="),
        ("divide(item=2, b=", "divide(a=2, b=", "divide(kind=2, b="),
        ("lift_oak(item=2, divide(item=3", "add(a=2, divide(a=3", "river(slot=2, divide(kind=3"),
        ("So lift_oak(2, 3) gives item = 5.", "So add(2, 3) gives item = 5.", "So river(2, 3) gives item = 5."),
        ("lift_oak(item=divide(item=1), thing=2", "add(a=divide(a=1), b=2", "river(slot=divide(kind=1), cell=2"),
        ('lift_oak(item="thing=3", thing=', 'add(a="thing=3", b=', 'river(slot="thing=3", cell='),
        ('Action: lift_oak\nAction Input: {"item": 2,', 'Action: add\nAction Input: {"a": 2,', None),
        ("<tool_call>lift_oak 5</tool_call>", "<tool_call>add 5</tool_call>", "<tool_call>river 5</tool_call>"),
        (
            "<function=lift_oak>\n<parameter=item>2</parameter> x <parameter=item>",
            "<function=add>\n<parameter=a>2</parameter> x <parameter=a>",
            "<function=river>\n<parameter=slot>2</parameter> x <parameter=slot>",
        ),
        ('The word is "lift_oak".', 'The word is "lift_oak".', 'The word is "lift_oak".'),
    ],
)
def test_an_unreadable_reply_is_stored_under_true_names(written: str, stored: str, in_another_view: str | None):
    step = read(VIEW, written)
    assert step.thought == stored
    if "I use" not in written:
        assert texts(VIEW, step)[0] == written
    if in_another_view is not None:
        assert texts(OTHER, step)[0] == in_another_view


def test_a_name_without_backquotes_gets_them_where_the_true_name_is_an_english_word():
    step = read(VIEW, "I use lift_oak to add them.\nlift_oak(item=2, thing=3)")
    assert step.thought == "I use `add` to add them."
    assert texts(VIEW, step)[0] == "I use `lift_oak` to add them."


@function(example={"text": "pear"})
def find(text: str) -> int:
    """Letters. See count.all first."""
    return len(text)


@function(example={"text": "pear"})
def name(text: str) -> int:
    """Letters, too."""
    return len(text)


@function(example={"find": "pear"}, name="count.all")
def count_all(find: str) -> int:
    """Letters again."""
    raise ValueError("find must be longer; call from_usd first, or find it") if find == "x" else None
    return len(find)


@function(example={"n": 1})
def from_usd(n: int) -> int:
    """Euros."""
    return n


LONG = "convert_the_temperature_from_celsius_to_fahrenheit_and_back_again"[:64]
long = function(example={"text": "pear"}, name=LONG)(name.python)
OWN = Toolbox([find, name, count_all, from_usd, long, TOOLBOX.functions[ANSWER]])
OWN_VIEW = View("v", names={"find": "river", "name": "lift", "count.all": "wash", "from_usd": "dig", LONG: "oak"})


def test_a_quoted_word_is_data_and_a_quoted_key_is_no_function():
    step = read(PLAIN, 'The word is "find".\nfind(text="find")', OWN)
    assert TEXT.reply_message(OWN_VIEW.show_step(step, OWN))["content"] == "The word is \"find\".\nriver(text='find')"
    cut = read(PLAIN, "", OWN, ToolCall("name", '{"text": "find'), protocol=NATIVE)
    assert texts(OWN_VIEW, cut, OWN)[0] == '{"name": "lift", "arguments": {"text": "find}'
    parameter = read(PLAIN, "", OWN, ToolCall("count.all", '{"find": "x'), protocol=NATIVE)
    assert texts(OWN_VIEW, parameter, OWN)[0] == '{"name": "wash", "arguments": {"find": "x}'


def test_an_argument_of_a_json_call_is_data_even_if_its_key_is_name():
    view = View("v", names={"predicate": "lift", "negate": "wash"}, parameters={"predicate": {"name": "kind"}})
    text = '{"name": "lift", "arguments": {"kind": "wash", "x": 1}} {"name": "wash", "arguments": {'
    stored = view.read_text(text, TASKS["translation"].toolbox)
    assert stored == '{"name": "predicate", "arguments": {"name": "wash", "x": 1}} {"name": "negate", "arguments": {'


def test_an_error_of_a_users_function_mentions_others_as_they_are_shown():
    step = read(OWN_VIEW, 'wash(find="x")', OWN)
    assert texts(OWN_VIEW, step, OWN)[1] == "find must be longer; call dig first, or find it"
    assert texts(PLAIN, step, OWN)[1] == "find must be longer; call from_usd first, or find it"


def test_an_argument_that_is_given_twice_is_named_as_each_view_shows_it():
    step = read(VIEW, "lift_oak(item=2, item=3)")
    assert texts(VIEW, step)[1] == "the argument item is given twice"
    assert texts(OTHER, step)[1] == "the argument slot is given twice"
    assert texts(PLAIN, step)[1] == "the argument a is given twice"


def test_a_name_of_64_characters_is_replaced_in_error_lines():
    assert len(LONG) == 64
    for text, message in (
        (f'name({LONG}(text="x"))', "an argument must be a plain value: call oak first, then use its result"),
        (f"name({LONG})", "an argument must be a plain value, not the name oak; quote text, write numbers out"),
        (f"{LONG}(2", "the closing bracket of oak is missing"),
    ):
        assert texts(OWN_VIEW, read(PLAIN, text, OWN), OWN)[1].startswith(message)


def test_two_parameters_under_the_same_name_are_refused():
    with pytest.raises(ValueError, match=r"^add would have two parameters named b$"):
        View(parameters={"add": {"a": "b"}}).show(TOOLBOX)
