"""Every mistake on one problem of three steps: 3 x 4 = 12, 12 + 5 = 17, 17 - 2 = 15."""

import random
from dataclasses import replace
from itertools import pairwise

import pytest

from callwright.agent.loop import ends_chain
from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox
from callwright.records import Call, Step
from callwright.standins.oracle.script import MISTAKES, Mistake, Script, ScriptStep, draw_mistake, write_script
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.task import Task
from tests.fakes import call, problem, step

GOLD = ("multiply(a=3, b=4)", "add(a=12, b=5)", "subtract(a=17, b=2)", "answer(value=15)")
FIGS = problem(*GOLD, answer="15")
SEEDS = range(60)


def play(script: Script) -> list[Step]:
    """The steps of an attempt, every call executed for real."""
    steps: list[Step] = []
    while not steps or not (ends_chain(steps[-1]) or len(steps) == 8):
        steps.append(step(script.reply([earlier.observation for earlier in steps])))
    return steps


def attempts(mistake: Mistake | None) -> list[list[Step]]:
    scripts = [write_script(FIGS, ARITHMETIC, mistake, random.Random(seed)) for seed in SEEDS]
    assert {script.mistake for script in scripts} == {mistake}  # the mistake fits this problem with every seed
    return [play(script) for script in scripts]


def names(steps: list[Step]) -> list[str]:
    return [each.call.name if each.call else "unreadable" for each in steps]


def answers(chains: list[list[Step]]) -> set[str | None]:
    return {steps[-1].observation for steps in chains}


def faults(steps: list[Step]) -> list[str]:
    return [each.error.fault for each in steps if each.error]


def test_a_script_without_a_mistake_is_the_gold_chain():
    for steps in attempts(None):
        assert [each.call for each in steps] == [call(text) for text in GOLD]


def test_wrong_function_calls_another_function_once():
    chains = attempts("wrong_function")
    for steps in chains:
        differing = [pair for pair in zip(names(play_gold()), names(steps), strict=True) if pair[0] != pair[1]]
        assert len(differing) == 1
        assert faults(steps) == []
    assert answers(chains) == {
        "10", "3.75",  # 3 + 4 = 7 -> 12 -> 10;  3 / 4 = 0.75 -> 5.75 -> 3.75
        "5", "58",  # 12 - 5 = 7 -> 5;  12 x 5 = 60 -> 58
        "19", "8.5",  # 17 + 2;  17 / 2
    }  # fmt: skip


def test_wrong_operand_is_another_number_of_the_problem():
    chains = attempts("wrong_operand")
    for steps in chains:
        assert names(steps) == ["multiply", "add", "subtract", "answer"]
        assert faults(steps) == []
    assert "15" not in answers(chains)
    possible = {
        "23", "11", "18", "9",  # 5 x 4, 2 x 4, 3 x 5, 3 x 2; each + 5 - 2
        "6", "7", "5", "13", "14", "12",  # 3 + 5, 4 + 5, 2 + 5, 12 + 3, 12 + 4, 12 + 2; each - 2
        "1", "2", "10", "3",  # 3, 4, 12, 5; each - 2
    }  # fmt: skip
    assert answers(chains) <= possible | {"14", "13", "5", "12"}  # 17 - 3, 17 - 4, 17 - 12, 17 - 5
    assert len(answers(chains)) > 5


def test_skipped_step_is_missing_and_the_next_step_uses_an_earlier_value():
    chains = attempts("skipped_step")
    assert {tuple(names(steps)) for steps in chains} == {
        ("multiply", "subtract", "answer"),
        ("multiply", "add", "answer"),
    }
    assert answers(chains) == {"10", "17"}  # 12 - 2 without the 5; 12 + 5 without the - 2


def test_extra_step_changes_the_result_before_the_answer():
    chains = attempts("extra_step")
    for steps in chains:
        assert names(steps)[:3] == ["multiply", "add", "subtract"]
        assert names(steps)[3] in ("add", "subtract", "multiply")
        assert names(steps)[4:] == ["answer"]
        assert steps[3].call.arguments["a"] == 15
        assert steps[4].observation == steps[3].observation
    assert answers(chains) <= {
        "18", "19", "27", "20", "32", "17",  # 15 plus 3, 4, 12, 5, 17, 2
        "12", "11", "3", "10", "-2", "13",  # 15 minus them
        "45", "60", "180", "75", "255", "30",  # 15 times them
    }  # fmt: skip


def test_guessed_answer_comes_without_a_call_and_is_sometimes_right_by_luck():
    chains = attempts("guessed_answer")
    assert {tuple(names(steps)) for steps in chains} == {("answer",)}
    assert answers(chains) <= {"15", "5", "13", "14", "16", "17", "25"}  # 15, or off by 1, 2 or 10
    lucky = sum(steps[-1].observation == "15" for steps in chains)
    assert 6 <= lucky <= 30  # 30 % of 60 is 18, four standard deviations are 14


