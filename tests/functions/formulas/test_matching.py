"""Equivalence up to renaming: counting models shows that it is sound, rephrased formulas that it is complete."""

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
from tests.functions.formulas.finite_model import FiniteModel
from tests.validation.known_chains import otherwise

PREDICATES, CONSTANTS, VARIABLES = ("A", "B"), ("a", "b"), ("x", "y")
TERMS = st.sampled_from([Constant(name) for name in CONSTANTS] + [Variable(name) for name in VARIABLES])
ATOMS = st.builds(lambda name, term: Atom(name, (term,)), st.sampled_from(PREDICATES), TERMS)
OPEN = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds(Not, inner),
        *(st.builds(connective, inner, inner) for connective in (And, Or, Implies, Iff, Xor)),
        st.builds(lambda name, body: ForAll(Variable(name), body), st.sampled_from(VARIABLES), inner),
        st.builds(lambda name, body: Exists(Variable(name), body), st.sampled_from(VARIABLES), inner),
    ),
    max_leaves=5,
)
CLOSED = OPEN.map(lambda body: ForAll(Variable("x"), Exists(Variable("y"), body)))
ELEMENTS = range(2)
MODELS = [
    FiniteModel(
        2,
        {("A", (0,)): a_of_0, ("A", (1,)): a_of_1, ("B", (0,)): b_of_0, ("B", (1,)): b_of_1},
        {"a": a, "b": b},
    )
    for a, b, a_of_0, a_of_1, b_of_0, b_of_1 in product(*[ELEMENTS] * 2, *[(False, True)] * 4)
]


def count_models(formula: Formula) -> int:
    """Count the models with two elements in which a formula is true. Renaming does not change the number."""
    return sum(model.holds(formula) for model in MODELS)


def node_holds(node, model: FiniteModel, variables: dict[str, int]) -> bool:
    """Whether a node of a normal form is true in a model."""
    match node:
        case ("literal", positive, predicate, ((_, name),)):
            return model.facts[predicate, ({**model.constants, **variables}[name],)] == positive
        case ("and", parts):
            return all(node_holds(part, model, variables) for part in parts)
        case ("or", parts):
            return any(node_holds(part, model, variables) for part in parts)
        case ("xor", parity, parts):
            return sum(node_holds(part, model, variables) for part in parts) % 2 == parity
    kind, names, body = node
    quantify = all if kind == "all" else any
    return quantify(
        node_holds(body, model, {**variables, **dict(zip(names, elements, strict=True))})
        for elements in product(ELEMENTS, repeat=len(names))
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(CLOSED)
def test_a_normal_form_is_true_in_the_same_models_as_its_formula(formula: Formula):
    node = normal_form(formula)
    for model in MODELS:
        assert node_holds(node, model, {}) == model.holds(formula)


def compare(given_formula: Formula | str, known_formula: Formula | str) -> str:
    """Compare two arguments that have a statement and no premises."""
    arguments = (
        LogicArgument((), parse_formula(formula) if isinstance(formula, str) else formula)
        for formula in (given_formula, known_formula)
    )
    return compare_arguments(*arguments, require_all_premises=True)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(CLOSED, CLOSED)
def test_equivalent_formulas_are_true_in_equally_many_models(left: Formula, right: Formula):
    if compare(left, right) == "yes":
        assert count_models(left) == count_models(right)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(CLOSED, st.integers(0, 9))
def test_a_rephrased_formula_is_equivalent(formula: Formula, seed: int):
    rephrased = otherwise(formula, random.Random(seed))
    assert compare(rephrased, formula) in ("yes", "undecided")
    assert count_models(rephrased) == count_models(formula)


def test_variables_stay_bound_to_their_quantifiers():
    formula = "all x. exists y. L(x, y)"
    assert compare(formula, "all x. exists y. L(y, x)") == "no"
    assert compare(formula, "all z. exists w. M(z, w)") == "yes"


def test_a_tautology_has_no_clauses():
    assert clauses_of(parse_formula("A(a) or not A(a)")) == ()
    assert normal_form(parse_formula("A(a) and not A(a)")) == FALSE
    assert normal_form(parse_formula("all x. (A(x) -> A(x))")) == TRUE


def test_thirteen_renamed_facts_and_rules_are_matched():
    """No fact alone determines a name: only all facts together do."""
    facts = [
        f"{predicate}({constant})"
        for predicate, constants in (("P", "KLMN"), ("Q", "LMN"), ("R", "MN"), ("S", "N"))
        for constant in constants
    ]
    rules = ["all x. (P(x) -> Q(x))", "all x. (Q(x) and R(x) -> S(x))", "all x. (R(x) and not S(x) -> P(x))"]
    known = LogicArgument(tuple(map(parse_formula, facts + rules)), parse_formula("S(K)"))
    new_names = str.maketrans("PQRSKLMN", "SRQPLNKM")
    premises = tuple(parse_formula(premise.translate(new_names)) for premise in rules + facts[::-1])
    renamed = LogicArgument(premises, parse_formula("P(L)"))
    assert compare_arguments(renamed, known, require_all_premises=True) == "yes"
