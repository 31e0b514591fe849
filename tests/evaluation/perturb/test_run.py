from dataclasses import replace

import pytest

from callwright.chat.model import Sampling
from callwright.errors import EndpointUnusableError
from callwright.evaluation.perturb.run import compute_robustness, solve_variants, variants_of
from callwright.params import EvaluateParams, Params, RobustnessParams
from callwright.surprises import SurpriseLog
from tests.fakes import ScriptedChat, checked, problem

ALL = RobustnessParams(problems=10, changes=["names", "order", "functions", "new_function", "distractor"])
PENS = replace(
    problem(
        "multiply(a=3, b=4)",
        "answer(value=12)",
        question="One pen costs 3 dollars. Cora buys 4 pens. How many dollars does she pay?",
        answer="12",
    ),
    id="pens",
)
BOXES = replace(problem(question="A box holds 2 rolls and 3 pies. How many things does it hold?"), id="boxes")


@pytest.fixture
def params() -> EvaluateParams:
    return Params.load().evaluate.model_copy(update={"resamples": 200})


def test_a_problem_has_a_variant_of_each_change_that_applies_to_it():
    found = variants_of([PENS, BOXES], ALL, seed=7)
    made = {(one.change, one.original.id) for one in found}
    everywhere = {(change, name) for change in ALL.changes[2:] for name in ("pens", "boxes")}
    assert made == everywhere | {("names", "pens"), ("order", "pens")}
    assert {one.problem.id for one in found if one.original is PENS} == {
        "pens~names",
        "pens~order",
        "pens~functions",
        "pens~new_function",
        "pens~distractor",
    }
    assert all(one.problem.answer == one.original.answer for one in found)
    assert all((one.problem.question != one.original.question) == (one.change in ("names", "order")) for one in found)


def test_variants_are_bounded_by_change_and_the_same_each_time():
    problems = [replace(PENS, id=str(place)) for place in range(9)]
    few = ALL.model_copy(update={"problems": 2})
    found = variants_of(problems, few, seed=7)
    assert len(found) == 2 * 5
    again = variants_of(problems, few, seed=7)
    assert [one.problem for one in found] == [one.problem for one in again]
    assert variants_of(problems, ALL.model_copy(update={"problems": 0}), seed=7) == []


async def test_a_renamed_function_is_executed_and_replayed_under_its_new_name():
    (variant,) = variants_of([PENS], RobustnessParams(problems=1, changes=["functions"]), seed=7)
    knows_new_names = ScriptedChat("product_of(3, 4)", "answer(12)")
    (new,), _ = await solve_variants([variant], knows_new_names, Sampling(), "text", 1)
    assert (new.verdict.correct, new.verdict.faults) == (True, ())
    keeps_to_old_ones = ScriptedChat("multiply(3, 4)", "product_of(3, 4)", "answer(12)")
    (old,), _ = await solve_variants([variant], keeps_to_old_ones, Sampling(), "text", 1)
    assert [fault.fault for fault in old.verdict.faults] == ["unknown_function"]
    assert old.verdict.correct


async def test_a_needless_function_is_there_and_does_no_harm():
    (variant,) = variants_of([PENS], RobustnessParams(problems=1, changes=["distractor"]), seed=7)
    model = ScriptedChat("count_letters('pen')", "multiply(3, 4)", "answer(12)")
    (found,), _ = await solve_variants([variant], model, Sampling(), "text", 1)
    assert found.verdict.correct
    assert "count_letters" in model.asked[0][0]["content"]


async def test_a_failed_attempt_at_a_variant_costs_that_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    variants = variants_of([PENS, BOXES], RobustnessParams(problems=2, changes=["distractor"]), seed=7)
    model = ScriptedChat(KeyError("a defect"), "multiply(3, 4)", "answer(12)")
    log = SurpriseLog("evaluate")
    chains, (failure,) = await solve_variants(variants, model, Sampling(), "text", 1, log)
    assert [chain is None for chain in chains] == [True, False]
    assert failure.reason.startswith("unexpected KeyError in fakes.py:")
    assert log.counts == {failure.reason: 1}
    with pytest.raises(EndpointUnusableError):
        await solve_variants(variants, ScriptedChat(EndpointUnusableError("no key")), Sampling(), "text", 1, log)


def test_the_gap_is_what_the_original_problems_had_more(params: EvaluateParams):
    problems = [replace(PENS, id=str(place), group=str(place)) for place in range(4)]
    variants = variants_of(problems, RobustnessParams(problems=4, changes=["names", "distractor"]), seed=7)
    originals = {one.id: checked("answer(12)", correct=one.id != "3", problem_id=one.id) for one in problems}
    chains = [checked("answer(12)", correct=variant.change == "names") for variant in variants]
    found = compute_robustness(variants, chains, originals, params)
    assert list(found) == ["names", "distractor", "overall"]
    names, distractor, overall = found.values()
    assert (names["original"]["value"], names["changed"]["value"], names["gap"]["value"]) == (0.75, 1.0, -0.25)
    assert (distractor["original"]["value"], distractor["changed"]["value"]) == (0.75, 0.0)
    assert distractor["gap"]["value"] == 0.75
    assert distractor["gap"]["low"] <= 0.75 <= distractor["gap"]["high"]
    assert (overall["original"]["value"], overall["changed"]["value"], overall["original"]["n"]) == (0.75, 0.5, 8)
