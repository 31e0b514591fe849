"""A view shows a toolbox in another way; what is stored has the true names, whatever the model wrote."""

from dataclasses import replace
from random import Random
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from callwright.agent.loop import take_steps
from callwright.agent.protocol import NATIVE, PROTOCOLS, TEXT
from callwright.chat.model import Reply, ToolCall, Usage
from callwright.functions.function import function, strict_function
from callwright.functions.numbers import Number
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.params import Params
from callwright.records import Call, Chain, Problem, Step
from callwright.tasks import TASKS
from callwright.tasks.draw_view import draw_view, draw_views
from callwright.tasks.view import PLAIN, View
from callwright.validation.execution import execute_again
from callwright.validation.replay import check_chain

ARITHMETIC = TASKS["arithmetic"]
TOOLBOX = ARITHMETIC.toolbox
RENAMED = View("renamed", names={"add": "lift", "subtract": "add"})  # `add` is subtraction here
PARAMS = Params.load().views.model_copy(update={"parameters": True, "plain": 0.0})


def steps_of(view: View, *replies: str) -> list[Step]:
    tools = TOOLBOX.open()
    return [step for text in replies for step in take_steps(Reply(text, "stop", Usage()), TEXT, TOOLBOX, tools, view)]


def shown_error(view: View, reply: str) -> str:
    (step,) = steps_of(view, reply)
    error = view.show_step(step, TOOLBOX).error
    assert error is not None
    return error.message


def test_a_call_under_its_shown_name_is_stored_under_its_true_name():
    lifted, added = steps_of(RENAMED, "lift(a=2, b=3)", "add(a=9, b=4)")
    assert lifted.call == Call("add", {"a": 2, "b": 3})
    assert (lifted.observation, added.observation) == ("5", "5")
    assert added.call == Call("subtract", {"a": 9, "b": 4})


def test_a_true_name_that_is_not_shown_is_an_unknown_function_and_replays_as_one():
    (step,) = steps_of(RENAMED, "subtract(a=9, b=4)")
    assert step.error is not None
    assert step.error.fault == "unknown_function"
    assert execute_again([step], TOOLBOX).steps == (step,)
    assert "no function subtract" in shown_error(RENAMED, "subtract(a=9, b=4)")


def test_markup_around_a_true_name_does_not_call_the_function():
    (step,) = steps_of(RENAMED, "functions.subtract(a=9, b=4)")
    assert step.error is not None
    assert step.error.fault == "unknown_function"
    assert execute_again([step], TOOLBOX).steps == (step,)


def test_error_lines_speak_the_shown_names():
    assert shown_error(RENAMED, "lift(a=2)") == "lift needs b; call it like lift(a=17, b=25)"
    assert shown_error(RENAMED, "multipl(2, 3)") == "there is no function multipl; did you mean multiply?"
    listed = shown_error(RENAMED, "zzz(2, 3)")
    assert listed.startswith("there is no function zzz; the functions are lift, add, multiply")
    assert shown_error(RENAMED, "lift(a=2").endswith("like lift(a=17, b=25)")
    assert shown_error(replace(RENAMED, functions=("divide", ANSWER)), "I do not know").endswith("divide(a=84, b=7)")


def test_an_unreadable_reply_is_shown_as_it_was_written():
    (step,) = steps_of(RENAMED, "lift(a=2")
    assert step.thought == "add(a=2"
    assert RENAMED.show_step(step, TOOLBOX).thought == "lift(a=2"
    assert View(names={"add": "sum_up"}).show_step(step, TOOLBOX).thought == "sum_up(a=2"


NATIVE_CUT = '{"name": "NAME", "arguments": {"FIRST": 2, "SECOND": 3}\n{"name": "NAME", "arguments": {}'


