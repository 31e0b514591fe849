"""A problem for which one model has no chain is dropped for all models."""

from dataclasses import replace

import pytest

from callwright.errors import DataError
from callwright.evaluation.metrics import compute_metrics
from callwright.evaluation.model_evaluation import ModelEvaluation, select_comparable
from callwright.evaluation.perturb.run import variants_of
from callwright.evaluation.slices import SeenInTraining
from callwright.params import Params, RobustnessParams
from callwright.tasks import TASKS
from tests.fakes import checked, problem

PROBLEMS = [replace(problem(), id=name, group=name) for name in "abcd"]
CHANGED = variants_of(PROBLEMS, TASKS, RobustnessParams(problems=4, changes=["distractor"]), seed=7)


def evaluated(without: str = "", *, samples: str = "", unchanged: str = "-") -> ModelEvaluation:
    """Results of a model.

    Args:
        without: ids of the problems without a chain.
        samples: ids of the problems with samples.
        unchanged: ids of the problems whose variants have no chain; `-`: the model has no variants at all.
    """
    chains = {name: checked("answer(5)", correct=True, problem_id=name) for name in "abcd" if name not in without}
    variants = [
        None if variant.original.id in unchanged else checked("answer(5)", correct=True, problem_id=variant.problem.id)
        for variant in CHANGED
    ]
    return ModelEvaluation(
        chains, 1.0, {name: [chains[name]] * 2 for name in samples}, () if unchanged == "-" else variants
    )


def test_with_all_chains_all_problems_are_compared():
    models = {"base": evaluated(samples="abcd", unchanged=""), "teacher": evaluated()}
    comparison = select_comparable(PROBLEMS, CHANGED, models)
    assert (comparison.problems, comparison.variants, comparison.dropped, comparison.dropped_message()) == (
        PROBLEMS,
        CHANGED,
        [],
        None,
    )
    assert comparison.evaluated["base"].chains == models["base"].chains


def test_a_problem_missing_for_one_model_is_dropped_for_all():
    models = {"base": evaluated("b", unchanged="c"), "student": evaluated(samples="abc", unchanged="")}
    comparison = select_comparable(PROBLEMS, CHANGED, models)
    assert [problem.id for problem in comparison.problems] == ["a", "c"]
    assert [variant.original.id for variant in comparison.variants] == ["a"]
    assert {model: list(evaluation.chains) for model, evaluation in comparison.evaluated.items()} == {
        "base": ["a", "c"],
        "student": ["a", "c"],
    }
    assert list(comparison.evaluated["student"].samples) == ["a", "c"]
    assert [len(evaluation.variants) for evaluation in comparison.evaluated.values()] == [1, 1]
    dropped_variants = {f"{name}~distractor" for name in "bcd"}
    assert set(comparison.dropped) == {"b", "d", *dropped_variants}
    assert comparison.dropped_message() == (
        "5 problems and changed problems are dropped for all models, for example b: "
        "at least one model has no chain of them"
    )


def test_metrics_are_computed_on_the_remaining_problems():
    models = {"base": evaluated("b"), "student": evaluated(), "teacher": evaluated()}
    comparison = select_comparable(PROBLEMS, [], models)
    params = Params.load().evaluate.model_copy(update={"resamples": 200})
    metrics = compute_metrics(
        comparison.evaluated, comparison.problems, TASKS, comparison.variants, SeenInTraining.of(PROBLEMS), params
    )
    assert {slices["overall"]["n"] for slices in metrics["accuracy"].values()} == {3}


def test_without_a_common_problem_the_comparison_fails():
    with pytest.raises(DataError, match="no problem is left"):
        select_comparable(PROBLEMS, [], {"base": evaluated("ab"), "student": evaluated("cd")})
