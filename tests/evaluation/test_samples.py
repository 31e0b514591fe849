from dataclasses import replace

import pytest

from callwright.evaluation.samples import compute_sample_metrics, majority_is_right
from callwright.params import EvaluateParams, Params
from callwright.records import CheckedChain, StepFault, Verdict
from callwright.validation.replay import check_chain
from tests.fakes import chain, problem

FIVE = problem()  # 2 + 3


def sampled(*replies: str) -> CheckedChain:
    return check_chain(chain(*replies), FIVE)


RIGHT = sampled("add(2, 3)", "answer(5)")
RIGHT_AS_DECIMAL = sampled("divide(10, 2)", "answer('5.0')")
WRONG = sampled("multiply(2, 3)", "answer(6)")
GUESSED = sampled("add(2, 4)", "answer(5)")
SILENT = sampled("add(2, 3)")


@pytest.fixture
def params() -> EvaluateParams:
    return Params.load().evaluate.model_copy(update={"samples": 3, "resamples": 200})


def test_the_commonest_answer_wins_however_it_is_written():
    assert majority_is_right(FIVE, [WRONG, RIGHT, RIGHT_AS_DECIMAL])
    assert not majority_is_right(FIVE, [WRONG, WRONG, RIGHT])


def test_of_two_answers_with_as_many_votes_the_first_given_counts():
    assert majority_is_right(FIVE, [RIGHT, WRONG])
    assert not majority_is_right(FIVE, [WRONG, RIGHT])


def test_the_first_of_a_camp_may_be_unfaithful_where_another_is_correct():
    verdict = Verdict("p/x/0", False, (StepFault("unfaithful_call", 1, "it rests on 31"),), 1)
    unfaithful = replace(RIGHT, verdict=verdict)
    assert majority_is_right(FIVE, [unfaithful, RIGHT, WRONG])
    assert not majority_is_right(FIVE, [unfaithful, unfaithful, WRONG])


def test_a_guess_has_no_vote():
    assert not majority_is_right(FIVE, [GUESSED, GUESSED, WRONG])


def test_without_a_vote_there_is_no_right_answer():
    assert not majority_is_right(FIVE, [SILENT, GUESSED])


def test_formulas_that_mean_the_same_vote_together():
    said = replace(problem(task="translation"), answer="all x. (Dog(x) -> Big(x))")
    both, other, wrong = (
        CheckedChain(replace(chain("answer(5)"), answer=formula), replace(RIGHT.verdict, correct=correct))
        for formula, correct in (
            ("all x. (Dog(x) -> Big(x))", True),
            ("not exists x. (Dog(x) and not Big(x))", True),
            ("exists x. Dog(x)", False),
        )
    )
    assert majority_is_right(said, [wrong, both, other])


def test_pass_at_1_pass_at_k_and_the_vote(params: EvaluateParams):
    first, second = replace(FIVE, id="a", group="a"), replace(FIVE, id="b", group="b")
    found = compute_sample_metrics({"a": [RIGHT, WRONG, WRONG], "b": [RIGHT, RIGHT, SILENT]}, [first, second], params)
    assert found["k"] == 3
    assert found["pass_at_1"]["value"] == pytest.approx((1 / 3 + 2 / 3) / 2)
    assert found["pass_at_k"]["value"] == 1.0  # either has a right one
    assert found["majority"]["value"] == 0.5  # the first problem votes 6
    assert found["majority"]["n"] == 2
