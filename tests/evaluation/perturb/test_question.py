from dataclasses import replace
from random import Random

import pytest

from callwright.evaluation.perturb.question import reorder_sentences, replace_names
from callwright.tasks import TASKS
from callwright.tasks.people import TEST_PEOPLE
from tests.fakes import problem

HE = {person.name for person in TEST_PEOPLE if person.they == "he"}
SHE = {person.name for person in TEST_PEOPLE if person.they == "she"}


def with_other_names(question: str, **changes: object) -> str | None:
    changed = replace(problem(question=question), source="synthetic", **changes)
    return replace_names(changed, TASKS[changed.task], Random(1))


def test_a_person_gets_another_name_and_gender_and_the_pronouns_follow():
    changed = with_other_names("Lucy has 3 of her pears. How many has she? She eats 1.")
    assert changed is not None
    name = changed.split()[0]
    assert name in HE
    assert changed == f"{name} has 3 of his pears. How many has he? He eats 1."


def test_two_people_stay_two():
    changed = with_other_names("Noah gives Elena 166 buttons. Elena already had 314. How many has Elena now?")
    assert changed is not None
    noah, elena = changed.split()[0], changed.split()[2]
    assert noah in SHE
    assert elena in HE
    assert changed == f"{noah} gives {elena} 166 buttons. {elena} already had 314. How many has {elena} now?"


@pytest.mark.parametrize(
    "question",
    [
        "Lucy has 3 pears. Ben gives her 2 more. How many has Lucy?",  # his, or him?
        "Lucy and a boy have 3 pears. How many are there?",
        "Ben asks Lucy to wait for him. How many wait?",
        "Of 9 pears 2 are his. Ben eats the others. How many?",
    ],
)
def test_the_gender_stays_if_no_rule_gives_the_pronouns(question: str):
    changed = with_other_names(question)
    assert changed not in (None, question)
    for old, new in zip(question.split(), str(changed).split(), strict=True):
        names = {old.strip("?."), new.strip("?.")}
        assert old == new or names <= SHE or names <= HE


def test_pronouns_stay_if_their_owner_may_be_unknown():
    """In other sources not all names are known: "she" is Jessica."""
    question = "Tom has 3 pears and Jessica has 5. How many more has she?"
    changed = replace_names(replace(problem(question=question), source="gsm8k"), TASKS["arithmetic"], Random(1))
    assert changed is not None
    assert changed.split()[0] in HE
    assert changed.split()[1:] == question.split()[1:]


def test_a_question_without_people_stays():
    assert with_other_names("A box holds 4 rolls. How many do 3 boxes hold?") is None


def test_a_name_in_the_answer_or_the_vocabulary_stays():
    assert with_other_names("Every friend of Lucy is kind. Who is it?", answer="Lucy") is None
    sentence = "Lucy is kind. Vocabulary: Kind(x), lucy."
    assert with_other_names(sentence, answer="Kind(lucy)", task="translation") is None


def test_a_sentence_to_translate_is_not_reordered():
    sentences = "All cats are kind. No dog is kind. Vocabulary: x."
    assert reorder_sentences(problem(question=sentences), TASKS["translation"], Random(1)) is None


def test_a_task_may_replace_names_in_its_own_way():
    """Entailment has names of its own, which are no people: Rex is a dax, and is called "it" or "he" by nobody."""
    question = "Premises: Every dax is a fep. Rex is a dax. Statement: Rex is a fep."
    made = problem(question=question, answer="True")
    assert replace_names(made, TASKS["arithmetic"], Random(1)) is None  # by default only people get another name
    changed = replace_names(made, TASKS["entailment"], Random(1))
    assert changed is not None
    name = changed.removeprefix("Premises: Every dax is a fep. ").split()[0]
    assert name != "Rex"
    assert changed == question.replace("Rex", name)
