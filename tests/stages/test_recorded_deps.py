"""dvc.yaml compared with what the processes of each stage really load and read in a tiny run."""

import random
from itertools import chain

import pytest

from callwright import params
from callwright.chat.open_chat import BACKENDS
from callwright.params.section import Section
from callwright.pipeline.code_graph import CodeGraph
from callwright.pipeline.deps import EXCLUDED
from callwright.pipeline.dvc_yaml import is_code, read_stages
from callwright.pipeline.source_references import has_code
from tests.stages.conftest import copy_of_the_project
from tests.stages.recording import Recording, record_stage
from tests.working_tree import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("recorded deps")]
STAGES = read_stages((ROOT / "dvc.yaml").read_text())
MAX_NEVER_LOADED = (
    5  # files of a stage, such as chat backends that the tiny run does not use, and templates of other pages
)
MAX_ONLY_SERVED = 25  # further files of promote, which registers the code that the served model runs
UNLISTED_FILES = {
    ".git": "the commit, for MLflow's tags",
    "reports/seconds": "the times of earlier runs, which would re-run evaluate whenever a stage was run",
    "params.yaml": "its keys are listed as params",
}
SECONDS = {f"src/callwright/reports/{name}.py" for name in ("report", "seconds", "values")}  # of pipeline/stage.py
UNLISTED_PARAMS = {("base", "functions"): "every stage looks whether dvc.yaml lists a user's modules"}
OF_PARAMS = {"src/callwright/records.py"}  # has the names of the protocols, which params/rollout.py checks
# problems refuses values of later stages early; its result does not depend on them.
EARLY_FILES = {f"src/callwright/chat/{name}.py" for name in ("backend", "model", "open_chat")}
EARLY_PARAMS = {"teacher.base_url", "train.accelerate", "evaluate"}


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    project = copy_of_the_project(tmp_path_factory.mktemp("recorded"))
    return {stage: record_stage(project, stage) for stage in STAGES}


def is_below(name: str, parents: set[str] | dict[str, str], separator: str) -> bool:
    return any(name == parent or name.startswith(parent + separator) for parent in parents)


@pytest.mark.parametrize("stage", STAGES)
def test_every_module_that_was_loaded_is_listed(recordings: dict[str, Recording], stage: str):
    excluded = {f"src/{module.replace('.', '/')}.py" for module in EXCLUDED} | {"src/callwright/__init__.py"}
    modules_of_models = {
        value.__module__ for value in vars(params).values() if isinstance(value, type) and issubclass(value, Section)
    }
    models = {f"src/{module.replace('.', '/')}.py" for module in modules_of_models}  # of sections that are not read
    loaded = recordings[stage].modules | recordings[stage].code
    unlisted = loaded - {*STAGES[stage].code} - excluded - models - OF_PARAMS - SECONDS
    unlisted -= EARLY_FILES if stage == "problems" else set()
    assert f"src/callwright/pipeline/{stage}.py" in loaded
    assert {file for file in unlisted if not is_empty_package(file)} == set()


def is_empty_package(file: str) -> bool:
    return file.endswith("__init__.py") and not has_code(ROOT / file)


@pytest.mark.parametrize("stage", STAGES)
def test_little_is_listed_that_was_not_loaded(recordings: dict[str, Recording], stage: str):
    code = {file for file in STAGES[stage].code if file.startswith("src/")}
    never_loaded = sorted(code - recordings[stage].modules - recordings[stage].code)
    print(f"{stage}: {len(code)} files, never loaded: {', '.join(never_loaded) or 'none'}")  # noqa: T201 - shown by pytest -rP
    assert len(never_loaded) <= MAX_NEVER_LOADED + MAX_ONLY_SERVED * (stage == "promote")


@pytest.mark.parametrize("stage", STAGES)
def test_every_file_that_was_read_is_listed_and_every_listed_file_was_read(
    recordings: dict[str, Recording], stage: str
):
    launch_file = "conf/accelerate/${train.accelerate}.yaml"
    listed = {dep.replace(launch_file, "conf/accelerate/cpu.yaml") for dep in STAGES[stage].deps if not is_code(dep)}
    read = recordings[stage].files
    assert [file for file in read if not is_below(file, listed, "/") and not is_below(file, UNLISTED_FILES, "/")] == []
    source = {"${problems.path}"}  # synthetic problems have none
    assert {dep for dep in listed - source if not any(is_below(file, {dep}, "/") for file in read)} == set()


@pytest.mark.parametrize("stage", STAGES)
def test_every_parameter_that_was_read_is_listed_and_every_listed_one_was_read(
    recordings: dict[str, Recording], stage: str
):
    listed, read = {*STAGES[stage].params}, recordings[stage].params
    early = EARLY_PARAMS if stage == "problems" else set()
    unlisted = [key for key in read if not is_below(key, listed | early, ".") and (stage, key) not in UNLISTED_PARAMS]
    assert unlisted == []
    assert [entry for entry in listed if not any(is_below(key, {entry}, ".") for key in read)] == []


def test_sampled_modules_are_listed_for_exactly_the_stages_that_loaded_them(recordings: dict[str, Recording]):
    modules = sorted(set(chain.from_iterable(recording.modules for recording in recordings.values())))
    graph = CodeGraph(ROOT)
    backends = (file for name in BACKENDS.values() for file in graph.resolve(str(name).replace(":", ".")))
    of_backends = {file.relative_to(ROOT).as_posix() for file in graph.reach(backends)}
    listed = [file for file in modules if any(file in stage.code for stage in STAGES.values())]
    for file in random.Random(15).sample(listed, 40):
        loaded_by = {stage for stage, recording in recordings.items() if file in recording.modules}
        listed_by = {name for name, stage in STAGES.items() if file in stage.code}
        if "src/callwright/params/" not in file and file not in SECONDS | OF_PARAMS:  # all processes load these
            assert loaded_by - ({"problems"} if file in EARLY_FILES else set()) <= listed_by, file
            may_not_load = {"promote"}  # it registers what the served model runs
            if file in of_backends:
                may_not_load |= {"rollout", "evaluate"}  # they load those chat backends that params name
            assert listed_by - loaded_by <= may_not_load, file
