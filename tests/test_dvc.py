"""dvc.yaml says what each stage really depends on."""

from pathlib import Path

import grimp
import pytest
from ruamel.yaml import YAML

from tests.working_tree import ROOT

PIPELINE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())
STAGES = PIPELINE["stages"]
GRAPH = grimp.build_graph("callwright")
# Plumbing: what it does to a result is seen in the parameters and files themselves.
PLUMBING = {
    "callwright",
    "callwright.params",
    "callwright.paths",
    "callwright.pipeline.logs",
    "callwright.pipeline.stage",
    "callwright.storage",
    "callwright.errors",
    "callwright.surprises",
    "callwright.redaction",
    "callwright.text",  # of error lines; stages whose pages it shapes name it all the same
}


def reached(stage: str) -> set[str]:
    """Modules of ours that a stage's script imports, directly or not."""
    script = (ROOT / f"stages/{stage}.py").read_text()
    direct = {name for name in GRAPH.modules if f"from {name} import" in script}
    for name in GRAPH.modules:  # `from callwright.training import dpo, tracking`
        parent, _, leaf = name.rpartition(".")
        direct |= {name for line in script.splitlines() if line.startswith(f"from {parent} import ") and leaf in line}
    return direct.union(*(GRAPH.find_upstream_modules(name) for name in direct))


def covered(module: str, deps: list[str]) -> bool:
    path = Path("src", *module.split("."))
    return any(path.is_relative_to(dep.removesuffix(".py")) or path == Path(dep.removesuffix(".py")) for dep in deps)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_script_and_on_all_code_it_reaches(stage: str):
    deps = STAGES[stage]["deps"]
    assert f"stages/{stage}.py" in deps
    assert "requirements.lock" in deps  # versions of libraries, which no import shows
    plumbing = PLUMBING.union(*(GRAPH.find_descendants(name) for name in PLUMBING - {"callwright"}))
    packages = {name for name in GRAPH.modules if GRAPH.find_children(name)}
    missing = sorted(name for name in reached(stage) - plumbing - packages if not covered(name, deps))
    assert missing == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_dependency_exists_or_is_an_output(stage: str):
    listed = [out for one in STAGES.values() for kind in ("outs", "metrics") for out in one.get(kind, [])]
    outs = {name for out in listed for name in (out if isinstance(out, dict) else [out])}
    for dep in STAGES[stage]["deps"]:
        assert "${" in dep or dep in outs or (ROOT / dep).exists(), dep
