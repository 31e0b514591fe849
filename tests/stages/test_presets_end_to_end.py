"""Presets at tiny scale. `embedded` equals params.yaml as it ships, which test_pipeline.py runs."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from callwright.cli.preset import apply_preset
from callwright.records import Problem
from callwright.storage.jsonl import read
from tests.stages.conftest import TINY, Project
from tests.working_tree import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("presets")]
PUBLIC = ROOT.parent / "shared/data"
PRESETS = ROOT / "conf/presets"
RUN_HERE = {"embedded", "gsm8k"}
STAGES = 8
ROWS = 400  # of a source's file: enough for problems of every kind, and fast to read
needs_public_data = pytest.mark.skipif(not PUBLIC.is_dir(), reason="needs the public files of the sources")


def values(path: Path) -> dict[str, Any]:
    return YAML(typ="safe").load(path.read_text())


def presets_that_need_more() -> list[str]:
    return sorted({path.stem for path in PRESETS.glob("*.yaml")} - RUN_HERE)


def set_up(project: Project, source: str, max_steps: int) -> None:
    """The gsm8k preset at tiny scale, on the first rows of a source's files."""
    for path in (PUBLIC / source).iterdir():
        target = project.folder / "data/source" / path.name
        if path.suffix == ".jsonl":
            target.write_text("\n".join(path.read_text().splitlines()[:ROWS]) + "\n")
        else:
            target.write_text(json.dumps(json.loads(path.read_text())[:ROWS]))
    project.run("callwright", "preset", "gsm8k")
    apply_preset("tiny", project.folder / "params.yaml", TINY)
    few = {
        "problems": {"source": source, "public": {"train": 16, "dev": 8, "test": 10}},
        "rollout": {"max_steps": max_steps, "student": {"problems": 8}},
    }
    with (project.folder / "conf/presets/few.yaml").open("w") as file:
        YAML().dump(few, file)
    project.run("callwright", "preset", "few")


@needs_public_data
@pytest.mark.parametrize(
    ("source", "task", "max_steps"),
    [("gsm8k", "arithmetic", 8), ("proofwriter", "entailment", 40)],  # a call for each premise
)
def test_public_problems_go_from_their_files_to_a_decision(project: Project, source: str, task: str, max_steps: int):
    set_up(project, source, max_steps)
    assert project.run("dvc", "repro").stdout.count("Running stage") == STAGES
    problems = list(read(Problem, project.folder / "data/problems/test.jsonl"))
    assert len(problems) == 10
    assert {problem.task for problem in problems} == {task}
    accuracy = json.loads((project.folder / "reports/metrics.json").read_text())["accuracy"]
    for model in ("base", "student", "teacher"):
        assert [accuracy[model][name]["n"] for name in ("overall", task)] == [10, 10]
    assert (
        accuracy["teacher"]["overall"]["value"] > 0
    )  # the oracle knows the solutions, so they were read and can be replayed
    registry = json.loads((project.folder / "models/registry.json").read_text())
    assert registry["decision"] in ("promoted", "refused")
    assert (project.folder / "reports/index.html").is_file()


@needs_public_data
def test_folio_gives_problems_of_both_logic_tasks(project: Project):
    """Only the problems stage: the oracle teacher cannot answer stories without a solution."""
    set_up(project, "folio", 8)
    project.run("dvc", "repro", "problems")
    for split, count in (("train", 16), ("dev", 8), ("test", 10)):
        problems = list(read(Problem, project.folder / f"data/problems/{split}.jsonl"))
        assert len(problems) == count
        assert {problem.task for problem in problems} == {"translation", "entailment"}


@pytest.mark.parametrize("name", presets_that_need_more())
def test_a_preset_that_needs_a_gpu_describes_a_whole_pipeline(project: Project, name: str):
    apply_preset(name, project.folder / "params.yaml", PRESETS)
    output = project.run("dvc", "repro", "--dry", "--force").stdout
    assert output.count("Running stage") == STAGES
    launch = f"conf/accelerate/{values(project.folder / 'params.yaml')['train']['accelerate']}.yaml"
    assert f"--config_file {launch} " in output
    assert (project.folder / launch).is_file()
    assert values(PRESETS / f"{name}.yaml")["student"]["source"] != "embedded", "this preset can run here"
