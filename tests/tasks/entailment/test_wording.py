from dataclasses import replace
from random import Random

from callwright.records import Call, Problem
from callwright.tasks.entailment.wording import reorder_premises, replace_names

PROBLEM = Problem(
    "p",
    "entailment",
    "Premises: Rex is a dax. Every dax is a kif. Statement: Rex is a kif.",
    "True",
    (Call("assume", {"formula": "Dax(rex)"}), Call("assume", {"formula": "all x. (Dax(x) -> Kif(x))"})),
    "test",
    "group",
    "test",
)


def test_a_name_changes_in_the_premises_and_in_the_statement():
    changed = replace_names(PROBLEM, Random(1))
    assert changed is not None
    name = changed.split()[1]
    assert name != "Rex"
    assert changed == PROBLEM.question.replace("Rex", name)


def test_premises_are_reordered_and_the_statement_stays_last():
    assert (
        reorder_premises(PROBLEM, Random(1)) == "Premises: Every dax is a kif. Rex is a dax. Statement: Rex is a kif."
    )


def test_premises_that_may_be_split_wrongly_are_not_reordered():
    """The gold chain assumes three premises, but there are two sentences."""
    longer = replace(PROBLEM, solution=(PROBLEM.solution[0], *PROBLEM.solution))
    assert reorder_premises(longer, Random(1)) is None


def test_a_premise_that_refers_to_another_is_not_reordered():
    referring = replace(PROBLEM, question="Premises: Rex is a dax. It is a kif. Statement: Rex is a kif.")
    assert reorder_premises(referring, Random(1)) is None
