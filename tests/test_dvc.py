"""dvc.yaml lists what each stage really depends on."""

import re
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import grimp
import pytest
from ruamel.yaml import YAML

from tests.working_tree import ROOT

PIPELINE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())
PARAMS = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
STAGES = PIPELINE["stages"]
GRAPH = grimp.build_graph("callwright")
# Not listed as dependencies: their effect on a result shows in the parameters and files themselves.
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
    "callwright.text",  # error lines; stages that write pages with it list it all the same
}
PLACEHOLDER = re.compile(r"\$\{([\w.]+)\}")
# Parameters that name one of several files of the project: every value that a user may set.
CHOICES = {"train.accelerate": sorted(path.stem for path in (ROOT / "conf/accelerate").glob("*.yaml"))}


def reached_modules(stage: str) -> set[str]:
    """Modules of Callwright that a stage's script imports, directly or indirectly."""
    script = (ROOT / f"stages/{stage}.py").read_text()
    direct = {name for name in GRAPH.modules if f"from {name} import" in script}
    for name in GRAPH.modules:  # `from callwright.training import dpo, tracking`
        parent, _, leaf = name.rpartition(".")
        direct |= {name for line in script.splitlines() if line.startswith(f"from {parent} import ") and leaf in line}
    return direct.union(*(GRAPH.find_upstream_modules(name) for name in direct))


def is_listed(module: str, deps: list[str]) -> bool:
    path = Path("src", *module.split("."))
    return any(path.is_relative_to(dep.removesuffix(".py")) or path == Path(dep.removesuffix(".py")) for dep in deps)


def param_value(name: str) -> str:
    value = PARAMS
    for key in name.split("."):
        value = value[key]
    return str(value)


def resolved_paths(dep: str) -> Iterator[str]:
    """The paths that a dependency may name: placeholders with the values of params.yaml and of CHOICES."""
    names = sorted(set(PLACEHOLDER.findall(dep)))
    for values in product(*(dict.fromkeys([param_value(name), *CHOICES.get(name, ())]) for name in names)):
        value_by_name = dict(zip(names, values, strict=True))
        yield PLACEHOLDER.sub(lambda match: value_by_name[match[1]], dep)  # noqa: B023 - called at once


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_depends_on_its_script_and_on_all_code_that_it_imports(stage: str):
    deps = STAGES[stage]["deps"]
    assert f"stages/{stage}.py" in deps
    assert "requirements.lock" in deps  # versions of libraries, which no import shows
    plumbing = PLUMBING.union(*(GRAPH.find_descendants(name) for name in PLUMBING - {"callwright"}))
    packages = {name for name in GRAPH.modules if GRAPH.find_children(name)}
    missing = sorted(name for name in reached_modules(stage) - plumbing - packages if not is_listed(name, deps))
    assert missing == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_dependency_exists_or_is_an_output(stage: str):
    listed = [out for other in STAGES.values() for kind in ("outs", "metrics") for out in other.get(kind, [])]
    outs = {name for out in listed for name in (out if isinstance(out, dict) else [out])}
    paths = [path for dep in STAGES[stage]["deps"] for path in resolved_paths(dep)]
    assert [path for path in paths if path not in outs and not (ROOT / path).exists()] == []


def test_a_placeholder_resolves_to_the_value_of_params_yaml_and_to_every_choice():
    assert list(resolved_paths("src/callwright")) == ["src/callwright"]
    assert list(resolved_paths("${problems.path}")) == [PARAMS["problems"]["path"]]
    launch_files = set(resolved_paths("conf/accelerate/${train.accelerate}.yaml"))
    assert launch_files == {f"conf/accelerate/{name}.yaml" for name in CHOICES["train.accelerate"]}
    with pytest.raises(KeyError):
        list(resolved_paths("${train.nothing}"))


def test_every_parameter_in_a_command_exists():
    commands = [stage["cmd"] for stage in STAGES.values()]
    names = {name for command in commands for name in PLACEHOLDER.findall(command)}
    assert names == {"train.accelerate", "train.processes"}
    assert all(param_value(name) for name in names)