@pytest.mark.parametrize("reply", ["NAME(FIRST=2, SECOND=3", "So: NAME(SECOND = 2", NATIVE_CUT])
def test_an_unreadable_reply_names_its_arguments_as_each_view_shows_them(reply):
    toolbox = TASKS["translation"].toolbox
    view = View("v", names={"predicate": "lift"}, parameters={"predicate": {"name": "terms", "terms": "cell"}})
    other = View("o", names={"predicate": "sew"}, parameters={"predicate": {"name": "item", "terms": "kind"}})

    def written(name: str, first: str, second: str) -> str:
        return reply.replace("NAME", name).replace("FIRST", first).replace("SECOND", second)

    true = view.read_text(written("lift", "terms", "cell"), toolbox)
    assert other.show_step(Step(true, None, None, None), toolbox).thought == written("sew", "item", "kind")


SYNTAX_ERRORS = {
    "NAME(2, 3": "the closing bracket of NAME is missing; write one call on the last line, like FIRST(a=17, b=25)",
    "NAME(a='2, b=3)": "a quote in the call of NAME is not closed; write one call on the last line, like "
    "FIRST(a=17, b=25)",
    "<tool_call>NAME 5</tool_call>": "the arguments of NAME could not be read; write one call on the last line, like "
    "FIRST(a=17, b=25)",
    "FIRST(NAME(2, 3), 4)": "an argument must be a plain value: call NAME first, then use its result",
    "FIRST(NAME, 4)": "an argument must be a plain value, not the name NAME; quote text, write numbers out",
}


@pytest.mark.parametrize("reply", SYNTAX_ERRORS)
def test_a_syntax_error_names_the_called_function_as_each_view_shows_it(reply):
    view, other = View("v", names={"add": "lift", "divide": "wash"}), View("o", names={"add": "sew", "divide": "dig"})

    def named(text: str, first: str, divide: str) -> str:
        return text.replace("FIRST", first).replace("NAME", divide)

    (step,) = steps_of(view, named(reply, "lift", "wash"))
    for shown_in, first, divide in ((view, "lift", "wash"), (other, "sew", "dig"), (PLAIN, "add", "divide")):
        error = shown_in.show_step(step, TOOLBOX).error
        assert error is not None
        assert error.message == named(SYNTAX_ERRORS[reply], first, divide)


def test_advice_to_divide_speaks_of_the_function_as_it_is_shown():
    assert shown_error(View(names={"divide": "wash"}), "add(1/2/3, 4)").endswith("for other divisions call wash")
    assert shown_error(PLAIN, "add(1/2/3, 4)").endswith("for other divisions call divide")


@pytest.mark.parametrize("view", [PLAIN, RENAMED])
def test_the_mark_of_a_function_that_is_not_shown_is_stored_and_never_shown(view):
    replies = ['count_letters(text="pear")', 'count_letters(text="pear"', "I like `count_letters`."]
    steps = steps_of(view, *replies)
    assert all("not shown: count_letters" in repr((step.thought, step.call)) for step in steps)
    with_it = View("with", functions=(*TOOLBOX.functions, "count_letters"), names={"count_letters": "wash"})
    for shown_in in (view, PLAIN, RENAMED, with_it):
        messages, _ = TEXT.render(ARITHMETIC, "How many?", steps, shown_in)
        assert "not shown" not in repr(messages)
        written = [message["content"].replace("'", '"') for message in messages if message["role"] == "assistant"]
        assert written == replies


def test_words_that_are_not_called_stay():
    (step,) = steps_of(RENAMED, 'I add them, as in add or "no":\nlift(a=2, b=3)')
    assert step.thought == 'I add them, as in add or "no":'


def test_parameters_get_other_names_too():
    view = View(parameters={"add": {"a": "left", "b": "a"}})
    good, bad = steps_of(view, "add(left=2, a=3)", "add(b=2, a=3)")
    assert good.call == Call("add", {"a": 2, "b": 3})
    assert view.show(TOOLBOX).functions["add"].signature() == "add(left, a)"
    assert bad.error is not None
    assert bad.error.fault == "bad_arguments"
    assert execute_again([bad], TOOLBOX).steps == (bad,)
    message = "add needs left; call it like add(left=17, a=25)"
    assert shown_error(view, "add(b=2, a=3)") == message