def test_malformed_call_is_unreadable_once_and_then_corrected():
    for steps in attempts("malformed_call"):
        assert faults(steps) == ["syntax"]
        assert [each.call for each in steps if each.call] == [call(text) for text in GOLD]


def test_unknown_function_is_called_once_and_then_corrected():
    chains = attempts("unknown_function")
    for steps in chains:
        assert faults(steps) == ["unknown_function"]
        assert [each.call for each in steps if not each.error] == [call(text) for text in GOLD]
    assert {each.call.name for steps in chains for each in steps if each.error} == {"times", "sum", "minus"}


def test_repeated_call_is_made_twice_in_a_row():
    for steps in attempts("repeated_call"):
        calls = [each.call for each in steps]
        assert len(calls) == 5
        assert sum(first == second for first, second in pairwise(calls)) == 1
        assert steps[-1].observation == "15"


def test_later_steps_use_the_result_of_a_mistake():
    script = Script(
        steps=(
            ScriptStep(call("add(a=3, b=4)"), 0),
            *(ScriptStep(call(text), index) for index, text in enumerate(GOLD[1:3], 1)),
            ScriptStep(call(GOLD[3])),
        ),
        gold_results=("12", "17", "15"),
        mistake="wrong_function",
    )  # fmt: skip
    assert script.reply([]) == "add(a=3, b=4)"
    assert script.reply(["7"]) == "add(a=7, b=5)"
    assert script.reply(["7", "12"]) == "subtract(a=12, b=2)"
    assert script.reply(["7", "12", "10"]) == "answer(value=10)"


def test_later_steps_use_a_fraction_exactly():
    script = Script(tuple(ScriptStep(call(text), index) for index, text in enumerate(GOLD[:2])), ("12", "17"), None)
    assert script.reply(["0.75"]) == "add(a=0.75, b=5)"
    assert script.reply(["1/3"]) == "add(a=1/3, b=5)"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_same_seed_makes_the_same_mistake(mistake):
    first, second = (write_script(FIGS, ARITHMETIC, mistake, random.Random(3)) for _ in range(2))
    assert first == second


def test_a_mistake_that_does_not_fit_the_problem_is_dropped():
    script = write_script(problem(), ARITHMETIC, "skipped_step", random.Random(0))  # one step: nothing to skip
    assert script.mistake is None
    assert names(play(script)) == ["add", "answer"]


def test_a_gold_solution_that_does_not_execute_is_an_error():
    with pytest.raises(ValueError, match="the gold solution of p does not execute"):
        write_script(problem("divide(a=1, b=0)", "answer(value=0)"), ARITHMETIC, None, random.Random(0))


def test_mistakes_are_drawn_by_their_shares():
    rng = random.Random(1)
    drawn = [draw_mistake({"wrong_operand": 0.25, "guessed_answer": 0.5}, rng) for _ in range(2_000)]
    assert set(drawn) == {"wrong_operand", "guessed_answer", None}
    assert abs(drawn.count("wrong_operand") - 500) < 80  # four standard deviations: sqrt(2000 x 1/4 x 3/4) = 19.4
    assert abs(drawn.count("guessed_answer") - 1000) < 90  # sqrt(2000 x 1/2 x 1/2) = 22.4


def play_gold() -> list[Step]:
    return play(write_script(FIGS, ARITHMETIC, None, random.Random(0)))


@function(example={})
def first_word() -> str:
    """The first word of the book."""
    return "sun"


@function(example={"word": "sun", "suffix": "ny"})
def extend(word: str, suffix: str) -> str:
    """A longer word."""
    return word + suffix


@function(example={"word": "sunny", "letters": 5}, name="answer")
def answer_twice(word: str, letters: int) -> str:
    """Give the final answer and stop."""
    return f"{word} {letters}"


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_users_functions_may_take_nothing_and_its_answer_several_values(mistake: Mistake):
    task = Task("own", Toolbox((first_word, extend, answer_twice)), "Find the word.", lambda *_: "right")
    start, end = Call("first_word", {}), Call("answer", {"word": "sunny", "letters": 5})
    for calls in ((start, end), (start, Call("extend", {"word": "sun", "suffix": "ny"}), end)):
        own_problem = replace(FIGS, task="own", solution=calls)
        for seed in SEEDS:
            script = write_script(own_problem, task, mistake, random.Random(seed))
            assert script.steps[-1].call.name == "answer"
            assert script.mistake in (mistake, None)  # None: it does not fit, and the attempt is right
