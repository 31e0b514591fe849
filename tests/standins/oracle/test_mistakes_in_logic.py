"""Every mistake in chains of formulas (translation) and in chains of assumptions and a truth value (entailment)."""

import random
from itertools import pairwise

import pytest

from callwright.agent.loop import ends_chain, take_steps
from callwright.agent.protocol import PROTOCOLS
from callwright.chat.model import Reply
from callwright.functions.formulas.formula import read_formula
from callwright.records import Call, Problem, Step, Usage
from callwright.standins.oracle.script import MISTAKES, Mistake, Script, write_script
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
    scripts = [write_script(problem, TASKS[task], mistake, random.Random(seed)) for seed in SEEDS]
    return [play(problem, script) for script in scripts if script.mistake == mistake]


def right(task: str, steps: list[Step]) -> bool:
    answer = steps[-1].observation if ends_chain(steps[-1]) else None
    return answer is not None and TASKS[task].grade(PROBLEMS[task], answer) == "right"


def faults(steps: list[Step]) -> list[str]:
    return [step.error.fault for step in steps if step.error]


@pytest.mark.parametrize("task", PROBLEMS)
def test_a_script_without_a_mistake_is_the_gold_chain(task):
    for steps in attempts(task, None):
        assert tuple(step.call for step in steps) == PROBLEMS[task].solution
        assert right(task, steps)


@pytest.mark.parametrize("task", PROBLEMS)
@pytest.mark.parametrize("mistake", MISTAKES)
def test_every_mistake_fits_with_most_seeds(task, mistake):
    assert len(attempts(task, mistake)) >= len(SEEDS) * 0.6


@pytest.mark.parametrize("task", PROBLEMS)
@pytest.mark.parametrize("mistake", ["wrong_function", "wrong_operand", "extra_step"])
def test_a_wrong_step_usually_leads_to_a_wrong_answer(task, mistake):
    chains = attempts(task, mistake)
    assert sum(not right(task, steps) for steps in chains) > len(chains) / 2
    for steps in chains:
        assert ends_chain(steps[-1]), [step.call for step in steps]


def test_wrong_function_is_another_connective_or_quantifier():
    names = {name for steps in attempts("translation", "wrong_function") for name in (step.call.name for step in steps)}
    assert {"exists", "disjoin"} <= names
    for steps in attempts("translation", "wrong_function"):
        assert faults(steps) == []
        assert len(steps) == len(TRANSLATION.solution)


def test_wrong_operand_misreads_a_premise():
    formulas = {
        step.call.arguments["formula"] for steps in attempts("entailment", "wrong_operand") for step in steps[:-1]
    }
    assert "not Kind(rex)" in formulas
    assert "exists x. (Cat(x) -> Kind(x))" in formulas


def test_after_a_refused_early_answer_the_skipped_step_follows():
    early = [steps for steps in attempts("translation", "skipped_step") if faults(steps)]
    assert early
    for steps in early:
        index = next(index for index, step in enumerate(steps) if step.error)
        assert steps[index].call.name == "answer"  # with x still free
        assert steps[index].error.fault == "bad_arguments"
        assert steps[index + 1].call.name == "for_all"
        assert right("translation", steps)


def test_skipped_step_answers_without_calling_entails():
    short = [steps for steps in attempts("entailment", "skipped_step") if len(steps) == 3]
    hasty = [steps for steps in short if "entails" not in {step.call.name for step in steps}]
    assert {steps[-1].observation for steps in hasty} <= {"True", "False", "Unknown"}
    assert len(hasty) > 5


@pytest.mark.parametrize("task", PROBLEMS)
def test_guessed_answer_comes_without_a_call_and_is_sometimes_right_by_luck(task):
    chains = attempts(task, "guessed_answer")
    assert {len(steps) for steps in chains} == {1}
    assert 0 < sum(right(task, steps) for steps in chains) < len(chains) * 0.7


@pytest.mark.parametrize("task", PROBLEMS)
@pytest.mark.parametrize(("mistake", "fault"), [("malformed_call", "syntax"), ("unknown_function", "unknown_function")])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_failed_call_is_corrected_afterwards_in_both_protocols(task, mistake, fault, protocol):
    problem = PROBLEMS[task]
    for seed in SEEDS:
        script = write_script(problem, TASKS[task], mistake, random.Random(seed))
        steps = play(problem, script, protocol)
        assert faults(steps) == [fault]
        assert tuple(step.call for step in steps if not step.error) == problem.solution


def test_repeated_call_is_made_twice_in_a_row():
    for task in PROBLEMS:
        for steps in attempts(task, "repeated_call"):
            calls = [step.call for step in steps]
            assert sum(first == second for first, second in pairwise(calls)) == 1
            assert right(task, steps)


@pytest.mark.parametrize("task", PROBLEMS)
@pytest.mark.parametrize("mistake", [None, *MISTAKES])
def test_both_protocols_make_the_same_calls(task, mistake):
    problem = PROBLEMS[task]
    for seed in range(8):
        script = write_script(problem, TASKS[task], mistake, random.Random(seed))
        text, native = (play(problem, script, protocol) for protocol in PROTOCOLS)
        assert [(step.call, step.observation) for step in text] == [(step.call, step.observation) for step in native]
