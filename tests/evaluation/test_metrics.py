from dataclasses import replace

import pytest

from callwright.errors import DataError
from callwright.evaluation.metrics import compute_metrics
from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.evaluation.slices import SeenInTraining
from callwright.params import EvaluateParams, Params
from callwright.records import CheckedChain
from callwright.tasks import TASKS
from callwright.validation.replay import check_chain
from tests.fakes import chain, problem

PROBLEMS = [replace(problem(), id=name, group=name) for name in ("a", "b")]
SEEN = SeenInTraining.of([])
RIGHT = ("add(2, 3)", "answer(5)")
WRONG = ("add(2", "multiply(2, 3)", "answer(6)")


def answered(**replies: tuple[str, ...]) -> ModelEvaluation:
    chains: dict[str, CheckedChain] = {
        problem.id: check_chain(chain(*replies[problem.id], problem_id=problem.id), problem, TASKS[problem.task])
        for problem in PROBLEMS
    }
    return ModelEvaluation(chains, seconds=1.5)


@pytest.fixture
def params() -> EvaluateParams:
    return Params.load().evaluate.model_copy(update={"resamples": 200})


def test_the_metrics_have_the_documented_keys(params: EvaluateParams):
    models = {
        "base": answered(a=WRONG, b=WRONG),
        "student": answered(a=RIGHT, b=WRONG),
        "teacher": answered(a=RIGHT, b=RIGHT),
    }
    metrics = compute_metrics(models, PROBLEMS, TASKS, [], SEEN, params)
    assert {model: slices["overall"]["value"] for model, slices in metrics["accuracy"].items()} == {
        "base": 0.0,
        "student": 0.5,
        "teacher": 1.0,
    }
    assert set(metrics["accuracy"]["student"]["arithmetic/held_out"]) == {"value", "low", "high", "n"}
    assert set(metrics["gain"]["arithmetic"]) == {"value", "low", "high", "p_mcnemar", "p_wilcoxon"}
    assert metrics["gain"]["overall"]["value"] == 0.5
    assert metrics["valid_calls"] == {"base": pytest.approx(2 / 3, abs=1e-4), "student": 0.8, "teacher": 1.0}
    assert metrics["grounded"] == {"base": 1.0, "student": 1.0, "teacher": 1.0}
    valid = metrics["rates"]["valid_calls"]["student"]
    assert (valid["value"], valid["n"]) == (0.8, 5)
    assert valid["low"] < 0.8 < valid["high"]
    assert metrics["rates"]["grounded"]["teacher"]["n"] == 2
    assert metrics["calls"] == {"base": 2.0, "student": 2.0, "teacher": 2.0}  # "add(2" is not a call
    assert metrics["tokens"] == {"base": 6.0, "student": 5.0, "teacher": 4.0}  # 2 per reply
    assert metrics["seconds_per_problem"]["student"] == 1.5
    assert metrics["faults"] == {
        "base": {"syntax": 2, "wrong_answer": 2},
        "student": {"syntax": 1, "wrong_answer": 1},
        "teacher": {},
    }
    assert metrics["first_faults"] == {"base": {"syntax": 2}, "student": {"syntax": 1}, "teacher": {}}
    assert not {"gain_over_champion", "samples", "robustness"} & set(metrics)


def test_the_student_is_compared_with_the_champion(params: EvaluateParams):
    models = {
        "base": answered(a=WRONG, b=WRONG),
        "student": answered(a=RIGHT, b=WRONG),
        "champion": answered(a=RIGHT, b=RIGHT),
    }
    metrics = compute_metrics(models, PROBLEMS, TASKS, [], SEEN, params)
    assert metrics["accuracy"]["champion"]["overall"]["value"] == 1.0
    assert metrics["gain_over_champion"]["overall"]["value"] == -0.5
    assert set(metrics["gain_over_champion"]) == set(metrics["gain"])


def test_only_models_with_samples_have_sample_metrics(params: EvaluateParams):
    greedy = answered(a=RIGHT, b=WRONG)
    sampled = replace(greedy, samples={name: [checked, checked] for name, checked in greedy.chains.items()})
    metrics = compute_metrics(
        {"base": greedy, "student": sampled}, PROBLEMS, TASKS, [], SEEN, params.model_copy(update={"samples": 2})
    )
    assert list(metrics["samples"]) == ["student"]
    assert metrics["samples"]["student"]["k"] == 2
    assert metrics["samples"]["student"]["pass_at_k"]["value"] == 0.5


def test_a_model_without_a_chain_of_a_problem_is_an_error(params: EvaluateParams):
    complete = answered(a=RIGHT, b=WRONG)
    incomplete = ModelEvaluation({"a": complete.chains["a"]}, 1.0)
    with pytest.raises(DataError, match="student has no chain for 1 problems, such as b"):
        compute_metrics({"base": complete, "student": incomplete}, PROBLEMS, TASKS, [], SEEN, params)
