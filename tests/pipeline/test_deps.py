"""dvc.yaml lists the code that each stage reaches."""

import json
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

from callwright.params import Params
from callwright.pipeline.code_graph import CodeGraph
from callwright.pipeline.deps import EXCLUDED, code_of_stages, main, missing_user_files, stale_lines
from callwright.pipeline.dvc_yaml import Stage, read_stages
from callwright.pipeline.stage import run_stage
from tests.working_tree import ROOT, copy_working_tree

STAGES = read_stages((ROOT / "dvc.yaml").read_text())
FUNCTIONS = Params.load(ROOT / "params.yaml").functions
OWN_MODULE = "from clock_times import later\nFUNCTIONS = {'arithmetic': (later,)}\n"


@pytest.fixture(scope="module")
def code() -> dict[str, list[str]]:
    return code_of_stages(ROOT, STAGES, FUNCTIONS)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project in which every stage is up to date, with placeholders for its outputs."""
    folder = tmp_path_factory.mktemp("clone")
    copy_working_tree(folder, tests=False)
    script = """
from dvc.repo import Repo
from pathlib import Path
from scmrepo.git import Git
Git.init(".").close()
repo = Repo(".")
for out in [out for stage in repo.index.stages for out in stage.outs if not Path(out.fs_path).exists()]:
    path = Path(out.fs_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("placeholder")
repo.commit(force=True)
"""
    subprocess.run([sys.executable, "-c", script], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def user_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project with a user's two modules, the first of which is named in params.yaml."""
    copy_working_tree(tmp_path, tests=False)
    (tmp_path / "clock.py").write_text(OWN_MODULE)
    (tmp_path / "clock_times.py").write_text("import math\n")
    params = tmp_path / "params.yaml"
    params.write_text(params.read_text().replace("functions: []", "functions: [clock]"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def changed_stages(folder: Path) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", "import json; from dvc.repo import Repo; print(json.dumps(Repo('.').status()))"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    status = json.loads(done.stdout.splitlines()[-1])
    assert all("changed deps" in change for changes in status.values() for change in changes)
    return set(status)


def test_dvc_yaml_is_up_to_date(code: dict[str, list[str]]):
    assert stale_lines(STAGES, code) == [], "run make deps"


def test_dvc_status_names_exactly_the_stages_that_reach_a_changed_file(clone: Path, code: dict[str, list[str]]):
    assert changed_stages(clone) == set()
    stages_by_file = {file: {name for name in code if file in code[name]} for files in code.values() for file in files}
    partly = sorted(file for file, stages in stages_by_file.items() if stages != {*STAGES} and file.endswith(".py"))
    unlisted = [file for file in package_files() if file not in stages_by_file]
    sample = random.Random(15)
    for file in [*sample.sample(partly, 4), *sample.sample(unlisted, 1)]:
        text = (clone / file).read_text()
        (clone / file).write_text(f"{text}# one more line\n")
        assert changed_stages(clone) == stages_by_file.get(file, set()), file
        (clone / file).write_text(text)


def package_files() -> Iterator[str]:
    for path in sorted((ROOT / "src/callwright").rglob("*.py")):
        yield path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("stage", STAGES)
def test_every_module_that_the_import_linter_finds_is_reached(stage: str):
    """Another reading of the same imports. It knows no texts and no parent packages, so it finds fewer."""
    grimp_graph = grimp.build_graph("callwright", exclude_type_checking_imports=True)
    module = f"callwright.pipeline.{stage}"
    graph = CodeGraph(ROOT)
    imported = {graph.find(name) for name in {module, *grimp_graph.find_upstream_modules(module)}}
    reached = graph.reach([ROOT / f"stages/{stage}.py"])
    assert {file for file in imported if file and file.name != "__init__.py"} - reached == set()


def test_excluded_modules_exist():
    graph = CodeGraph(ROOT)
    assert [module for module in EXCLUDED if graph.find(module) is None] == []


def test_a_stage_depends_on_the_params_models_of_the_sections_that_it_reads(code: dict[str, list[str]]):
    listed = {Path(file).stem for file in code["problems"] if file.startswith("src/callwright/params/")}
    assert listed == {"__init__", "address", "problems", "section", "student", "yaml_file"}


@pytest.mark.parametrize(
    ("stage", "absent"),
    [
        ("validate", "src/callwright/tasks/synthetic.py"),
        ("promote", "src/callwright/chat/openai/"),
        ("train", "src/callwright/chat/openai/"),
    ],
)
def test_a_stage_does_not_reach_code_that_it_does_not_run(code: dict[str, list[str]], stage: str, absent: str):
    assert [file for file in code[stage] if file.startswith(absent)] == []


@pytest.mark.parametrize("stage", STAGES)
def test_a_users_modules_belong_to_the_stages_that_have_functions_as_a_parameter(stage: str, user_project: Path):
    files = code_of_stages(user_project, {stage: STAGES[stage]}, ["clock"])[stage]
    user_files = ["clock.py", "clock_times.py"] if "functions" in STAGES[stage].params else []
    assert [file for file in files if file.startswith("clock")] == user_files


def test_a_stale_line_names_the_stage_and_the_entries():
    stages = {"one": Stage("x", (), ("data/in", "a.py", "b.py"), (1, 2, 3)), "two": Stage("x", (), ("c.py",), (4,))}
    assert stale_lines(stages, {"one": ["a.py", *(f"{letter}.py" for letter in "cdefgh")], "two": ["c.py"]}) == [
        "dvc.yaml: one lacks c.py, d.py, e.py, f.py, g.py and 1 more and does not reach b.py"
    ]


def test_the_command_adds_a_users_modules_and_then_has_nothing_to_do(
    user_project: Path, capsys: pytest.CaptureFixture[str]
):
    error = main(["--check"])
    assert error
    assert error.splitlines()[0] == "dvc.yaml: problems lacks clock.py, clock_times.py: run make deps"
    assert missing_user_files("pairs", ["clock"], user_project) == ["clock.py", "clock_times.py"]
    assert main([]) is None
    assert "dvc.yaml: problems lacks clock.py, clock_times.py: rewritten" in capsys.readouterr().out
    assert main(["--check"]) is None
    assert missing_user_files("pairs", ["clock"], user_project) == []
    assert missing_user_files("train", ["clock"], user_project) == []


def test_the_command_keeps_line_ends(user_project: Path):
    file = user_project / "dvc.yaml"
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))
    assert main([]) is None
    text = file.read_bytes()
    assert b"- clock.py\r\n" in text
    assert text.count(b"\r\n") == text.count(b"\n")


def test_a_project_without_the_packages_source_is_an_error(user_project: Path, capfd: pytest.CaptureFixture[str]):
    (user_project / "src").rename(user_project / "elsewhere")
    error = main([])
    assert error
    assert error.startswith("there is no src/callwright/tasks in this folder: make deps needs the project's source")
    assert "\n" not in error
    run_stage("pairs", lambda _: None)  # with an installed package a stage runs
    assert capfd.readouterr().err == ""


def test_a_stage_warns_of_a_users_module_that_dvc_yaml_does_not_list(
    user_project: Path, capfd: pytest.CaptureFixture[str]
):
    run_stage("pairs", lambda _: None)
    run_stage("base", lambda _: None)  # loads no tasks
    warning = "pairs: warning: dvc.yaml does not list clock.py, clock_times.py: run make deps\n"
    assert capfd.readouterr().err == warning
    main([])
    run_stage("pairs", lambda _: None)
    assert capfd.readouterr().err == ""


def test_errors_are_one_line(user_project: Path):
    (user_project / "clock_times.py").write_text("def :\n")
    error = main([])
    assert error
    assert error.startswith("clock_times.py cannot be parsed: invalid syntax")
    params = user_project / "params.yaml"
    params.write_text(params.read_text().replace("functions: [clock]", "functions: [clokc]"))
    before = (user_project / "dvc.yaml").read_text()
    assert main([]) == "functions: there is no module clokc in this folder or among the installed packages"
    assert (user_project / "dvc.yaml").read_text() == before
    (user_project / "dvc.yaml").unlink()
    assert main([]) == "there is no dvc.yaml in this folder: run this in the project's folder"
    assert main(["--chekc"]) == "usage: python -m callwright.pipeline.deps [--check]"
