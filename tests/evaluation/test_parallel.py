"""Base and student, evaluated at the same time in two processes: equal to one after the other in this process."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from callwright import paths
from callwright.errors import ProviderError
from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.evaluation.perturb.run import variants_of
from callwright.evaluation.perturb.unseen import unseen_problems
from callwright.evaluation.run import evaluate_models
from callwright.params import Params, RobustnessParams
from callwright.rollouts import parallel
from callwright.rollouts.journal import JournalEntry, journal_path
from callwright.storage.jsonl import read
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from tests.fakes import teacher
from tests.tiny_student import write_tiny_student
from tests.working_tree import ROOT

pytestmark = pytest.mark.slow  # each of the processes imports torch and transformers

PARAMS = Params.load(ROOT / "params.yaml")
ROLLOUT = PARAMS.rollout.model_copy(update={"max_tokens": 8, "max_steps": 2})
EVALUATE = PARAMS.evaluate.model_copy(update={"samples": 2})
PROBLEMS = synthetic_problems({"test": 6}, 0, seed=5)
ROBUSTNESS = RobustnessParams(problems=2, changes=["functions", "unseen"])


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parallel, "available_cores", lambda: 2)
    for seed, folder in enumerate((paths.BASE, paths.STUDENT)):
        write_tiny_student(folder, layers=1, seed=seed)


def evaluate() -> dict[str, ModelEvaluation]:
    variants = variants_of(PROBLEMS, TASKS, ROBUSTNESS, 7)
    unseen = unseen_problems(PROBLEMS, TASKS, ROBUSTNESS, 7)
    return evaluate_models(PROBLEMS, variants, TASKS, EVALUATE, ROLLOUT, teacher(), 7, unseen=unseen)


def without_seconds(evaluated: Mapping[str, ModelEvaluation]) -> dict[str, ModelEvaluation]:
    return {
        model: replace(
            each,
            seconds=0.0,
            attempts={problem: replace(attempt, request_s=()) for problem, attempt in each.attempts.items()},
        )
        for model, each in evaluated.items()
    }


def journaled(model: str) -> list[str]:
    return sorted(entry.key for entry in read(JournalEntry, journal_path(f"evaluate_{model}")))


def test_two_processes_give_the_same_chains_under_the_same_keys(monkeypatch: pytest.MonkeyPatch):
    alone = evaluate()
    keys = {model: journaled(model) for model in alone}
    for model in alone:
        journal_path(f"evaluate_{model}").unlink()
    monkeypatch.setattr(parallel, "MIN_ATTEMPTS", 2)
    opened_here = list[object]()
    monkeypatch.setattr("callwright.chat.local.chat.LocalChat.__init__", lambda *args, **_: opened_here.append(args))
    assert without_seconds(evaluate()) == without_seconds(alone)
    assert {model: journaled(model) for model in alone} == keys
    assert not opened_here
    # 6 greedy, 12 sampled, 2 with other names, 2 with an unseen function
    assert {model: len(of_model) for model, of_model in keys.items()} == {"base": 22, "student": 22, "teacher": 6}


def test_a_model_that_a_process_cannot_open_is_the_usual_error(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(parallel, "MIN_ATTEMPTS", 2)
    (paths.STUDENT / "model.safetensors").unlink()
    with pytest.raises(ProviderError, match=r"^cannot load a model from models/student: "):
        evaluate()
    assert journaled("base")
