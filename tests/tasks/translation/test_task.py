import pytest

from callwright.errors import DataError
from callwright.records import Problem
from callwright.tasks import TASKS

TRANSLATION = TASKS["translation"]


def problem(answer: str) -> Problem:
    return Problem("p", "translation", "?", answer, (), "mine", "p", "test")


@pytest.mark.parametrize(
    ("answer", "grade"),
    [
        ("all x. (Dog(x) -> not Cat(x))", "right"),
        ("∀y (Dog(y) → ¬Cat(y))", "right"),  # the name of a bound variable does not matter
        ("all x. (Cat(x) -> not Dog(x))", "right"),  # contraposition
        ("not (exists x. (Dog(x) and Cat(x)))", "right"),
        ("all x. (Dog(x) -> Cat(x))", "wrong"),
        ("exists x. (Dog(x) and not Cat(x))", "wrong"),
        ("all x. (Dog(x) -> not Kitten(x))", "wrong"),  # a predicate that is not in the annotation
        # equivalent, but with a word that is not in the sentence
        ("all x. (Dog(x) -> not Cat(x)) and (Sun(a) or not Sun(a))", "wrong"),
        ("all x. (Dog(x, x) -> not Cat(x))", "wrong"),  # another number of terms
        ("Dog(x) -> not Cat(x)", "wrong"),  # x is free
        ("no dog is a cat", "wrong"),
    ],
)
def test_an_answer_is_right_if_it_is_equivalent(answer: str, grade: str):
    assert TRANSLATION.grade(problem("all x. (Dog(x) -> not Cat(x))"), answer) == grade


def test_the_notation_of_the_annotation_does_not_matter():
    assert TRANSLATION.grade(problem("∀x (Dog(x) → ¬Cat(x))"), "all x. (Dog(x) -> not Cat(x))") == "right"


def test_an_annotation_that_is_not_a_formula_is_a_data_error():
    with pytest.raises(DataError) as caught:
        TRANSLATION.grade(problem("Dog(x"), "Dog(rex)")
    assert str(caught.value) == "p: the answer is not a formula: the bracket '(' in column 4 is not closed"
