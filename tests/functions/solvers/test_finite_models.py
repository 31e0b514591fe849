"""Small worlds, against the definition of truth written down once more."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.functions.formulas.formula import (
    And,
    Atom,
    Exists,
    ForAll,
    Formula,
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


@dataclass(frozen=True)
class World:
    size: int
    facts: dict[tuple[str, tuple[int, ...]], bool]
    names: dict[str, int]

    def holds(self, formula: Formula, bound: dict[str, int]) -> bool:
        """By the definition of truth, without any solver."""
        match formula:
            case Atom(predicate, terms):
                return self.facts[predicate, tuple({**self.names, **bound}[term.name] for term in terms)]
            case Not(body):
                return not self.holds(body, bound)
            case ForAll(variable, body):
                return all(self.holds(body, {**bound, variable.name: thing}) for thing in range(self.size))
            case Exists(variable, body):
                return any(self.holds(body, {**bound, variable.name: thing}) for thing in range(self.size))
        left, right = self.holds(formula.left, bound), self.holds(formula.right, bound)
        match formula:
            case And():
                return left and right
            case Or():
                return left or right
            case Implies():
                return not left or right
            case Xor():
                return left != right
        return left == right


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("all x. exists y. Likes(x, y)", "exists y. all x. Likes(x, y)"),
        ("all x. exists y. (Likes(x, y) and not Likes(y, x))", "all x. all y. (Likes(x, y) -> not Likes(y, x))"),
        ("all x. exists y. (P(x) -> Likes(x, y))", "exists y. all x. (P(x) -> Likes(x, y))"),
        ("all x. all y. exists z. Sum(x, y, z)", "all x. exists z. all y. Sum(x, y, z)"),
    ],
)
def test_a_world_of_a_few_things_shows_that_formulas_differ(left, right):
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
def test_two_small_worlds_show_that_a_statement_is_unknown(premises, statement):
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


def worlds(most: int) -> Iterator[World]:
    """All worlds of at most so many things for one unary and one binary predicate and two names."""
    for size in range(1, most + 1):
        things = range(size)
        pairs = list(product(things, things))
        for unary in product([False, True], repeat=size):
            for binary in product([False, True], repeat=len(pairs)):
                facts = {("P", (thing,)): true for thing, true in zip(things, unary, strict=True)}
                facts |= {("R", pair): true for pair, true in zip(pairs, binary, strict=True)}
                for a, b in product(things, things):
                    yield World(size, facts, {"a": a, "b": b})


WORLDS = list(worlds(2))


@settings(max_examples=60, derandomize=True)
@given(closed_formulas, closed_formulas)
def test_verdicts_agree_with_all_worlds_of_two_things(premise, statement):
    with_it = any(world.holds(premise, {}) and world.holds(statement, {}) for world in WORLDS)
    without = any(world.holds(premise, {}) and not world.holds(statement, {}) for world in WORLDS)
    assert run_in_worker("tests.functions.solvers.in_worker:has_model_among", [premise, statement], 2) == with_it
    assert run_in_worker("tests.functions.solvers.in_worker:has_model_among", [premise, Not(statement)], 2) == without
    found = entails([premise], statement)
    if with_it and without:
        assert found == "Unknown"
    elif with_it:
        assert found in ("True", "Unknown", "undecided")  # a larger world may refute it
    elif without:
        assert found in ("False", "Unknown", "undecided")
