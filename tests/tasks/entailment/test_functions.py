import threading

import pytest

from callwright.functions.guard import LIMIT_REACHED, MAX_ASSUMPTIONS
from callwright.functions.solvers import entailment
from callwright.functions.solvers.worker import stop_worker
from callwright.functions.toolbox import Observation, OpenToolbox
from callwright.records import Call
from callwright.tasks.entailment.functions import TOOLBOX


def result_text(tools: OpenToolbox, name: str, value: object) -> str:
    result = tools.execute(Call(name, {"0": value}))
    return result.text if isinstance(result, Observation) else f"{result.fault}: {result.message}"


def test_assumptions_are_counted_and_entails_uses_them():
    tools = TOOLBOX.open()
    assert result_text(tools, "assume", "all x. (Cat(x) -> Kind(x))") == "assumed (1 so far)"
    assert result_text(tools, "entails", "Kind(rex)") == "Unknown"
    assert result_text(tools, "assume", "Cat(rex)") == "assumed (2 so far)"
    assert result_text(tools, "entails", "Kind(rex)") == "True"
    assert result_text(tools, "entails", "¬Kind(rex)") == "False"
    assert result_text(tools, "answer", "True") == "True"


def test_every_chain_starts_without_assumptions():
    assert result_text(TOOLBOX.open(), "assume", "Cat(rex)") == "assumed (1 so far)"
    assert result_text(TOOLBOX.open(), "entails", "Cat(rex)") == "Unknown"


def test_a_predicate_with_another_number_of_terms_and_a_free_variable_are_refused():
    tools = TOOLBOX.open()
    result_text(tools, "assume", "Cat(rex)")
    assert result_text(tools, "assume", "Cat(rex, max)").startswith("bad_arguments: Cat stands with 1 and with 2 names")
    assert result_text(tools, "entails", "Cat(rex, max)").startswith(
        "bad_arguments: Cat stands with 1 and with 2 names"
    )
    assert result_text(tools, "assume", "Cat(x)").startswith("bad_arguments: x is bound by no quantifier")
    assert result_text(tools, "assume", "Dog(max)") == "assumed (2 so far)", "a refused formula must not be assumed"


def test_a_contradiction_is_an_error_and_withdraws_the_assumption():
    tools = TOOLBOX.open()
    for formula in ("Cat(rex)", "Dog(max)", "not Cat(rex)", "Kind(max)"):
        result_text(tools, "assume", formula)
    assert result_text(tools, "entails", "Kind(max)") == (
        "execution_error: the assumptions contradict each other; not Cat(rex) does not go with those before it and was "
        "taken back: assume what it should say, then call entails again"
    )
    assert result_text(tools, "assume", "not Cat(max)") == "assumed (4 so far)"
    assert result_text(tools, "entails", "Cat(rex)") == "True"


def test_an_undecided_question_is_an_error():
    tools = TOOLBOX.open()
    for formula in (
        "all x. exists y. R(x, y)",
        "all x. not R(x, x)",
        "all x. all y. all z. ((R(x, y) and R(y, z)) -> R(x, z))",
    ):
        result_text(tools, "assume", formula)
    assert result_text(tools, "entails", "R(a, b)") == (
        "execution_error: this is beyond the solver's limits: it could not be decided; try a simpler formula"
    )
    assert result_text(tools, "assume", "R(a, b)") == "assumed (4 so far)", "no assumption was withdrawn"


def test_a_call_whose_worker_dies_keeps_the_assumptions():
    tools = TOOLBOX.open()
    for formula in ("all x. (Cat(x) -> Kind(x))", "Cat(rex)", "not Kind(tom)"):
        result_text(tools, "assume", formula)
    ended = threading.Event()

    def kill() -> None:
        while not ended.wait(0.001):
            stop_worker()

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        while not (result := result_text(tools, "entails", "Kind(rex)")).startswith("execution_error"):
            entailment._entails.cache_clear()
    finally:
        ended.set()
        killer.join()
    assert result.startswith(f"execution_error: {LIMIT_REACHED}: ")
    assert result_text(tools, "entails", "Kind(rex)") == "True"
    assert result_text(tools, "entails", "Cat(tom)") == "False"
    assert result_text(tools, "assume", "Cat(max)") == "assumed (4 so far)"


def test_the_total_size_of_the_assumptions_is_limited():
    tools = TOOLBOX.open()
    large = " and ".join(["P(a)"] * 20)  # 39 parts
    for number in range(25):
        assert result_text(tools, "assume", large) == f"assumed ({number + 1} so far)"
    assert (
        result_text(tools, "assume", large)
        == "execution_error: the formulas together have more than 1,000 parts, the limit"
    )
    assert result_text(tools, "entails", "P(a)") == "True"


def test_the_number_of_assumptions_is_limited():
    tools = TOOLBOX.open()
    for number in range(MAX_ASSUMPTIONS):
        result_text(tools, "assume", f"Cat(rex{number})")
    assert result_text(tools, "assume", "Cat(max)") == (
        f"execution_error: {MAX_ASSUMPTIONS} formulas are assumed already, which is the limit"
    )


@pytest.mark.parametrize(("value", "truth_value"), [(True, "True"), ("false", "False"), (" unknown.", "Unknown")])
def test_an_answer_may_be_written_as_models_do(value, truth_value):
    assert result_text(TOOLBOX.open(), "answer", value) == truth_value


@pytest.mark.parametrize("value", ["maybe", "", None, 1, "Contradiction"])
def test_an_answer_that_is_not_a_truth_value_is_refused(value):
    assert result_text(TOOLBOX.open(), "answer", value).startswith("bad_arguments: answer cannot take this value")


def test_the_examples_in_the_prompt_execute_in_a_new_toolbox():
    for function in TOOLBOX.functions.values():
        assert isinstance(TOOLBOX.open().execute(Call(function.name, function.example)), Observation)
