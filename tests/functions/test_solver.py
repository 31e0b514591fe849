import subprocess
import sys
import time

import pytest

from callwright.errors import CallError
from callwright.functions import solver
from callwright.functions.formula import parse_formula
from callwright.functions.solver import Contradiction, entails, equivalent

SOCRATES = ["all x. (Human(x) -> Mortal(x))", "Human(socrates)"]
NO_FINITE_MODEL = [
    "all x. exists y. R(x, y)",
    "all x. all y. all z. ((R(x, y) and R(y, z)) -> R(x, z))",
    "all x. not R(x, x)",
]


def verdict(premises: list[str], statement: str) -> object:
    return entails([parse_formula(premise) for premise in premises], parse_formula(statement))


@pytest.mark.parametrize(
    ("premises", "statement", "expected"),
    [
        (SOCRATES, "Mortal(socrates)", "True"),
        (SOCRATES, "not Mortal(socrates)", "False"),
        (SOCRATES, "Human(plato)", "Unknown"),
        (SOCRATES, "Wise(socrates)", "Unknown"),
        (["all x. (A(x) -> B(x))", "not B(rex)"], "A(rex)", "False"),  # contraposition
        (["A(rex) or B(rex)", "A(rex) -> C(rex)", "B(rex) -> C(rex)"], "C(rex)", "True"),  # cases
        (["A(rex) xor B(rex)", "A(rex)"], "B(rex)", "False"),
        (["A(rex) <-> B(rex)", "not B(rex)"], "not A(rex)", "True"),
        (["all x. exists y. R(x, y)"], "exists x. exists y. R(x, y)", "True"),
        (["all x. exists y. R(x, y)"], "exists y. all x. R(x, y)", "Unknown"),  # the order of quantifiers matters
        (["all x. (P(x) and (exists x. Q(x)))"], "exists z. (P(z) and Q(z))", "True"),  # the inner x is another one
        ([], "exists x. (P(x) or not P(x))", "True"),  # something exists
        ([], "P(rex) and not P(rex)", "False"),
        (["A(rex)"], "not B(max) or A(rex)", "True"),
        (["not A(rex)", "A(max)"], "A(rex)", "False"),  # so rex is not max
        (["A(rex)", "all x. all y. ((A(x) and A(y)) -> B(x))"], "B(rex)", "True"),
    ],
)
def test_a_statement_follows_or_not(premises, statement, expected):
    assert verdict(premises, statement) == expected


@pytest.mark.parametrize(
    ("premises", "first"),
    [
        (["A(rex)", "B(rex)", "not A(rex)", "C(rex)"], 2),
        (["A(rex) and not A(rex)"], 0),
        (["all x. (A(x) -> B(x))", "A(rex)", "all x. not B(x)"], 2),
    ],
)
def test_a_contradiction_is_found_and_its_premise_named(premises, first):
    assert verdict(premises, "D(rex)") == Contradiction(first)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("not (A(rex) and B(rex))", "not A(rex) or not B(rex)", "yes"),
        ("all x. not A(x)", "not (exists x. A(x))", "yes"),
        ("all x. A(x)", "all y. A(y)", "yes"),
        ("A(rex) -> B(rex)", "B(rex) -> A(rex)", "no"),
        ("A(rex)", "A(max)", "no"),
        ("A(rex)", "B(rex)", "no"),
        ("R(rex, max)", "R(max, rex)", "no"),
        ("all x. (A(x) xor B(x))", "all x. ((A(x) or B(x)) and not (A(x) and B(x)))", "yes"),
    ],
)
def test_formulas_are_equivalent_or_not(left, right, expected):
    assert equivalent(parse_formula(left), parse_formula(right)) == expected


def test_what_needs_an_infinite_model_is_undecided_and_the_same_every_time():
    outcomes = set()
    for _ in range(3):
        solver._entails.cache_clear()
        outcomes.add(verdict(NO_FINITE_MODEL, "R(a, b)"))
    assert outcomes == {"undecided"}


def test_a_free_variable_and_a_predicate_of_two_sizes_are_refused():
    with pytest.raises(CallError, match="x is bound by no quantifier") as caught:
        verdict(["P(x)"], "P(rex)")
    assert caught.value.fault == "bad_arguments"
    with pytest.raises(CallError, match="P stands with 1 and with 2 names"):
        verdict(["P(rex)"], "P(rex, max)")


def test_problems_of_one_build_share_one_outcome():
    solver._entails.cache_clear()
    for kind, name in (("Dog", "rex"), ("Cat", "tom"), ("P0", "c0")):
        assert verdict([f"all x. ({kind}(x) -> Kind(x))", f"{kind}({name})"], f"Kind({name})") == "True"
    assert solver._entails.cache_info().misses == 1
    assert verdict(["all x. (Dog(x) -> Kind(x))", "Dog(rex)"], "Kind(max)") == "Unknown"
    assert solver._entails.cache_info().misses == 2


def test_a_thousand_repeated_questions_take_no_time():
    verdict(SOCRATES, "Mortal(socrates)")
    start = time.process_time()
    for _ in range(1_000):
        verdict(SOCRATES, "Mortal(socrates)")
    assert time.process_time() - start < 1


def test_z3_is_not_loaded_in_our_process():
    script = (
        "import sys; from callwright.functions.formula import parse_formula as f;"
        "from callwright.functions.solver import entails;"
        "print(entails([f('A(rex)')], f('A(rex)')), 'z3' in sys.modules, 'sympy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "False", "False"]
