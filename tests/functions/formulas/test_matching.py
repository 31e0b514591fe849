"""Sameness up to names: sound by counting models, complete for what people write in other words."""

import random
from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.functions.formulas.formula import (
    And,
    Atom,
    Constant,
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
from callwright.functions.formulas.matching import compare_arguments
from callwright.functions.formulas.nodes import LogicArgument
from callwright.functions.formulas.normal_form import FALSE, TRUE, clauses_of, normal_form
from tests.validation.made_chains import otherwise

PREDICATES, CONSTANTS, VARIABLES = ("A", "B"), ("a", "b"), ("x", "y")
TERMS = st.sampled_from([Constant(name) for name in CONSTANTS] + [Variable(name) for name in VARIABLES])
ATOMS = st.builds(lambda name, term: Atom(name, (term,)), st.sampled_from(PREDICATES), TERMS)
OPEN = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        *(st.builds(pair, inner, inner) for pair in (And, Or, Implies, Iff, Xor)),
        st.builds(lambda name, body: ForAll(Variable(name), body), st.sampled_from(VARIABLES), inner),
        st.builds(lambda name, body: Exists(Variable(name), body), st.sampled_from(VARIABLES), inner),
    ),
    max_leaves=5,
)
CLOSED = OPEN.map(lambda body: ForAll(Variable("x"), Exists(Variable("y"), body)))
WORLD = range(2)


def models(formula: Formula) -> int:
    """In how many worlds of two things it is true; the same for formulas that differ in names alone."""
    count = 0
    for a, b, *facts in product(*[WORLD] * 2, *[(False, True)] * 4):
        things = {"a": a, "b": b}
        holds = {("A", 0): facts[0], ("A", 1): facts[1], ("B", 0): facts[2], ("B", 1): facts[3]}
        count += true(formula, things, holds)
    return count


def true(formula: Formula, things: dict[str, int], holds: dict[tuple[str, int], bool]) -> bool:
    match formula:
        case Atom(name, terms):
            return holds[name, things[terms[0].name]]
        case Not(body):
            return not true(body, things, holds)
        case ForAll(variable, body):
            return all(true(body, {**things, variable.name: one}, holds) for one in WORLD)
        case Exists(variable, body):
            return any(true(body, {**things, variable.name: one}, holds) for one in WORLD)
    left, right = true(formula.left, things, holds), true(formula.right, things, holds)
    match formula:
        case And():
            return left and right
        case Or():
            return left or right
        case Implies():
            return not left or right
        case Iff():
            return left == right
    return left != right


def holds_of_nodes(node, things, holds) -> bool:
    """The same of a normal form."""
    match node:
        case ("literal", positive, name, terms):
            return holds[name, things[terms[0][1]]] == positive
        case ("and", parts):
            return all(holds_of_nodes(part, things, holds) for part in parts)
        case ("or", parts):
            return any(holds_of_nodes(part, things, holds) for part in parts)
        case ("xor", parity, parts):
            return sum(holds_of_nodes(part, things, holds) for part in parts) % 2 == parity
    kind, names, body = node
    every = all if kind == "all" else any
    return every(
        holds_of_nodes(body, {**things, **dict(zip(names, ones, strict=True))}, holds)
        for ones in product(WORLD, repeat=len(names))
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(CLOSED)
def test_a_normal_form_is_true_where_the_formula_is(formula: Formula):
    node = normal_form(formula)
    for a, b, *facts in product(*[WORLD] * 2, *[(False, True)] * 4):
        things = {"a": a, "b": b}
        holds = {("A", 0): facts[0], ("A", 1): facts[1], ("B", 0): facts[2], ("B", 1): facts[3]}
        assert holds_of_nodes(node, things, holds) == true(formula, things, holds)


def alone(formula: Formula) -> LogicArgument:
    return LogicArgument((), formula)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(CLOSED, CLOSED)
def test_formulas_that_say_the_same_are_true_in_as_many_worlds(one: Formula, other: Formula):
    if compare_arguments(alone(one), alone(other), whole=True) == "yes":
        assert models(one) == models(other)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(CLOSED, st.integers(0, 9))
def test_a_formula_in_other_words_says_the_same(formula: Formula, seed: int):
    said = otherwise(formula, random.Random(seed))
    assert compare_arguments(alone(said), alone(formula), whole=True) in ("yes", "undecided")
    assert models(said) == models(formula)


def test_variables_keep_to_their_quantifiers():
    one, other = "all x. exists y. L(x, y)", "all x. exists y. L(y, x)"
    assert compare_arguments(alone(parse_formula(one)), alone(parse_formula(other)), whole=True) == "no"
    assert (
        compare_arguments(alone(parse_formula(one)), alone(parse_formula("all z. exists w. M(z, w)")), whole=True)
        == "yes"
    )


def test_what_is_true_by_its_form_states_nothing():
    assert clauses_of(parse_formula("A(a) or not A(a)")) == ()
    assert normal_form(parse_formula("A(a) and not A(a)")) == FALSE
    assert normal_form(parse_formula("all x. (A(x) -> A(x))")) == TRUE


def test_sixteen_facts_and_rules_under_other_names_are_matched_soon():
    """No two facts look different by themselves: only together they fix the names."""
    facts = [f"{name}({one})" for name, ones in (("P", "KLMN"), ("Q", "LMN"), ("R", "MN"), ("S", "N")) for one in ones]
    rules = ["all x. (P(x) -> Q(x))", "all x. (Q(x) and R(x) -> S(x))", "all x. (R(x) and not S(x) -> P(x))"]
    known = LogicArgument(tuple(map(parse_formula, facts + rules)), parse_formula("S(K)"))
    new = str.maketrans("PQRSKLMN", "SRQPLNKM")
    given_ = LogicArgument(
        tuple(parse_formula(one.translate(new)) for one in rules + facts[::-1]), parse_formula("P(L)")
    )
    assert compare_arguments(given_, known, whole=True) == "yes"
