"""The whole pipeline, for real, at tiny scale. Tests run in order on one copy."""

import json
import shutil

import mlflow
import pandas as pd
import pytest

from callwright.functions.toolbox import Observation
from callwright.records import CheckedChain, Pair, Problem
from callwright.storage import read
from callwright.tasks import TASKS
from tests.stages.conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]
STAGES = ("problems", "base", "rollout", "validate", "pairs", "train", "evaluate", "promote")


def ran(output: str) -> list[str]:
    """The stages that DVC really ran."""
    return [stage for stage in STAGES if f"Running stage '{stage}'" in output]


def test_every_stage_leaves_its_artifacts(finished: Project):
    metrics = json.loads((finished.folder / "reports/metrics.json").read_text())
    assert set(metrics["accuracy"]) == {"base", "student", "teacher"}
    assert {"overall", "arithmetic", "arithmetic/seen", "arithmetic/held_out"} <= set(metrics["accuracy"]["student"])
    assert set(metrics["accuracy"]["student"]["overall"]) == {"value", "low", "high", "n"}
    assert set(metrics["gain"]["overall"]) == {"value", "low", "high", "p_mcnemar", "p_wilcoxon"}
    assert metrics["accuracy"]["teacher"]["overall"]["n"] == 57  # 26 arithmetic, 21 translation, 10 entailment
    assert set(metrics["seconds"]) == set(STAGES) - {"promote"}
    assert (finished.folder / "reports/data_docs/index.html").is_file()
    assert "Callwright report" in (finished.folder / "reports/index.html").read_text()


def test_nothing_enters_training_that_was_not_executed_and_checked(finished: Project):
    problems = {one.id: one for one in read(Problem, finished.folder / "data/problems/train.jsonl")}
    dev = {one.id: one for one in read(Problem, finished.folder / "data/problems/dev.jsonl")}
    problems_of_chains = problems | dev
    records = list(read(CheckedChain, finished.folder / "data/validated/chains.jsonl"))
    assert {record.chain.model for record in records} == {"oracle", "base"}
    for record in records:
        tools = TASKS[problems_of_chains[record.chain.problem_id].task].toolbox.open()
        for step in record.chain.steps:
            result = tools.execute(step.call) if step.call else None
            if not step.error:
                assert isinstance(result, Observation)
                assert result.text == step.observation
    pairs = list(read(Pair, finished.folder / "data/pairs/train.jsonl"))
    assert pairs
    assert {pair.problem_id for pair in pairs} <= set(problems)


def test_the_champion_answers_questions_from_the_registry(finished: Project, monkeypatch: pytest.MonkeyPatch):
    registry = json.loads((finished.folder / "models/registry.json").read_text())
    assert registry["decision"] == "promoted"
    assert (registry["version"], registry["aliases"]) == ("1", ["champion"])
    monkeypatch.chdir(finished.folder)
    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    model = mlflow.pyfunc.load_model("models:/callwright-student@champion")
    problem = next(read(Problem, finished.folder / "data/problems/test.jsonl"))
    answered = model.predict(pd.DataFrame({"question": [problem.question], "task": ["arithmetic"]}))
    evaluated = {
        one.chain.problem_id: one.chain for one in read(CheckedChain, finished.folder / "data/evaluation/student.jsonl")
    }
    served = json.loads(answered["chain"][0])
    assert [step["thought"] for step in served["steps"]] == [step.thought for step in evaluated[problem.id].steps]
    assert answered["outcome"][0] == evaluated[problem.id].outcome


def test_a_second_run_does_nothing(finished: Project):
    assert ran(finished.run("dvc", "repro").stdout) == []


def test_a_changed_gate_runs_promote_alone_and_refuses_with_reasons(finished: Project):
    finished.set("min_accuracy: 0.0", "min_accuracy: 1.0")
    output = finished.run("dvc", "repro").stdout
    assert ran(output) == ["promote"]
    registry = json.loads((finished.folder / "models/registry.json").read_text())
    assert registry["decision"] == "refused"
    assert "promote.min_accuracy asks for >= 1" in registry["reasons"][0]
    refused = finished.run("callwright", "promote", "--require", check=False)
    assert refused.returncode == 1
    assert "promote.min_accuracy" in refused.stdout
    finished.set("min_accuracy: 1.0", "min_accuracy: 0.0")


def test_deleted_outs_come_back_from_the_run_cache(finished: Project):
    for name in ("data/problems", "data/chains", "data/pairs", "models/base", "models/student"):
        shutil.rmtree(finished.folder / name)
    (finished.folder / "dvc.lock").unlink()
    output = finished.run("dvc", "repro").stdout
    assert ran(output) == []
    assert (finished.folder / "models/student/model.safetensors").is_file()


def test_metrics_plots_and_experiments_work(finished: Project):
    assert "accuracy" in finished.run("dvc", "metrics", "show", "reports/metrics.json").stdout
    finished.run("dvc", "plots", "show", "--out", "plots")
    page = (finished.folder / "plots/index.html").read_text()
    assert all(word in page for word in ("Training", "margin", "Accuracy by model and slice", "arithmetic/held_out"))
    finished.run("git", "add", "--all")
    finished.run("git", "commit", "--quiet", "--message", "a run")
    output = finished.run("dvc", "exp", "run", "-S", "train.beta=0.2").stdout
    assert ran(output) == ["train", "evaluate", "promote"]


@pytest.mark.parametrize("stage", ["problems", "validate", "pairs", "promote"])
def test_a_stage_that_computes_nothing_with_torch_does_not_load_it(finished: Project, stage: str):
    code = f"import runpy, sys; runpy.run_path('stages/{stage}.py', run_name='__main__'); print('torch' in sys.modules)"
    assert finished.run("python", "-c", code).stdout.splitlines()[-1] == "False"
