"""A model that has no chain of a problem: the problem counts for no model."""

from dataclasses import replace

import pytest

from callwright.errors import DataError
from callwright.evaluation.evaluated import ModelEvaluation, select_comparable
from callwright.evaluation.metrics import compute_metrics
from callwright.evaluation.perturb.run import variants_of
from callwright.evaluation.slices import SeenInTraining
from callwright.params import Params, RobustnessParams
from tests.fakes import checked, problem

PROBLEMS = [replace(problem(), id=name, group=name) for name in "abcd"]
CHANGED = variants_of(PROBLEMS, RobustnessParams(problems=4, changes=["distractor"]), seed=7)


def evaluated(without: str = "", *, samples: str = "", unchanged: str = "-") -> ModelEvaluation:
    """Chains of all problems but some, samples of some, and, but for `-`, of all variants but some."""
    chains = {name: checked("answer(5)", correct=True, problem_id=name) for name in "abcd" if name not in without}
    variants = [
        None if one.original.id in unchanged else checked("answer(5)", correct=True, problem_id=one.problem.id)
        for one in CHANGED
    ]
    return ModelEvaluation(
        chains, 1.0, {name: [chains[name]] * 2 for name in samples}, () if unchanged == "-" else variants
    )


def test_with_all_chains_everything_is_compared():
    models = {"base": evaluated(samples="abcd", unchanged=""), "teacher": evaluated()}
    found = select_comparable(PROBLEMS, CHANGED, models)
    assert (found.problems, found.variants, found.dropped, found.line()) == (PROBLEMS, CHANGED, [], None)
    assert found.evaluated["base"].chains == models["base"].chains


def test_what_one_model_lacks_is_left_out_for_all_of_them():
    models = {"base": evaluated("b", unchanged="c"), "student": evaluated(samples="abc", unchanged="")}
    found = select_comparable(PROBLEMS, CHANGED, models)
    assert [one.id for one in found.problems] == ["a", "c"]
    assert [one.original.id for one in found.variants] == ["a"]
    assert {model: list(own.chains) for model, own in found.evaluated.items()} == {
        "base": ["a", "c"],
        "student": ["a", "c"],
    }
    assert list(found.evaluated["student"].samples) == ["a", "c"]
    assert [len(own.variants) for own in found.evaluated.values()] == [1, 1]
    changed = {f"{name}~distractor" for name in "bcd"}
    assert set(found.dropped) == {"b", "d", *changed}
    assert found.line() == (
        "5 problems and changed problems are left out for every model, such as b: a model has no chain of them"
    )


def test_the_metrics_are_those_of_the_problems_that_are_left():
    models = {"base": evaluated("b"), "student": evaluated(), "teacher": evaluated()}
    found = select_comparable(PROBLEMS, [], models)
    params = Params.load().evaluate.model_copy(update={"resamples": 200})
    metrics = compute_metrics(found.evaluated, found.problems, found.variants, SeenInTraining.of(PROBLEMS), params)
    assert {one["overall"]["n"] for one in metrics["accuracy"].values()} == {3}


def test_where_nothing_is_left_there_is_nothing_to_compare():
    with pytest.raises(DataError, match="no problem is left"):
        select_comparable(PROBLEMS, [], {"base": evaluated("ab"), "student": evaluated("cd")})
