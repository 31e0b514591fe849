"""Every mistake where a chain is made of formulas (translation) or of assumptions and a verdict (entailment)."""

import random
from itertools import pairwise

import pytest

from callwright.agent.loop import ends_chain, take_steps
from callwright.agent.protocol import PROTOCOLS
from callwright.chat.model import Reply
from callwright.functions.formulas.formula import read_formula
from callwright.records import Call, Problem, Step, Usage
from callwright.standins.oracle.mistakes import MISTAKES, Mistake, Script, write_script
from callwright.tasks import TASKS
from callwright.tasks.translation.functions import building_calls

FORMULA = "all x. ((Dog(x) and Big(x)) -> not Cat(x))"
TRANSLATION = Problem(
    "t", "translation", "Big dogs are no cats.", FORMULA, building_calls(read_formula(FORMULA)), "test", "g", "train"
)
ENTAILMENT = Problem(
    "e",
    "entailment",
    "Cats are kind. Rex is a cat. Is Rex kind?",
    "True",
    (
        Call("assume", {"formula": "all x. (Cat(x) -> Kind(x))"}),
        Call("assume", {"formula": "Cat(rex)"}),
        Call("entails", {"formula": "Kind(rex)"}),
        Call("answer", {"value": "True"}),
    ),
    "test",
    "g",
    "train",
)
PROBLEMS = {"translation": TRANSLATION, "entailment": ENTAILMENT}
SEEDS = range(30)


def play(problem: Problem, script: Script, protocol: str = "text") -> list[Step]:
    """The steps of an attempt, every call executed for real."""
    toolbox = TASKS[problem.task].toolbox
    tools = toolbox.open()
    steps: list[Step] = []
    while not steps or not (ends_chain(steps[-1]) or len(steps) == 12):
        observed = [step.observation for step in steps]
        native = protocol == "native"
        reply = Reply("" if native else script.reply(observed), "stop", Usage(),
                      (script.tool_call(observed),) if native else ())  # fmt: skip
        steps += take_steps(reply, PROTOCOLS[protocol], toolbox, tools)
    return steps


def attempts(task: str, mistake: Mistake | None) -> list[list[Step]]:
    problem = PROBLEMS[task]
    scripts = [write_script(problem, TASKS[task].toolbox, mistake, random.Random(seed)) for seed in SEEDS]
    return [play(problem, script) for script in scripts if script.mistake == mistake]


def right(task: str, steps: list[Step]) -> bool:
    answer = steps[-1].observation if ends_chain(steps[-1]) else None
    return answer is not None and TASKS[task].grade(PROBLEMS[task], answer) == "right"


def faults(steps: list[Step]) -> list[str]:
    return [step.error.fault for step in steps if step.error]


@pytest.mark.parametrize("task", PROBLEMS)
def test_without_a_mistake_the_gold_chain_is_played(task):
    for steps in attempts(task, None):
        assert tuple(step.call for step in steps) == PROBLEMS[task].solution
        assert right(task, steps)


@pytest.mark.parametrize("task", PROBLEMS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_fits_most_of_the_time(task, mistake):
    assert len(attempts(task, mistake)) >= len(SEEDS) * 0.6


@pytest.mark.parametrize("task", PROBLEMS)
@pytest.mark.parametrize("mistake", ["wrong_function", "wrong_operand", "extra_step"])
def test_a_wrong_step_carries_on_to_a_wrong_answer(task, mistake):
    played = attempts(task, mistake)
    assert sum(not right(task, steps) for steps in played) > len(played) / 2
    for steps in played:
        assert ends_chain(steps[-1]), [step.call for step in steps]


def test_a_connective_or_a_quantifier_is_mistaken_for_another():
    names = {name for steps in attempts("translation", "wrong_function") for name in (step.call.name for step in steps)}
    assert {"exists", "disjoin"} <= names
    for steps in attempts("translation", "wrong_function"):
        assert faults(steps) == []
        assert len(steps) == len(TRANSLATION.solution)


def test_a_premise_is_misread():
    said = {step.call.arguments["formula"] for steps in attempts("entailment", "wrong_operand") for step in steps[:-1]}
    assert "not Kind(rex)" in said
    assert "exists x. (Cat(x) -> Kind(x))" in said


def test_an_early_answer_is_made_up_for_where_it_is_refused():
    early = [steps for steps in attempts("translation", "skipped_step") if faults(steps)]
    assert early
    for steps in early:
        place = next(place for place, step in enumerate(steps) if step.error)
        assert steps[place].call.name == "answer"  # with x still free
        assert steps[place].error.fault == "bad_arguments"
        assert steps[place + 1].call.name == "for_all"
        assert right("translation", steps)


def test_a_verdict_is_given_without_asking():
    played = [steps for steps in attempts("entailment", "skipped_step") if len(steps) == 3]
    hasty = [steps for steps in played if "entails" not in {step.call.name for step in steps}]
    assert {steps[-1].observation for steps in hasty} <= {"True", "False", "Unknown"}
    assert len(hasty) > 5


@pytest.mark.parametrize("task", PROBLEMS)
def test_a_guessed_answer_comes_without_any_call_and_is_right_by_luck_at_times(task):
    played = attempts(task, "guessed_answer")
    assert {len(steps) for steps in played} == {1}
    assert 0 < sum(right(task, steps) for steps in played) < len(played) * 0.7


@pytest.mark.parametrize("task", PROBLEMS)
@pytest.mark.parametrize(("mistake", "fault"), [("malformed_call", "syntax"), ("unknown_function", "unknown_function")])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_failed_call_is_said_right_afterwards_by_both_protocols(task, mistake, fault, protocol):
    problem = PROBLEMS[task]
    for seed in SEEDS:
        script = write_script(problem, TASKS[task].toolbox, mistake, random.Random(seed))
        steps = play(problem, script, protocol)
        assert faults(steps) == [fault]
        assert tuple(step.call for step in steps if not step.error) == problem.solution


def test_a_repeated_call_is_made_twice_in_a_row():
    for task in PROBLEMS:
        for steps in attempts(task, "repeated_call"):
            calls = [step.call for step in steps]
            assert sum(one == other for one, other in pairwise(calls)) == 1
            assert right(task, steps)


@pytest.mark.parametrize("task", PROBLEMS)
@pytest.mark.parametrize("mistake", [None, *MISTAKES])
def test_both_protocols_say_the_same(task, mistake):
    problem = PROBLEMS[task]
    for seed in range(8):
        script = write_script(problem, TASKS[task].toolbox, mistake, random.Random(seed))
        text, native = (play(problem, script, protocol) for protocol in PROTOCOLS)
        assert [(one.call, one.observation) for one in text] == [(one.call, one.observation) for one in native]
