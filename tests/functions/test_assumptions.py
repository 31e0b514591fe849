import pytest

from callwright.functions.assumptions import TOOLBOX
from callwright.functions.guard import MAX_ASSUMPTIONS
from callwright.functions.toolbox import Observation, OpenToolbox
from callwright.records import Call


def said(tools: OpenToolbox, name: str, value: object) -> str:
    result = tools.execute(Call(name, {"0": value}))
    return result.text if isinstance(result, Observation) else f"{result.fault}: {result.message}"


def test_assumptions_are_counted_and_asked_about():
    tools = TOOLBOX.open()
    assert said(tools, "assume", "all x. (Cat(x) -> Kind(x))") == "assumed (1 so far)"
    assert said(tools, "entails", "Kind(rex)") == "Unknown"
    assert said(tools, "assume", "Cat(rex)") == "assumed (2 so far)"
    assert said(tools, "entails", "Kind(rex)") == "True"
    assert said(tools, "entails", "¬Kind(rex)") == "False"
    assert said(tools, "answer", "True") == "True"


def test_every_chain_begins_without_assumptions():
    assert said(TOOLBOX.open(), "assume", "Cat(rex)") == "assumed (1 so far)"
    assert said(TOOLBOX.open(), "entails", "Cat(rex)") == "Unknown"


def test_a_predicate_keeps_its_number_of_terms_and_variables_are_bound():
    tools = TOOLBOX.open()
    said(tools, "assume", "Cat(rex)")
    assert said(tools, "assume", "Cat(rex, max)").startswith("bad_arguments: Cat stands with 1 and with 2 names")
    assert said(tools, "entails", "Cat(rex, max)").startswith("bad_arguments: Cat stands with 1 and with 2 names")
    assert said(tools, "assume", "Cat(x)").startswith("bad_arguments: x is bound by no quantifier")
    assert said(tools, "assume", "Dog(max)") == "assumed (2 so far)", "a refused formula must not be assumed"


def test_a_contradiction_is_said_and_the_assumption_taken_back():
    tools = TOOLBOX.open()
    for formula in ("Cat(rex)", "Dog(max)", "not Cat(rex)", "Kind(max)"):
        said(tools, "assume", formula)
    assert said(tools, "entails", "Kind(max)") == (
        "execution_error: the assumptions contradict each other; not Cat(rex) does not go with those before it and was "
        "taken back: assume what it should say, then call entails again"
    )
    assert said(tools, "assume", "not Cat(max)") == "assumed (4 so far)"
    assert said(tools, "entails", "Cat(rex)") == "True"


def test_what_cannot_be_decided_is_no_verdict():
    tools = TOOLBOX.open()
    for formula in (
        "all x. exists y. R(x, y)",
        "all x. not R(x, x)",
        "all x. all y. all z. ((R(x, y) and R(y, z)) -> R(x, z))",
    ):
        said(tools, "assume", formula)
    assert said(tools, "entails", "R(a, b)") == (
        "execution_error: this could not be decided within the limits; try a simpler formula"
    )


def test_assumptions_are_limited():
    tools = TOOLBOX.open()
    for number in range(MAX_ASSUMPTIONS):
        said(tools, "assume", f"Cat(rex{number})")
    assert said(tools, "assume", "Cat(max)") == (
        f"execution_error: {MAX_ASSUMPTIONS} formulas are assumed already, which is the limit"
    )


@pytest.mark.parametrize(("value", "read"), [(True, "True"), ("false", "False"), (" unknown.", "Unknown")])
def test_an_answer_may_be_written_as_models_do(value, read):
    assert said(TOOLBOX.open(), "answer", value) == read


@pytest.mark.parametrize("value", ["maybe", "", None, 1, "Contradiction"])
def test_another_answer_is_refused(value):
    assert said(TOOLBOX.open(), "answer", value).startswith("bad_arguments: answer cannot take this value")


def test_the_examples_of_the_prompt_run_in_a_fresh_toolbox():
    for function in TOOLBOX.functions.values():
        assert isinstance(TOOLBOX.open().execute(Call(function.name, function.example)), Observation)
