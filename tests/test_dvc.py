"""What dvc.yaml names exists. That it is complete is checked in tests/pipeline and in tests/stages."""

import re
from collections.abc import Iterator
from itertools import product

import pytest
from ruamel.yaml import YAML

from tests.working_tree import ROOT

PIPELINE = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())
PARAMS = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
STAGES = PIPELINE["stages"]
PLACEHOLDER = re.compile(r"\$\{([\w.]+)\}")
# Parameters that name one of several files of the project: every value that a user may set.
CHOICES = {"train.accelerate": sorted(path.stem for path in (ROOT / "conf/accelerate").glob("*.yaml"))}


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
