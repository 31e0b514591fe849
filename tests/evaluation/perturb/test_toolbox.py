from dataclasses import replace

import pytest

from callwright.agent.loop import take_steps
from callwright.agent.protocol import TEXT
from callwright.chat.model import Reply
from callwright.evaluation.perturb.toolbox import add_distractor, rename_functions, rename_last_needed_function
from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox
from callwright.records import Call, Problem, Step, Usage
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.functions import add, answer, subtract
from callwright.tasks.parts import TaskWording
from callwright.tasks.task import Task
from callwright.validation.execution import execute_again


def steps(task: Task, *replies: str) -> list[Step]:
    tools = task.toolbox.open()
    return [step for reply in replies for step in take_steps(Reply(reply, "stop", Usage()), TEXT, task.toolbox, tools)]


@pytest.mark.parametrize("name", list(TASKS))
def test_every_function_but_answer_gets_another_name_and_does_the_same(name: str):
    task = TASKS[name]
    renamed = rename_functions(task)
    assert renamed is not None
    assert not set(renamed.toolbox.functions) & set(task.toolbox.functions) - {"answer"}
    for old, new in zip(task.toolbox.functions.values(), renamed.toolbox.functions.values(), strict=True):
        before, after = (
            toolbox.open().execute(Call(each.name, each.example))
            for toolbox, each in ((task.toolbox, old), (renamed.toolbox, new))
        )
        assert before == after
        assert (old.description, old.parameters) == (new.description, new.parameters)
    messages, _ = TEXT.render(renamed, "How many?", ())
    assert not any(f"{old}(" in messages[0]["content"] for old in task.toolbox.functions if old != "answer")


def test_the_instructions_use_the_new_names():
    renamed = rename_functions(TASKS["entailment"])
    assert renamed is not None
    assert "then ask follows about the statement" in renamed.instructions
    assert "call answer with what follows returned" in renamed.instructions


def test_premises_count_if_assume_is_renamed():
    """Unknown is grounded only if all premises are assumed: the one premise, and then none."""
    renamed = rename_functions(TASKS["entailment"])
    assert renamed is not None
    gold = (Call("assume", {"formula": "Cat(rex)"}), Call("entails", {"formula": "Kind(rex)"}))
    problem = Problem("p", "entailment", "?", "Unknown", gold, "test", "g", "test")
    query = ("follows(formula='Kind(rex)')", "answer(value='Unknown')")

    def faults(*replies: str) -> list[str]:
        executed = execute_again(steps(renamed, *replies), renamed.toolbox)
        return [fault.message for fault in renamed.grounding_faults(problem, executed, renamed.toolbox)]

    assert faults("take_as_given(formula='Cat(rex)')", *query) == []
    assert faults(*query) == ["Unknown was answered from 0 of 1 premises"]
    assert steps(renamed, "assume(formula='Cat(rex)')")[0].error is not None
    assert faults("assume(formula='Cat(rex)')", *query) == ["Unknown was answered from 0 of 1 premises"]


def test_a_withdrawn_premise_counts_as_withdrawn_if_entails_is_renamed():
    """A contradiction is an error of `entails` that withdraws an assumption; a chain may recover from it."""
    renamed = rename_functions(TASKS["entailment"])
    assert renamed is not None
    gold = (Call("assume", {"formula": "Cat(rex)"}), Call("entails", {"formula": "Kind(rex)"}))
    problem = Problem("p", "entailment", "?", "Unknown", gold, "test", "g", "test")
    formulas = ("Cat(rex)", "not Cat(rex)", "not Cat(rex) and Big(rex)")
    queries = ("follows(formula='Kind(rex)')",) * 3
    assumptions = (f"take_as_given(formula='{formula}')" for formula in formulas)
    executed = steps(renamed, *assumptions, *queries, "answer(value='Unknown')")
    assert [step.error is not None for step in executed[3:]] == [True, True, False, False]
    assert renamed.grounding_faults(problem, execute_again(executed, renamed.toolbox), renamed.toolbox) == ()


@function(example={"a": 1}, name="sum_of")
def users_sum(a: int) -> int:
    """A number."""
    return a


@function(example={"a": 1})
def double(a: int) -> int:
    """Twice a number."""
    return 2 * a


def task_with(*functions: object, **new_names: str) -> Task:
    parts = {"wording": TaskWording(new_names)} if new_names else {}
    return Task("own", Toolbox(functions), "Do it.", TASKS["arithmetic"].grade, parts=parts)


def test_a_task_is_not_changed_if_the_new_names_clash():
    assert rename_functions(task_with(add, users_sum, answer, add="sum_of")) is None
    assert rename_functions(task_with(add, users_sum, answer, add="total_of")) is not None


def test_a_users_functions_are_renamed_too():
    """A task without the part `wording` says nothing about its functions, even if one is named as in another task."""
    renamed = rename_functions(task_with(double, subtract, answer))
    assert renamed is not None
    assert list(renamed.toolbox.functions) == ["run_double", "run_subtract", "answer"]


def test_a_function_that_joins_a_task_is_renamed_beside_the_tasks_own():
    joined = replace(TASKS["arithmetic"], toolbox=TASKS["arithmetic"].toolbox.with_functions([double]))
    renamed = rename_functions(joined)
    assert renamed is not None
    assert {"sum_of", "run_double"} < set(renamed.toolbox.functions)


def test_the_last_needed_function_gets_a_new_name():
    gold = tuple(Call(name, {}) for name in ("add", "multiply", "answer"))
    arithmetic = TASKS["arithmetic"]
    changed = rename_last_needed_function(arithmetic, Problem("p", "arithmetic", "?", "6", gold, "test", "g", "test"))
    assert changed is not None
    assert set(changed.toolbox.functions) ^ set(arithmetic.toolbox.functions) == {"multiply", "product_of"}
    messages, _ = TEXT.render(changed, "How many?", ())
    assert "product_of(" in messages[0]["content"]
    assert "multiply(" not in messages[0]["content"]
    (step,) = steps(changed, "product_of(2, 3)")
    assert step.observation == "6"


@pytest.mark.parametrize("gold", [(), (Call("answer", {"value": 6}),)])
def test_a_problem_that_needs_no_function_is_not_changed(gold: tuple[Call, ...]):
    solvable_at_once = Problem("p", "arithmetic", "?", "6", gold, "test", "g", "test")
    assert rename_last_needed_function(TASKS["arithmetic"], solvable_at_once) is None


def test_the_distractor_is_listed_before_answer():
    changed = add_distractor(TASKS["arithmetic"])
    assert changed is not None
    assert list(changed.toolbox.functions)[-2:] == ["count_letters", "answer"]
    assert add_distractor(changed) is None
    (step,) = steps(changed, "count_letters('a pear')")
    assert step.observation == "5"
