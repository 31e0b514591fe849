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
            box.open().execute(Call(one.name, one.example))
            for box, one in ((task.toolbox, old), (renamed.toolbox, new))
        )
        assert before == after
        assert (old.description, old.parameters) == (new.description, new.parameters)
    messages, _ = TEXT.render(renamed, "How many?", ())
    assert not any(f"{old}(" in messages[0]["content"] for old in task.toolbox.functions if old != "answer")


def test_the_instructions_name_the_functions_as_they_are_called_now():
    renamed = rename_functions(TASKS["entailment"])
    assert renamed is not None
    assert "then ask follows about the statement" in renamed.instructions
    assert "call answer with what follows returned" in renamed.instructions


def test_premises_count_under_their_functions_new_name():
    """Unknown needs all premises assumed: with one of one it is grounded, with none it is not."""
    renamed = rename_functions(TASKS["entailment"])
    assert renamed is not None
    gold = (Call("assume", {"formula": "Cat(rex)"}), Call("entails", {"formula": "Kind(rex)"}))
    problem = Problem("p", "entailment", "?", "Unknown", gold, "test", "g", "test")
    asked = ("follows(formula='Kind(rex)')", "answer(value='Unknown')")

    def faults(*replies: str) -> list[str]:
        executed = execute_again(steps(renamed, *replies), renamed.toolbox)
        return [fault.message for fault in renamed.grounding_faults(problem, executed, renamed.toolbox)]

    assert faults("take_as_given(formula='Cat(rex)')", *asked) == []
    assert faults(*asked) == ["Unknown was answered from 0 of 1 premises"]
    assert steps(renamed, "assume(formula='Cat(rex)')")[0].error is not None
    assert faults("assume(formula='Cat(rex)')", *asked) == ["Unknown was answered from 0 of 1 premises"]


def test_a_premise_taken_back_counts_as_taken_back_under_the_functions_new_name():
    """A contradiction is an error of `entails` that changes what is assumed; a chain may recover from it."""
    renamed = rename_functions(TASKS["entailment"])
    assert renamed is not None
    gold = (Call("assume", {"formula": "Cat(rex)"}), Call("entails", {"formula": "Kind(rex)"}))
    problem = Problem("p", "entailment", "?", "Unknown", gold, "test", "g", "test")
    assumed = ("Cat(rex)", "not Cat(rex)", "not Cat(rex) and Big(rex)")
    asked = ("follows(formula='Kind(rex)')",) * 3
    made = steps(renamed, *(f"take_as_given(formula='{one}')" for one in assumed), *asked, "answer(value='Unknown')")
    assert [step.error is not None for step in made[3:]] == [True, True, False, False]
    assert renamed.grounding_faults(problem, execute_again(made, renamed.toolbox), renamed.toolbox) == ()


@function(example={"a": 1}, name="sum_of")
def own_sum(a: int) -> int:
    """One's own."""
    return a


@function(example={"a": 1})
def double(a: int) -> int:
    """Twice a number."""
    return 2 * a


def task_with(*functions: object) -> Task:
    return Task("own", Toolbox(functions), "Do it.", TASKS["arithmetic"].grade)


def test_names_that_clash_leave_a_task_as_it_is():
    assert rename_functions(task_with(add, own_sum, answer)) is None


def test_a_function_of_the_users_own_is_renamed_too():
    renamed = rename_functions(task_with(double, subtract, answer))
    assert renamed is not None
    assert list(renamed.toolbox.functions) == ["run_double", "difference_of", "answer"]


def test_the_function_needed_last_is_one_that_training_never_saw():
    gold = tuple(Call(name, {}) for name in ("add", "multiply", "answer"))
    arithmetic = TASKS["arithmetic"]
    offered = rename_last_needed_function(arithmetic, Problem("p", "arithmetic", "?", "6", gold, "test", "g", "test"))
    assert offered is not None
    assert set(offered.toolbox.functions) ^ set(arithmetic.toolbox.functions) == {"multiply", "product_of"}
    messages, _ = TEXT.render(offered, "How many?", ())
    assert "product_of(" in messages[0]["content"]
    assert "multiply(" not in messages[0]["content"]
    (step,) = steps(offered, "product_of(2, 3)")
    assert step.observation == "6"


@pytest.mark.parametrize("gold", [(), (Call("answer", {"value": 6}),)])
def test_where_no_function_is_needed_none_is_replaced(gold: tuple[Call, ...]):
    solved_at_once = Problem("p", "arithmetic", "?", "6", gold, "test", "g", "test")
    assert rename_last_needed_function(TASKS["arithmetic"], solved_at_once) is None


def test_one_more_function_is_offered_before_answer():
    more = add_distractor(TASKS["arithmetic"])
    assert more is not None
    assert list(more.toolbox.functions)[-2:] == ["count_letters", "answer"]
    assert add_distractor(more) is None
    (step,) = steps(more, "count_letters('a pear')")
    assert step.observation == "5"