def test_positional_arguments_need_no_names():
    (step,) = steps_of(View(parameters={"subtract": {"a": "b", "b": "a"}}), "subtract(9, 4)")
    assert step.call == Call("subtract", {"a": 9, "b": 4})


def test_a_needless_function_can_be_called_only_where_it_is_shown():
    shown = View("more", functions=(*TOOLBOX.functions, "count_letters"))
    (step,) = steps_of(shown, 'count_letters(text="pear")')
    assert step.observation == "4"
    assert execute_again([step], TOOLBOX).steps == (step,)
    (hidden,) = steps_of(PLAIN, 'count_letters(text="pear")')
    assert hidden.error is not None
    assert hidden.error.fault == "unknown_function"
    assert execute_again([hidden], TOOLBOX).steps == (hidden,)
    assert PLAIN.show_step(hidden, TOOLBOX).call == Call("count_letters", {"text": "pear"})


def test_the_plain_view_shows_the_prompt_as_it_is():
    for protocol in PROTOCOLS.values():
        assert protocol.render(ARITHMETIC, "How many?", (), PLAIN) == protocol.render(ARITHMETIC, "How many?", ())
    assert PLAIN.show(TOOLBOX) is TOOLBOX


@function(example={"n": 2}, name="room.area")
def area(n: Annotated[int, Field(ge=1, description="a length")]) -> int:
    """The area of a room; room.add_wall(1) and `wall` come first, and all wall paper last."""
    return n * n


@function(example={"n": 2}, name="room.add_wall")
def add_wall(n: int) -> int:
    """A wall more."""
    return n


@function(example={"n": 2})
def wall(n: int) -> int:
    """A wall."""
    return n


ROOM = Toolbox([area, add_wall, wall, TOOLBOX.functions[ANSWER]])


def test_instructions_mention_functions_in_backquotes_and_dotted_names_as_whole_words():
    view = View(names={"room.area": "lift", "wall": "wash"})
    assert view.show_instructions(
        "Call `wall`, then room.area. Not room.area.wall, `wall`.x or walls; hit a wall."
    ) == ("Call `wash`, then lift. Not room.area.wall, `wash`.x or walls; hit a wall.")


def test_a_function_called_like_an_english_word_leaves_the_instructions_as_they_are():
    view = View(names={"call": "river", "step": "lift_oak"})
    assert view.show_instructions(ARITHMETIC.instructions) == ARITHMETIC.instructions


def test_words_that_a_task_declares_as_functions_are_replaced_in_its_instructions():
    entailment, view = TASKS["entailment"], View(names={"entails": "river"})
    shown = view.show_instructions(entailment.instructions, entailment.named_in_instructions)
    assert shown == entailment.instructions.replace("entails", "river")
    assert shown.count("river") == 2


def test_a_description_mentions_other_functions_as_they_are_shown():
    view = View(names={"room.add_wall": "wall", "wall": "room.add_wall"})
    assert view.show(ROOM).functions["room.area"].description == (
        "The area of a room; wall(1) and `room.add_wall` come first, and all wall paper last."
    )


def test_a_renamed_parameter_keeps_its_limits_and_its_description():
    shown = View(parameters={"room.area": {"n": "item"}}).show(ROOM).functions["room.area"]
    schema = area.schema()["function"]["parameters"]
    assert shown.schema()["function"]["parameters"]["properties"] == {"item": schema["properties"]["n"]}
    assert schema["properties"]["n"]["description"] == "a length"


@pytest.mark.parametrize("protocol", [TEXT, NATIVE])
def test_a_prompt_mentions_no_true_name_that_is_not_shown(protocol):
    task = TASKS["entailment"]
    view = View("v", names={"assume": "hold", "entails": "follows"})
    messages, tools = protocol.render(task, "Premises: ...", (), view)
    prompt = f"{messages[0]['content']} {tools}"
    assert "hold" in prompt
    assert "entails" not in prompt
    assert "assume(" not in prompt


