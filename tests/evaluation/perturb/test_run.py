from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from callwright.errors import ParamsError
from callwright.evaluation.perturb.run import compute_robustness, variants_of
from callwright.params import EvaluateParams, Params, RobustnessParams
from callwright.records import Problem
from callwright.surprises import SurpriseLog
from callwright.tasks import TASKS, Tasks
from callwright.tasks.parts import TaskWording
from callwright.tasks.view import PLAIN
from tests.fakes import checked, problem

ALL = RobustnessParams(
    problems=10, changes=["names", "order", "functions", "new_name", "swapped", "reworded", "distractor", "unseen"]
)
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


def test_a_problem_has_a_variant_of_each_change_that_applies():
    variants = variants_of([PENS, BOXES], TASKS, ALL, seed=7)
    changes = {(variant.change, variant.original.id) for variant in variants}
    view_changes = {(change, problem_id) for change in ALL.changes[2:-1] for problem_id in ("pens", "boxes")}
    assert changes == view_changes | {("names", "pens"), ("order", "pens")}  # unseen has problems of its own
    assert {variant.problem.id for variant in variants if variant.original is PENS} == {
        "pens~names",
        "pens~order",
        "pens~functions",
        "pens~new_name",
        "pens~swapped",
        "pens~reworded",
        "pens~distractor",
    }
    for variant in variants:
        assert variant.problem.answer == variant.original.answer
        rephrased = variant.problem.question != variant.original.question
        assert rephrased == (variant.change in ("names", "order"))
        assert rephrased == (variant.view == PLAIN)


def test_a_wording_function_that_raises_is_counted_and_its_change_does_not_apply_to_the_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def reorder(changed: Problem, _: Random) -> str:
        return changed.question + " " + {"pens": "Hurry!"}[changed.id]

    monkeypatch.chdir(tmp_path)
    task = replace(TASKS["arithmetic"], parts={"wording": TaskWording(reorder_sentences=reorder)})
    surprises = SurpriseLog("evaluate")
    changes = RobustnessParams(problems=10, changes=["order", "distractor"])
    variants = variants_of([BOXES, PENS], Tasks([task]), changes, seed=7, surprises=surprises)
    assert sorted(variant.problem.id for variant in variants) == ["boxes~distractor", "pens~distractor", "pens~order"]
    ((reason, count),) = surprises.counts.items()
    assert reason.startswith("unexpected KeyError in test_run.py:")
    assert count == 1
    assert surprises.path.read_text().startswith("boxes~order: unexpected KeyError")


def test_a_wording_that_cannot_be_imported_ends_the_evaluation_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "broken_wording").mkdir()
    (tmp_path / "broken_wording/wording.py").write_text("import gone")
    monkeypatch.syspath_prepend(tmp_path)
    task = replace(TASKS["arithmetic"], folder="broken_wording")
    with pytest.raises(ParamsError, match=r"^broken_wording\.wording cannot be imported"):
        variants_of([PENS], Tasks([task]), ALL, seed=7)


def test_each_change_has_a_limited_number_of_variants_and_the_seed_determines_them():
    problems = [replace(PENS, id=str(index)) for index in range(9)]
    few = ALL.model_copy(update={"problems": 2})
    first, second = (variants_of(problems, TASKS, few, seed=7) for _ in range(2))
    assert len(first) == 2 * 7
    assert first == second
    assert variants_of(problems, TASKS, ALL.model_copy(update={"problems": 0}), seed=7) == []


def test_variants_of_a_change_that_share_a_prompt_are_next_to_each_other():
    problems = [replace(PENS, id=str(index), question=f"{index}?") for index in range(20)]
    keys = [
        variant.view.key
        for variant in variants_of(problems, TASKS, RobustnessParams(problems=20, changes=["functions"]), seed=7)
    ]
    assert len(set(keys)) == 4
    assert keys == sorted(keys)


def test_the_gap_is_the_accuracy_before_minus_the_accuracy_after(params: EvaluateParams):
    problems = [replace(PENS, id=str(index), group=str(index)) for index in range(4)]
    variants = variants_of(problems, TASKS, RobustnessParams(problems=4, changes=["names", "distractor"]), seed=7)
    originals = {
        problem.id: checked("answer(12)", correct=problem.id != "3", problem_id=problem.id) for problem in problems
    }
    chains = [checked("answer(12)", correct=variant.change == "names") for variant in variants]
    robustness = compute_robustness(variants, chains, originals, params)
    assert list(robustness) == ["names", "distractor", "overall"]
    names, distractor, overall = robustness.values()
    assert (names.original.value, names.changed.value, names.gap.value) == (0.75, 1.0, -0.25)
    assert (distractor.original.value, distractor.changed.value) == (0.75, 0.0)
    assert distractor.gap.value == 0.75
    assert distractor.gap.low <= 0.75 <= distractor.gap.high
    assert (overall.original.value, overall.changed.value, overall.original.n) == (0.75, 0.5, 8)
