from dataclasses import replace

import pytest

from callwright.errors import DataError
from callwright.evaluation.evaluated import ModelEvaluation
from callwright.evaluation.metrics import compute_metrics
from callwright.evaluation.slices import SeenInTraining
from callwright.params import EvaluateParams, Params
from callwright.records import CheckedChain
from callwright.validation.replay import check_chain
from tests.fakes import chain, problem

PROBLEMS = [replace(problem(), id=name, group=name) for name in ("a", "b")]
SEEN = SeenInTraining.of([])
RIGHT = ("add(2, 3)", "answer(5)")
WRONG = ("add(2", "multiply(2, 3)", "answer(6)")


def answered(**replies: tuple[str, ...]) -> ModelEvaluation:
    chains: dict[str, CheckedChain] = {
        one.id: check_chain(chain(*replies[one.id], problem_id=one.id), one) for one in PROBLEMS
    }
    return ModelEvaluation(chains, seconds=1.5)


@pytest.fixture
def params() -> EvaluateParams:
    return Params.load().evaluate.model_copy(update={"resamples": 200})


def test_the_file_has_what_the_contract_says(params: EvaluateParams):
    models = {
        "base": answered(a=WRONG, b=WRONG),
        "student": answered(a=RIGHT, b=WRONG),
        "teacher": answered(a=RIGHT, b=RIGHT),
    }
    found = compute_metrics(models, PROBLEMS, [], SEEN, params)
    assert {model: one["overall"]["value"] for model, one in found["accuracy"].items()} == {
        "base": 0.0,
        "student": 0.5,
        "teacher": 1.0,
    }
    assert set(found["accuracy"]["student"]["arithmetic/held_out"]) == {"value", "low", "high", "n"}
    assert set(found["gain"]["arithmetic"]) == {"value", "low", "high", "p_mcnemar", "p_wilcoxon"}
    assert found["gain"]["overall"]["value"] == 0.5
    assert found["valid_calls"] == {"base": pytest.approx(2 / 3, abs=1e-4), "student": 0.8, "teacher": 1.0}
    assert found["grounded"] == {"base": 1.0, "student": 1.0, "teacher": 1.0}
    valid = found["rates"]["valid_calls"]["student"]
    assert (valid["value"], valid["n"]) == (0.8, 5)
    assert valid["low"] < 0.8 < valid["high"]
    assert found["rates"]["grounded"]["teacher"]["n"] == 2
    assert found["calls"] == {"base": 2.0, "student": 2.0, "teacher": 2.0}  # "add(2" is no call
    assert found["tokens"] == {"base": 6.0, "student": 5.0, "teacher": 4.0}  # 2 a reply
    assert found["seconds_per_problem"]["student"] == 1.5
    assert found["faults"] == {
        "base": {"syntax": 2, "wrong_answer": 2},
        "student": {"syntax": 1, "wrong_answer": 1},
        "teacher": {},
    }
    assert found["first_faults"] == {"base": {"syntax": 2}, "student": {"syntax": 1}, "teacher": {}}
    assert not {"gain_over_champion", "samples", "robustness"} & set(found)


def test_a_champion_is_compared_with(params: EvaluateParams):
    models = {
        "base": answered(a=WRONG, b=WRONG),
        "student": answered(a=RIGHT, b=WRONG),
        "champion": answered(a=RIGHT, b=RIGHT),
    }
    found = compute_metrics(models, PROBLEMS, [], SEEN, params)
    assert found["accuracy"]["champion"]["overall"]["value"] == 1.0
    assert found["gain_over_champion"]["overall"]["value"] == -0.5
    assert set(found["gain_over_champion"]) == set(found["gain"])


def test_samples_are_there_where_there_were_some(params: EvaluateParams):
    one = answered(a=RIGHT, b=WRONG)
    sampled = replace(one, samples={name: [own, own] for name, own in one.chains.items()})
    found = compute_metrics(
        {"base": one, "student": sampled}, PROBLEMS, [], SEEN, params.model_copy(update={"samples": 2})
    )
    assert list(found["samples"]) == ["student"]
    assert found["samples"]["student"]["k"] == 2
    assert found["samples"]["student"]["pass_at_k"]["value"] == 0.5


def test_a_model_that_left_a_problem_out_cannot_be_compared(params: EvaluateParams):
    one = answered(a=RIGHT, b=WRONG)
    fewer = ModelEvaluation({"a": one.chains["a"]}, 1.0)
    with pytest.raises(DataError, match="student has no chain for 1 problems, such as b"):
        compute_metrics({"base": one, "student": fewer}, PROBLEMS, [], SEEN, params)
