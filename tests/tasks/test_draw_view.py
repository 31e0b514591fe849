"""What a drawn view differs in: each key of `views` on its own."""

from random import Random
from typing import Any

import pytest

from callwright.functions import needless
from callwright.functions.function import Function, function
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.params import Params, ViewsParams
from callwright.tasks import TASKS
from callwright.tasks.draw_view import draw_view
from callwright.tasks.task import Task
from callwright.tasks.view import View
from callwright.tasks.view_names import TRAINING_NAMES

ARITHMETIC = TASKS["arithmetic"]
FUNCTIONS = [name for name in ARITHMETIC.toolbox.functions if name != ANSWER]
SEEDS = range(60)


def only(**switches: Any) -> ViewsParams:
    """Parameters with everything off but these."""
    off = {"rename": False, "parameters": False, "shuffle": False, "reword": False, "distractors": 0, "plain": 0.0}
    return Params.load().views.model_copy(update={**off, **switches})


def drawn(params: ViewsParams, task: Task = ARITHMETIC) -> list[View]:
    return [draw_view(task, params, Random(seed), "key") for seed in SEEDS]


def test_nothing_differs_if_everything_is_off():
    assert {view.functions for view in drawn(only())} == {(*FUNCTIONS, ANSWER)}
    assert all(not (view.names or view.parameters or view.descriptions) for view in drawn(only()))


def test_shuffle_draws_other_orders_and_answer_stays_last():
    orders = {view.functions for view in drawn(only(shuffle=True))}
    assert len(orders) > 50  # of 9! = 362,880
    assert all(sorted(order[:-1]) == sorted(FUNCTIONS) and order[-1] == ANSWER for order in orders)


def test_reword_draws_the_description_or_a_paraphrase_of_training():
    part = ARITHMETIC.part("descriptions")
    assert part is not None
    texts = {view.descriptions["add"] for view in drawn(only(reword=True))}
    assert texts == {ARITHMETIC.toolbox.functions["add"].description, *part.training["add"]}
    assert not texts & set(part.held_out["add"])


def test_distractors_are_at_most_so_many_and_never_those_of_the_evaluation():
    shown = [set(view.functions) - {*FUNCTIONS, ANSWER} for view in drawn(only(distractors=2))]
    assert {len(names) for names in shown} == {0, 1, 2}
    assert set().union(*shown) == {function.name for function in needless.TRAINING}
    assert not set().union(*shown) & {function.name for function in needless.HELD_OUT}


def test_rename_gives_new_names_to_most_functions_and_exchanges_some():
    views = drawn(only(rename=True))
    exchanged = [[name for name in FUNCTIONS if view.names[name] in FUNCTIONS] for view in views]
    share = sum(map(len, exchanged)) / (len(FUNCTIONS) * len(views))
    assert 0.15 < share < 0.35  # a quarter, less where one alone has no other to exchange with
    assert all(
        sorted(view.names[name] for name in names) == sorted(names)
        for view, names in zip(views, exchanged, strict=True)
    )
    words = {*TRAINING_NAMES.words, *TRAINING_NAMES.invented}
    assert all(
        set(view.names[name].split("_")) <= words
        for view in views
        for name in FUNCTIONS
        if view.names[name] not in FUNCTIONS
    )


def many(count: int) -> Task:
    @function(example={"n": 1}, name="f")
    def same(n: int) -> int:
        """The same."""
        return n

    functions: list[Function] = [same.shown(f"f_{number}") for number in range(count)]
    return Task("own", Toolbox([*functions, ARITHMETIC.toolbox.functions[ANSWER]]), "Do it.", ARITHMETIC.grade)


@pytest.mark.parametrize("task", [many(1), many(2), many(3), ARITHMETIC], ids=["1", "2", "3", "arithmetic"])
def test_no_function_keeps_its_true_name(task: Task):
    for view in drawn(only(rename=True), task):
        assert [name for name, shown in view.names.items() if name == shown] == []
        assert view.names.keys() == task.toolbox.functions.keys() - {ANSWER}


def test_a_toolbox_may_have_hundreds_of_functions():
    names = draw_view(many(640), only(rename=True), Random(1), "key").names
    assert len(set(names.values())) == 640
