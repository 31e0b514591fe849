"""The whole pipeline at tiny scale. Tests run in order on one copy."""

import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import chain
from pathlib import Path

import pytest

from callwright.agent.loop import take_steps
from callwright.agent.protocol import NATIVE, TEXT
from callwright.chat.model import Reply
from callwright.functions.toolbox import Observation
from callwright.records import STEP_FAULTS, CheckedChain, Pair, Problem, Usage
from callwright.reports.decision import Decision
from callwright.reports.metrics import Metrics
from callwright.reports.pairs import PairsReport
from callwright.reports.problems import ProblemsReport
from callwright.reports.quality import Quality
from callwright.reports.report import Report
from callwright.reports.rollout import RolloutReport
from callwright.reports.train import TrainReport
from callwright.storage.jsonl import read
from callwright.tasks import TASKS
from tests.stages.conftest import Project
from tests.stages.serving import ask, chains_of, post, served, twenty_of_each_task

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("pipeline")]
STAGES = ("problems", "base", "rollout", "validate", "pairs", "train", "evaluate", "promote")


def stages_run(output: str) -> list[str]:
    """The stages that DVC executed."""
    return [stage for stage in STAGES if f"Running stage '{stage}'" in output]


def download_champion(project: Project, folder: Path) -> None:
    champion = "models:/callwright-student@champion"
    command = ["mlflow", "artifacts", "download", "-u", champion, "-d", str(folder)]
    project.run(*command, MLFLOW_TRACKING_URI="sqlite:///mlflow.db")


def test_every_stage_writes_its_artifacts(finished_project: Project):
    metrics = json.loads((finished_project.folder / "reports/metrics.json").read_text())
    assert set(metrics["accuracy"]) == {"base", "student", "teacher"}
    assert {"overall", "arithmetic", "arithmetic/seen", "arithmetic/held_out"} <= set(metrics["accuracy"]["student"])
    assert set(metrics["accuracy"]["student"]["overall"]) == {"value", "low", "high", "n"}
    assert set(metrics["gain"]["overall"]) == {"value", "low", "high", "p_mcnemar", "p_wilcoxon"}
    assert metrics["accuracy"]["teacher"]["overall"]["n"] == 67  # 26 arithmetic, 21 translation, 20 entailment
    assert set(metrics["seconds"]) == set(STAGES) - {"promote"}
    assert (finished_project.folder / "reports/data_docs/index.html").is_file()
    assert "Callwright report" in (finished_project.folder / "reports/index.html").read_text()


REPORTS = (Metrics, Quality, RolloutReport, TrainReport, ProblemsReport, PairsReport, Decision)


@pytest.mark.parametrize("report", REPORTS, ids=lambda report: report.__name__)
def test_every_report_is_read_and_would_be_written_again_as_it_is(
    finished_project: Project, report: type[Report], tmp_path: Path
):
    written = finished_project.folder / report.FILE
    report.load(written).save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == written.read_bytes()


def test_nothing_enters_training_that_was_not_executed_and_checked(finished_project: Project):
    problems = {problem.id: problem for problem in read(Problem, finished_project.folder / "data/problems/train.jsonl")}
    dev = {problem.id: problem for problem in read(Problem, finished_project.folder / "data/problems/dev.jsonl")}
    problems_of_chains = problems | dev
    records = list(read(CheckedChain, finished_project.folder / "data/validated/chains.jsonl"))
    assert {record.chain.model for record in records} == {"oracle", "base"}
    for record in records:
        tools = TASKS[problems_of_chains[record.chain.problem_id].task].toolbox.open()
        for step in record.chain.steps:
            result = tools.execute(step.call) if step.call else None
            if not step.error:
                assert isinstance(result, Observation)
                assert result.text == step.observation
    pairs = list(read(Pair, finished_project.folder / "data/pairs/train.jsonl"))
    assert pairs
    assert {pair.problem_id for pair in pairs} <= set(problems)


def test_the_champion_answers_over_http_as_it_was_evaluated(finished_project: Project):
    """Send 20 problems of each task, all tasks at once, to `mlflow models serve`."""
    registry = json.loads((finished_project.folder / "models/registry.json").read_text())
    assert (registry["decision"], registry["version"], registry["aliases"]) == ("promoted", "1", ["champion"])
    problems_by_task = twenty_of_each_task(finished_project)
    with served(finished_project, "models:/callwright-student@champion") as url, ThreadPoolExecutor() as threads:
        answers = list(threads.map(lambda problems: ask(url, problems), problems_by_task.values()))
        status, body = post(url, {"inputs": {"question": ["How many?", "so \ud83d"], "task": ["riddle", "arithmetic"]}})
    assert status == 200, body
    unknown, broken = json.loads(body)["predictions"]
    assert unknown["error"] == "unknown task 'riddle'; the tasks are arithmetic, translation, entailment"
    assert broken["error"].startswith("question has half a character")
    evaluated = chains_of(finished_project)
    for problem, row in zip(chain(*problems_by_task.values()), chain(*answers), strict=True):
        record = evaluated[problem.id]
        steps = [asdict(step) for step in record.chain.steps]
        assert json.loads(row["chain"])["steps"] == json.loads(json.dumps(steps))
        assert (row["answer"], row["outcome"]) == (record.chain.answer or "", record.chain.outcome)
        assert row["error"] == ""
        faults = {fault.fault for fault in record.verdict.faults} - {"wrong_answer", "undecided", "unfaithful_call"}
        assert set(row["faults"]) == faults, "all faults except those that need the right answer"
        assert row["valid"] == (not faults & set(STEP_FAULTS))
        assert row["grounded"] == (record.chain.answer is not None and "ungrounded_answer" not in faults)


