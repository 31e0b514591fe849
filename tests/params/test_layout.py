"""params.yaml explains its keys, and `dvc exp run --set-param` changes nothing in it but the line of the parameter."""

import shutil
from collections.abc import Iterator
from difflib import ndiff
from pathlib import Path
from typing import get_args

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml
from pydantic import BaseModel

from callwright.cli.preset import apply_preset
from callwright.params import Params
from tests.working_tree import ROOT

SHIPPED = ROOT / "params.yaml"
PRESETS = ROOT / "conf/presets"


@pytest.fixture
def params(tmp_path: Path) -> Path:
    return Path(shutil.copy(SHIPPED, tmp_path))


def changed_lines(before: str, after: str) -> list[str]:
    return [line for line in ndiff(before.splitlines(), after.splitlines()) if line[:1] in "+-"]


def test_a_dump_by_dvc_is_the_shipped_file(params: Path):
    with modify_yaml(params):
        pass
    assert params.read_bytes() == SHIPPED.read_bytes()


@pytest.mark.parametrize(
    ("override", "removed", "added"),
    [
        ("seed=8", "seed: 7", "seed: 8"),
        ("train.beta=0.2", "  beta: 0.3 # how", "  beta: 0.2 # how"),
        ("train.learning_rate=0.001", "  learning_rate: 5.0e-5", "  learning_rate: 0.001"),
        ("student.revision=main", "  revision: # of the model id", "  revision: main # of the model id"),
        ("evaluate.endpoints.base=null", None, None),
        ("rollout.budget.requests=10", "    requests:", "    requests: 10"),
        (
            "problems.synthetic.entailment.dev=3",
            "    entailment: {train: 108, dev: 27",
            "    entailment: {train: 108, dev: 3",
        ),
        ("train.loss_weights=[1.0,3.0]", "  - 4.0", "  - 3.0"),
    ],
)
def test_set_param_changes_the_line_of_its_parameter_only(
    params: Path, override: str, removed: str | None, added: str | None
):
    apply_overrides(params, [override])
    lines = changed_lines(SHIPPED.read_text(), params.read_text())
    if removed is None or added is None:
        assert lines == []
    else:
        before, after = lines
        assert before.startswith(f"- {removed}")
        assert after.startswith(f"+ {added}")


@pytest.mark.parametrize("preset", sorted(path.stem for path in PRESETS.glob("*.yaml")))
def test_a_dump_by_dvc_keeps_what_a_preset_wrote(params: Path, preset: str):
    apply_preset(preset, params, PRESETS)
    written = params.read_bytes()
    with modify_yaml(params):
        pass
    assert params.read_bytes() == written


def sections(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    yield model
    for field in model.model_fields.values():
        for kind in (field.annotation, *get_args(field.annotation)):
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                yield from sections(kind)


def test_descriptions_of_parameters_are_in_params_yaml_only():
    described = [
        f"{section.__name__}.{name}"
        for section in sections(Params)
        for name, field in section.model_fields.items()
        if field.description is not None
    ]
    assert described == []
