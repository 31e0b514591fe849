from dataclasses import replace
from random import Random

import pytest

from callwright.evaluation.perturb.question import reorder_sentences, replace_names
from callwright.records import Call, Problem
from callwright.tasks.synthetic import TEST_PEOPLE
from tests.fakes import problem

HE = {person.name for person in TEST_PEOPLE if person.they == "he"}
SHE = {person.name for person in TEST_PEOPLE if person.they == "she"}


def renamed(question: str, **changes: object) -> str | None:
    return replace_names(replace(problem(question=question), source="synthetic", **changes), Random(1))


def reordered(question: str) -> str | None:
    return reorder_sentences(problem(question=question), Random(1))


def test_a_person_gets_another_name_and_gender_and_the_pronouns_follow():
    found = renamed("Lucy has 3 of her pears. How many has she? She eats 1.")
    assert found is not None
    name = found.split()[0]
    assert name in HE
    assert found == f"{name} has 3 of his pears. How many has he? He eats 1."


def test_two_people_stay_two():
    found = renamed("Noah gives Elena 166 buttons. Elena already had 314. How many has Elena now?")
    assert found is not None
    noah, elena = found.split()[0], found.split()[2]
    assert noah in SHE
    assert elena in HE
    assert found == f"{noah} gives {elena} 166 buttons. {elena} already had 314. How many has {elena} now?"


@pytest.mark.parametrize(
    "question",
    [
        "Lucy has 3 pears. Ben gives her 2 more. How many has Lucy?",  # his, or him?
        "Lucy and a boy have 3 pears. How many are there?",
        "Ben asks Lucy to wait for him. How many wait?",
        "Of 9 pears 2 are his. Ben eats the others. How many?",
    ],
)
def test_where_the_pronouns_cannot_follow_by_rule_the_gender_stays(question: str):
    found = renamed(question)
    assert found not in (None, question)
    for name, new in zip(question.split(), str(found).split(), strict=True):
        both = {name.strip("?."), new.strip("?.")}
        assert name == new or both <= SHE or both <= HE


def test_pronouns_of_somebody_whose_name_is_not_known_stay():
    """Of other sources not all names are known: "she" is Jessica."""
    question = "Tom has 3 pears and Jessica has 5. How many more has she?"
    found = replace_names(replace(problem(question=question), source="gsm8k"), Random(1))
    assert found is not None
    assert found.split()[0] in HE
    assert found.split()[1:] == question.split()[1:]


def test_a_question_about_nobody_stays():
    assert renamed("A box holds 4 rolls. How many do 3 boxes hold?") is None


def test_a_name_that_the_answer_or_the_vocabulary_holds_stays():
    assert renamed("Every friend of Lucy is kind. Who is it?", answer="Lucy") is None
    assert renamed("Lucy is kind. Vocabulary: Kind(x), lucy.", answer="Kind(lucy)", task="translation") is None


ENTAILMENT = Problem(
    "p",
    "entailment",
    "Premises: Rex is a dax. Every dax is a kif. Statement: Rex is a kif.",
    "True",
    (Call("assume", {"formula": "Dax(rex)"}), Call("assume", {"formula": "all x. (Dax(x) -> Kif(x))"})),
    "test",
    "group",
    "test",
)


def test_names_in_premises_and_statement_change_alike():
    found = replace_names(ENTAILMENT, Random(1))
    assert found is not None
    name = found.split()[1]
    assert name != "Rex"
    assert found == ENTAILMENT.question.replace("Rex", name)


def test_premises_change_places_and_the_statement_stays():
    found = reorder_sentences(ENTAILMENT, Random(1))
    assert found == "Premises: Every dax is a kif. Rex is a dax. Statement: Rex is a kif."


def test_premises_that_cannot_be_told_apart_stay():
    """A gold chain of three assumptions, where the full stops make two premises."""
    longer = replace(ENTAILMENT, solution=(ENTAILMENT.solution[0], *ENTAILMENT.solution))
    assert reorder_sentences(longer, Random(1)) is None
    pointing = replace(ENTAILMENT, question="Premises: Rex is a dax. It is a kif. Statement: Rex is a kif.")
    assert reorder_sentences(pointing, Random(1)) is None


def test_a_price_may_be_told_before_or_after_what_happens():
    assert reordered("One pen costs 19 dollars. Rita pays 5 pens with 304 dollars. How many does she get back?") == (
        "Rita pays 5 pens with 304 dollars. One pen costs 19 dollars. How many does she get back?"
    )


@pytest.mark.parametrize(
    "question",
    [
        "Tom has 10 apples. Tom eats 3 apples. How many are left?",  # what happens, happens in its order
        "There are 10 birds on a tree. Ann scares away 3 birds. How many are left?",
        "A bike costs 80 dollars. In a sale it is 45 percent off. How many dollars does Cora pay?",  # "it"
        "A pen costs 3 dollars. A book costs 4 times as much. How many dollars do both cost?",  # as what?
        "Each tree bears 4 pears. Of these, 2 are bad. How many are good?",
        "One pen costs 3 dollars. Cora pays 40. How many dollars does she get back?",  # 40 what?
        "Kate finds 41 lemons a day. How many lemons does she find in 3 days?",  # one sentence alone
        "One pen costs 3 dollars. How many do 4 cost? Cora buys 4 pens. How many dollars does she pay?",
    ],
)
def test_a_story_whose_order_may_matter_stays(question: str):
    assert reordered(question) is None


def test_a_single_sentence_to_translate_stays():
    assert (
        reorder_sentences(problem(question="All cats are kind. Vocabulary: x.", task="translation"), Random(1)) is None
    )