def test_the_champions_folder_makes_the_same_call_in_plain_transformers(finished_project: Project, tmp_path: Path):
    """Its first step of each task, from the folder, its chat template and `generate` alone."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    download_champion(finished_project, tmp_path)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "artifacts/student")
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "artifacts/student")
    evaluated = chains_of(finished_project)
    for task, (problem, *_) in twenty_of_each_task(finished_project).items():
        messages, _ = TEXT.render(TASKS[task], problem.question, [])
        prompt = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        generated = model.generate(**prompt, max_new_tokens=16, do_sample=False)[0, prompt["input_ids"].shape[1] :]
        finish = "stop" if tokenizer.eos_token_id in generated else "length"
        reply = Reply(tokenizer.decode(generated, skip_special_tokens=True), finish, Usage())
        (step,) = take_steps(reply, TEXT, TASKS[task].toolbox, TASKS[task].toolbox.open())
        assert step == evaluated[problem.id].chain.steps[0]
        _, tools = NATIVE.render(TASKS[task], problem.question, [])
        prompt_text = tokenizer.apply_chat_template(messages, tools=tools, tokenize=False)
        assert all(json.dumps(name) in prompt_text for name in TASKS[task].toolbox.functions)


ANSWER_SCRIPT = """
import json, sys
import mlflow, pandas
model = mlflow.pyfunc.load_model("champion")
print(model.predict(pandas.read_json(sys.stdin, dtype=False)).to_json(orient="records"))
"""


def test_the_champion_answers_the_same_in_a_fresh_environment_of_its_requirements(
    finished_project: Project, tmp_path: Path
):
    """Installed from the version's requirements.txt, without this project's code."""
    download_champion(finished_project, tmp_path / "champion")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLFLOW_"))}
    python = tmp_path / "venv/bin/python"
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    requirements = tmp_path / "champion/requirements.txt"
    subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True, env=environment)
    problems = [problem for problem, *_ in twenty_of_each_task(finished_project).values()]
    questions = json.dumps([{"question": problem.question, "task": problem.task} for problem in problems])
    done = subprocess.run([python, "-c", ANSWER_SCRIPT], input=questions, cwd=tmp_path, env=environment, text=True,
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    evaluated = chains_of(finished_project)
    for problem, row in zip(problems, json.loads(done.stdout.splitlines()[-1]), strict=True):
        record = evaluated[problem.id].chain
        assert (row["answer"], row["outcome"]) == (record.answer or "", record.outcome)
        assert json.loads(row["chain"])["steps"] == json.loads(json.dumps([asdict(step) for step in record.steps]))
    shutil.rmtree(tmp_path / "venv")  # two gigabytes


def test_a_second_run_does_nothing(finished_project: Project):
    assert stages_run(finished_project.run("dvc", "repro").stdout) == []


def test_a_changed_gate_runs_only_promote_and_refuses_with_reasons(finished_project: Project):
    finished_project.set("min_accuracy: 0.0", "min_accuracy: 1.0")
    output = finished_project.run("dvc", "repro").stdout
    assert stages_run(output) == ["promote"]
    registry = json.loads((finished_project.folder / "models/registry.json").read_text())
    assert registry["decision"] == "refused"
    assert "promote.min_accuracy asks for >= 1" in registry["reasons"][0]
    refused = finished_project.run("callwright", "promote", "--require", check=False)
    assert refused.returncode == 1
    assert "promote.min_accuracy" in refused.stdout
    finished_project.set("min_accuracy: 1.0", "min_accuracy: 0.0")


def test_deleted_outs_come_back_from_the_run_cache(finished_project: Project):
    for name in ("data/problems", "data/chains", "data/pairs", "models/base", "models/student"):
        shutil.rmtree(finished_project.folder / name)
    (finished_project.folder / "dvc.lock").unlink()
    output = finished_project.run("dvc", "repro").stdout
    assert stages_run(output) == ["promote"], "a registration never comes from a cache"
    assert (finished_project.folder / "models/student/model.safetensors").is_file()


def test_metrics_plots_and_experiments_work(finished_project: Project):
    assert "accuracy" in finished_project.run("dvc", "metrics", "show", "reports/metrics.json").stdout
    finished_project.run("dvc", "plots", "show", "--out", "plots")
    page = (finished_project.folder / "plots/index.html").read_text()
    assert all(word in page for word in ("Training", "margin", "Accuracy by model and slice", "arithmetic/held_out"))
    finished_project.run("git", "add", "--all")
    finished_project.run("git", "commit", "--quiet", "--message", "a run")
    output = finished_project.run("dvc", "exp", "run", "-S", "train.beta=0.2").stdout
    assert stages_run(output) == ["train", "evaluate", "promote"]


@pytest.mark.parametrize("stage", ["problems", "base", "validate", "pairs", "promote"])
def test_a_stage_that_does_not_need_torch_does_not_load_it(finished_project: Project, stage: str):
    code = f"import runpy, sys; runpy.run_path('stages/{stage}.py', run_name='__main__'); print('torch' in sys.modules)"
    assert finished_project.run("python", "-c", code).stdout.splitlines()[-1] == "False"
