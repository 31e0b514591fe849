from collections.abc import Sequence
from dataclasses import replace

import pytest

from callwright.agent.loop import take_steps
from callwright.agent.protocol import TEXT
from callwright.chat.model import Reply
from callwright.evaluation.perturb.views import (
    ViewPerturbation,
    add_distractor,
    rename_all,
    rename_needed,
    reword_descriptions,
    swap_needed,
)
from callwright.functions import needless
from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox
from callwright.records import Call, Problem, Step, Usage
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.functions import answer
from callwright.tasks.task import Task
from callwright.tasks.view import View
from callwright.tasks.view_names import HELD_OUT_NAMES, TRAINING_NAMES
from callwright.validation.execution import execute_again

ARITHMETIC, ENTAILMENT = TASKS["arithmetic"], TASKS["entailment"]


def needing(*names: str, task: str = "arithmetic", question: str = "How many?") -> Problem:
    """A problem whose solution calls these functions, and then `answer`."""
    return Problem("p", task, question, "6", tuple(Call(name, {}) for name in (*names, "answer")), "test", "g", "test")


ADD_MULTIPLY = needing("add", "multiply")


def prompt(view: View, task: Task = ARITHMETIC) -> str:
    messages, _ = TEXT.render(task, "How many?", (), view)
    return str(messages[0]["content"])


def steps(task: Task, view: View, *replies: str) -> list[Step]:
    tools = task.toolbox.open()
    return [
        step for reply in replies for step in take_steps(Reply(reply, "stop", Usage()), TEXT, task.toolbox, tools, view)
    ]


def changed(change: ViewPerturbation, problem: Problem = ADD_MULTIPLY, task: Task = ARITHMETIC, seed: int = 7) -> View:
    view = change(problem, task, seed)
    assert view is not None
    return view


@pytest.mark.parametrize("name", TASKS)
def test_every_function_but_answer_has_a_name_of_the_held_out_pool(name: str):
    task = TASKS[name]
    view = changed(rename_all, needing(task=name), task)
    assert view.names.keys() == task.toolbox.functions.keys() - {"answer"}
    words = {word for shown in view.names.values() for word in shown.split("_")}
    assert words <= {*HELD_OUT_NAMES.words, *HELD_OUT_NAMES.invented}
    assert not words & {*TRAINING_NAMES.words, *TRAINING_NAMES.invented}
    text = prompt(view, task)
    assert all(f"{shown}(" in text for shown in view.names.values())
    assert not any(f"\n{true}(" in text for true in view.names)


def test_questions_select_one_of_four_views_and_the_seed_changes_them():
    views = [changed(rename_all, needing("add", question=f"How many are {number}?")) for number in range(60)]
    assert len({view.key for view in views}) == len({tuple(view.names.values()) for view in views}) == 4
    others = [changed(rename_all, needing("add", question=f"How many are {number}?"), seed=8) for number in range(60)]
    assert not {tuple(view.names.values()) for view in views} & {tuple(view.names.values()) for view in others}
    assert changed(rename_all) == changed(rename_all)


def test_the_last_function_that_the_problem_needs_has_a_new_name():
    view = changed(rename_needed)
    ((true, shown),) = view.names.items()
    assert true == "multiply"
    assert f"{shown}(" in prompt(view)
    assert "multiply(" not in prompt(view)
    (step,) = steps(ARITHMETIC, view, f"{shown}(2, 3)")
    assert step == Step("", Call("multiply", {"a": 2, "b": 3}), None, "6")  # under its true name
    (refused,) = steps(ARITHMETIC, view, "multiply(2, 3)")
    assert refused.error is not None
    assert refused.error.fault == "unknown_function"


def test_the_last_function_that_the_problem_needs_exchanges_its_name_with_another():
    view = changed(swap_needed)
    other = view.names["multiply"]
    assert view.names == {"multiply": other, other: "multiply"}
    assert other in set(ARITHMETIC.toolbox.functions) - {"multiply", "answer"}
    (step,) = steps(ARITHMETIC, view, f"{other}(2, 3)")
    assert step.call == Call("multiply", {"a": 2, "b": 3})
    assert f"{other}(a, b): The product of two numbers." in prompt(view)