def test_a_native_call_is_stored_under_its_true_name():
    reply = Reply("", "tool_calls", Usage(), (ToolCall("lift", '{"a": 2, "b": 3}'),))
    (step,) = take_steps(reply, NATIVE, TOOLBOX, TOOLBOX.open(), RENAMED)
    assert step.call == Call("add", {"a": 2, "b": 3})
    messages, _ = NATIVE.render(ARITHMETIC, "How many?", [step], RENAMED)
    assert messages[2]["tool_calls"][0]["function"]["name"] == "lift"


def test_two_functions_under_the_same_name_are_refused():
    with pytest.raises(ValueError, match="already"):
        View(names={"add": "divide"}).show(TOOLBOX)


def test_descriptions_are_replaced():
    view = View(descriptions={"add": "Both numbers together."})
    assert "add(a, b): Both numbers together. Example: add(a=17, b=25) -> 42" in TEXT.function_section(
        view.show(TOOLBOX)
    )


@strict_function(example={"a": 1})
def twice(a: Number, more: list[Number] | None = None) -> Number:
    """Twice a number."""
    return 2 * a + sum(more or [])


def test_renamed_parameters_keep_their_types_and_defaults():
    toolbox = Toolbox([twice, TOOLBOX.functions[ANSWER]])
    shown = View(parameters={"twice": {"a": "it", "more": "rest"}}).show(toolbox)
    assert shown.functions["twice"].signature() == twice.signature().replace("a", "it", 1).replace("more", "rest")
    assert shown.open().execute(Call("twice", {"it": "1/2", "rest": [3]})).text == "4"


CALLS = st.builds(
    Call,
    st.sampled_from([*TOOLBOX.functions, "lift", "sum_of", "count_letters", "functions.add", "x"]),
    st.dictionaries(st.sampled_from(["a", "b", "value", "left", "0", "1"]), st.integers(0, 9), max_size=3),
)


@given(seed=st.integers(0, 10_000), call=CALLS, task=st.sampled_from(sorted(TASKS)))
def test_what_a_model_writes_in_any_view_is_shown_again_as_it_wrote_it(seed, call, task):
    toolbox = TASKS[task].toolbox
    view = draw_view(TASKS[task], PARAMS, Random(seed), "key")
    written = [*view.show(toolbox).functions, call.name]
    call = replace(call, name=Random(seed).choice(written))
    true = view.read_call(call, toolbox)
    assert view.show_call(true, toolbox) == view.show_call(
        view.read_call(view.show_call(true, toolbox), toolbox), toolbox
    )
    if "." not in call.name:
        assert view.show_call(true, toolbox) == call
    shown = call.name in view.show(toolbox).functions
    assert (toolbox.find(true.name) is not None) == shown


@given(seed=st.integers(0, 10_000))
def test_a_chain_in_any_view_replays_and_is_judged_as_in_the_plain_view(seed):
    problem = Problem("p", "arithmetic", "Ann has 2 apples and 3 pears. How many?", "5", (), "t", "g", "train")
    view = draw_view(ARITHMETIC, PARAMS, Random(seed), "key")
    calls = [Call("add", {"a": 2, "b": 3}), Call("add", {"a": 2}), Call("answer", {"value": 5})]
    texts = [TEXT.reply_message(view.show_step(Step("", call, None, None), TOOLBOX))["content"] for call in calls]
    steps = tuple(steps_of(view, *texts))
    plain = tuple(steps_of(PLAIN, "add(a=2, b=3)", "add(a=2)", "answer(value=5)"))
    assert steps == plain
    chain = Chain("c", "p", "m", "text", steps, "answered", "5", view=view.key)
    assert check_chain(chain, problem, ARITHMETIC).verdict.correct


def test_views_are_drawn_by_seed_and_differ():
    views = draw_views(ARITHMETIC, PARAMS, 4, 7, "rollout")
    assert views[0] == PLAIN
    assert views == draw_views(ARITHMETIC, PARAMS, 4, 7, "rollout")
    assert views != draw_views(ARITHMETIC, PARAMS, 4, 8, "rollout")
    assert len({tuple(view.names.items()) for view in views}) == 4
    assert [view.key for view in views] == ["", "rollout/7/1", "rollout/7/2", "rollout/7/3"]
