from dataclasses import replace

import pytest

from callwright.evaluation.samples import compute_sample_metrics, majority_is_right
from callwright.params import EvaluateParams, Params
from callwright.records import CheckedChain, StepFault, Verdict
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.translation.task import TRANSLATION
from callwright.validation.replay import check_chain
from tests.fakes import chain, problem

FIVE = problem()  # 2 + 3


def sampled(*replies: str) -> CheckedChain:
    return check_chain(chain(*replies), FIVE, ARITHMETIC)


RIGHT = sampled("add(2, 3)", "answer(5)")
RIGHT_AS_DECIMAL = sampled("divide(10, 2)", "answer('5.0')")
WRONG = sampled("multiply(2, 3)", "answer(6)")
GUESSED = sampled("add(2, 4)", "answer(5)")
SILENT = sampled("add(2, 3)")


@pytest.fixture
def params() -> EvaluateParams:
    return Params.load().evaluate.model_copy(update={"samples": 3, "resamples": 200})


def test_the_most_common_answer_wins_in_any_spelling():
    assert majority_is_right(FIVE, ARITHMETIC, [WRONG, RIGHT, RIGHT_AS_DECIMAL])
    assert not majority_is_right(FIVE, ARITHMETIC, [WRONG, WRONG, RIGHT])


def test_of_two_answers_with_equal_votes_the_first_one_wins():
    assert majority_is_right(FIVE, ARITHMETIC, [RIGHT, WRONG])
    assert not majority_is_right(FIVE, ARITHMETIC, [WRONG, RIGHT])


def test_an_answer_is_right_if_one_of_its_chains_is_correct():
    verdict = Verdict("p/x/0", False, (StepFault("unfaithful_call", 1, "it rests on 31"),), 1)
    unfaithful = replace(RIGHT, verdict=verdict)
    assert majority_is_right(FIVE, ARITHMETIC, [unfaithful, RIGHT, WRONG])
    assert not majority_is_right(FIVE, ARITHMETIC, [unfaithful, unfaithful, WRONG])


def test_a_guess_has_no_vote():
    assert not majority_is_right(FIVE, ARITHMETIC, [GUESSED, GUESSED, WRONG])


def test_without_a_vote_the_majority_is_not_right():
    assert not majority_is_right(FIVE, ARITHMETIC, [SILENT, GUESSED])


def test_equivalent_formulas_count_as_the_same_answer():
    translation = replace(problem(task="translation"), answer="all x. (Dog(x) -> Big(x))")
    annotated, equivalent, wrong = (
        CheckedChain(replace(chain("answer(5)"), answer=formula), replace(RIGHT.verdict, correct=correct))
        for formula, correct in (
            ("all x. (Dog(x) -> Big(x))", True),
            ("not exists x. (Dog(x) and not Big(x))", True),
            ("exists x. Dog(x)", False),
        )
    )
    assert majority_is_right(translation, TRANSLATION, [wrong, annotated, equivalent])


def test_pass_at_1_pass_at_k_and_the_vote(params: EvaluateParams):
    first, second = replace(FIVE, id="a", group="a"), replace(FIVE, id="b", group="b")
    metrics = compute_sample_metrics(
        {"a": [RIGHT, WRONG, WRONG], "b": [RIGHT, RIGHT, SILENT]}, [first, second], TASKS, params
    )
    assert metrics["k"] == 3
    assert metrics["pass_at_1"]["value"] == pytest.approx((1 / 3 + 2 / 3) / 2)
    assert metrics["pass_at_k"]["value"] == 1.0  # both problems have a right sample
    assert metrics["majority"]["value"] == 0.5  # the first problem's majority is 6
    assert metrics["majority"]["n"] == 2
