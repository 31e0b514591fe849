"""The search for finite models, compared with the definition of truth."""

from collections.abc import Iterator
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.functions.formulas.formula import (
    And,
    Exists,
    ForAll,
    Iff,
    Implies,
    Not,
    Or,
    Variable,
    Xor,
    parse_formula,
)
from callwright.functions.solvers.entailment import entails, equivalent
from callwright.functions.solvers.worker import run_in_worker
from tests.functions.formulas.finite_model import FiniteModel


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("all x. exists y. Likes(x, y)", "exists y. all x. Likes(x, y)"),
        ("all x. exists y. (Likes(x, y) and not Likes(y, x))", "all x. all y. (Likes(x, y) -> not Likes(y, x))"),
        ("all x. exists y. (P(x) -> Likes(x, y))", "exists y. all x. (P(x) -> Likes(x, y))"),
        ("all x. all y. exists z. Sum(x, y, z)", "all x. exists z. all y. Sum(x, y, z)"),
    ],
)
def test_a_finite_model_shows_that_formulas_are_not_equivalent(left, right):
    assert equivalent(parse_formula(left), parse_formula(right)) == "no"


@pytest.mark.parametrize(
    ("premises", "statement"),
    [
        (
            ["all x. exists y. Parent(y, x)", "all x. all y. (Parent(x, y) -> Older(x, y))"],
            "exists x. Older(x, x)",
        ),
        (["all x. exists y. R(x, y)", "all x. not R(x, x)"], "all x. all y. (R(x, y) -> R(y, x))"),
        (["all x. exists y. (R(x, y) and A(y))", "A(rex)"], "all x. A(x)"),
    ],
)
def test_two_finite_models_show_that_a_statement_is_unknown(premises, statement):
    assert entails([*map(parse_formula, premises)], parse_formula(statement)) == "Unknown"


X, Y = "x", "y"
ATOMS = ["P(x)", "P(y)", "P(a)", "R(x, y)", "R(y, x)", "R(a, x)", "R(x, x)", "R(b, y)"]
closed_formulas = st.recursive(
    st.sampled_from(ATOMS).map(parse_formula),
    lambda inner: st.one_of(
        st.builds(Not, inner),
        *(st.builds(kind, inner, inner) for kind in (And, Or, Xor, Implies, Iff)),
        *(st.builds(kind, st.sampled_from([Variable(X), Variable(Y)]), inner) for kind in (ForAll, Exists)),
    ),
    max_leaves=6,
).map(lambda formula: ForAll(Variable(X), Exists(Variable(Y), formula)))


def all_models(max_size: int) -> Iterator[FiniteModel]:
    """Yield all models with at most `max_size` elements for a unary and a binary predicate and two constants."""
    for size in range(1, max_size + 1):
        elements = range(size)
        pairs = list(product(elements, elements))
        for unary in product([False, True], repeat=size):
            for binary in product([False, True], repeat=len(pairs)):
                facts = {("P", (element,)): value for element, value in zip(elements, unary, strict=True)}
                facts |= {("R", pair): value for pair, value in zip(pairs, binary, strict=True)}
                for a, b in product(elements, elements):
                    yield FiniteModel(size, facts, {"a": a, "b": b})


MODELS = list(all_models(2))


@settings(max_examples=60, derandomize=True)
@given(closed_formulas, closed_formulas)
def test_results_agree_with_all_models_of_up_to_two_elements(premise, statement):
    can_be_true = any(model.holds(premise) and model.holds(statement) for model in MODELS)
    can_be_false = any(model.holds(premise) and not model.holds(statement) for model in MODELS)
    search = "tests.functions.solvers.worker_functions:has_model_up_to"
    assert run_in_worker(search, [premise, statement], 2) == can_be_true
    assert run_in_worker(search, [premise, Not(statement)], 2) == can_be_false
    result = entails([premise], statement)
    if can_be_true and can_be_false:
        assert result == "Unknown"
    elif can_be_true:
        assert result in ("True", "Unknown", "undecided")  # the statement may be false in a larger model
    elif can_be_false:
        assert result in ("False", "Unknown", "undecided")