def test_instructions_speak_of_the_exchanged_names():
    view = changed(swap_needed, needing("assume", "entails", task="entailment"), ENTAILMENT)
    assert "then ask assume about the statement" in prompt(view, ENTAILMENT)
    assert "assume(formula): Whether the assumptions make" in prompt(view, ENTAILMENT)


@pytest.mark.parametrize("name", TASKS)
def test_all_functions_are_described_by_held_out_paraphrases(name: str):
    task = TASKS[name]
    view = changed(reword_descriptions, needing(task=name), task)
    part = task.part("descriptions")
    assert part is not None
    assert view.descriptions.keys() == task.toolbox.functions.keys()
    for function_name, description in view.descriptions.items():
        assert description in part.held_out[function_name]
        assert description not in part.training[function_name]
        assert description in prompt(view, task)


def test_a_held_out_needless_function_is_listed_before_answer_and_can_be_called():
    view = changed(add_distractor)
    (name,) = set(view.functions) - set(ARITHMETIC.toolbox.functions)
    assert name in {function.name for function in needless.HELD_OUT}
    assert [each for each in view.functions if each != name] == list(ARITHMETIC.toolbox.functions)
    assert view.functions[-1] == "answer"
    example = ARITHMETIC.toolbox.needless[name].example_call()
    (step,) = steps(ARITHMETIC, view, example)
    assert step.error is None
    assert example in prompt(view)


@pytest.mark.parametrize("change", [rename_needed, swap_needed])
@pytest.mark.parametrize("gold", [(), (Call("answer", {"value": 6}),)])
def test_a_problem_that_needs_no_function_is_not_changed(change: ViewPerturbation, gold: Sequence[Call]):
    assert change(replace(ADD_MULTIPLY, solution=tuple(gold)), ARITHMETIC, 7) is None


@function(example={"a": 1})
def double(a: int) -> int:
    """Twice a number."""
    return 2 * a


def task_with(*functions: object, **parts: object) -> Task:
    return Task("own", Toolbox(functions), "Do it.", ARITHMETIC.grade, parts=parts)


def test_the_only_function_of_a_task_has_no_other_to_exchange_its_name_with():
    task = task_with(double, answer)
    assert swap_needed(needing("double", task="own"), task, 7) is None
    assert list(changed(rename_all, needing("double", task="own"), task).names) == ["double"]


def test_a_task_without_paraphrases_is_not_described_in_other_words():
    assert reword_descriptions(needing("double", task="own"), task_with(double, answer), 7) is None


def test_a_user_who_has_all_needless_functions_gets_no_distractor():
    task = task_with(*needless.HELD_OUT, answer)
    assert add_distractor(needing(task="own"), task, 7) is None


def test_nothing_changes_if_answer_is_the_only_function():
    task = task_with(answer)
    for change in (rename_all, rename_needed, swap_needed, reword_descriptions):
        assert change(needing(task="own"), task, 7) is None


def test_premises_count_if_the_functions_are_renamed():
    """Unknown is grounded only if all premises are assumed: the one premise, and then none."""
    view = changed(rename_all, needing(task="entailment"), ENTAILMENT)
    assume, entails = view.names["assume"], view.names["entails"]
    gold = (Call("assume", {"formula": "Cat(rex)"}), Call("entails", {"formula": "Kind(rex)"}))
    problem = Problem("p", "entailment", "?", "Unknown", gold, "test", "g", "test")
    query = (f"{entails}(formula='Kind(rex)')", "answer(value='Unknown')")

    def faults(*replies: str) -> list[str]:
        executed = execute_again(steps(ENTAILMENT, view, *replies), ENTAILMENT.toolbox)
        return [fault.message for fault in ENTAILMENT.grounding_faults(problem, executed, ENTAILMENT.toolbox)]

    assert faults(f"{assume}(formula='Cat(rex)')", *query) == []
    assert faults(*query) == ["Unknown was answered from 0 of 1 premises"]
    assert faults("assume(formula='Cat(rex)')", *query) == ["Unknown was answered from 0 of 1 premises"]
