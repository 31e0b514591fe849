"""A chain may assume the problem's premises and ask about its statement, under any names."""

from dataclasses import replace

import pytest

from callwright.functions.formulas.formula import parse_formula
from callwright.records import Problem
from callwright.tasks.entailment.questions import entailment_gold_chain
from callwright.tasks.entailment.task import ENTAILMENT
from callwright.validation.replay import check_chain
from tests.validation.known_chains import executed_chain

RULES = ["all x. (Cat(x) -> Kind(x))", "all x. ((Kind(x) and Big(x)) -> Calm(x))", "Cat(rex)", "Big(rex)"]


def problem(statement: str, answer: str) -> Problem:
    solution = entailment_gold_chain([parse_formula(rule) for rule in RULES], parse_formula(statement), answer)
    return Problem("p", "entailment", "?", answer, solution, "test", "p", "test")


TRUE, FALSE, UNKNOWN = problem("Calm(rex)", "True"), problem("not Calm(rex)", "False"), problem("Calm(max)", "Unknown")


def faults(checked_problem: Problem, premises: list[str], statement: str) -> list[str]:
    assumptions = (f"assume({premise!r})" for premise in premises)
    replies = [*assumptions, f"entails({statement!r})", f"answer({checked_problem.answer!r})"]
    checked = check_chain(executed_chain(checked_problem, replies), checked_problem, ENTAILMENT)
    return [fault.fault for fault in checked.verdict.faults]


@pytest.mark.parametrize(
    ("checked_problem", "premises", "statement"),
    [
        (TRUE, RULES, "Calm(rex)"),
        (TRUE, RULES[::-1], "not not Calm(rex)"),
        (FALSE, RULES, "not Calm(rex)"),
        (UNKNOWN, RULES, "Calm(max)"),
        # other names, one to one
        (TRUE, ["all y. (C(y) -> K(y))", "all y. (B(y) and K(y) -> Q(y))", "B(b)", "C(b)"], "Q(b)"),
        (UNKNOWN, ["all y. (C(y) -> K(y))", "all y. (B(y) and K(y) -> Q(y))", "B(b)", "C(b)"], "Q(c)"),
        # equivalent formulas
        (TRUE, ["all x. (not Kind(x) -> not Cat(x))", "not exists x. (Kind(x) and Big(x) and not Calm(x))",
                "Cat(rex)", "Big(rex)"], "Calm(rex)"),
        # two premises as one
        (TRUE, [RULES[0], RULES[1], "Cat(rex) and Big(rex)"], "Calm(rex)"),
    ],
)  # fmt: skip
def test_equivalent_premises_under_any_names_are_faithful(checked_problem, premises, statement):
    assert faults(checked_problem, premises, statement) == []


@pytest.mark.parametrize(
    ("checked_problem", "premises", "statement"),
    [
        (TRUE, ["Calm(rex)"], "Calm(rex)"),
        (TRUE, [], "A(a) or not A(a)"),
        (FALSE, [], "A(a) and not A(a)"),
        (FALSE, ["Calm(rex)"], "not Calm(rex)"),
        (FALSE, RULES, "not Big(rex)"),
        (UNKNOWN, ["A(a)", "B(b)"], "C(c)"),
        (UNKNOWN, RULES[:3], "Calm(max)"),
        (UNKNOWN, RULES, "Cat(max)"),
        (TRUE, [*RULES, "Calm(rex)"], "Calm(rex)"),
        (TRUE, ["all x. (Cat(x) -> Calm(x))", "Cat(rex)"], "Calm(rex)"),
        # two predicates under one name are not one to one
        (TRUE, ["all x. (Cat(x) -> Kind(x))", "all x. (Kind(x) and Cat(x) -> Calm(x))", "Cat(rex)"], "Calm(rex)"),
    ],
)
def test_other_premises_or_another_statement_are_unfaithful(checked_problem, premises, statement):
    assert faults(checked_problem, premises, statement) == ["unfaithful_call"]


def test_the_message_names_the_formula_that_is_not_in_the_problem():
    chain = executed_chain(TRUE, [*(f"assume({rule!r})" for rule in RULES), "assume('exists x. all y. L(x, y)')",
                              "entails('Calm(rex)')", "answer('True')"])  # fmt: skip
    (fault,) = check_chain(chain, TRUE, ENTAILMENT).verdict.faults
    assert fault.message == "exists x. all y. L(x, y) was assumed, which is none of the premises"
    assert fault.step == 5


def test_a_problem_without_formulas_is_not_judged():
    assert faults(replace(TRUE, solution=()), ["Calm(rex)"], "Calm(rex)") == []


def test_a_chain_that_asks_again_after_all_assumptions_is_faithful():
    replies = [
        "entails('Calm(rex)')",
        *(f"assume({rule!r})" for rule in RULES),
        "entails('Calm(rex)')",
        "answer('True')",
    ]
    assert check_chain(executed_chain(TRUE, replies), TRUE, ENTAILMENT).verdict.correct
