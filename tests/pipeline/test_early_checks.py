"""Values of later stages are refused before the first stage works."""

import pytest

from callwright.errors import ParamsError
from callwright.params import EndpointParams, EndpointsParams, Params
from callwright.pipeline.early_checks import check_later_stages
from tests.fakes import teacher
from tests.working_tree import ROOT

PARAMS = Params.load(ROOT / "params.yaml")


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def with_base_at(base_url: str, engine: str) -> Params:
    endpoint = EndpointParams(base_url=base_url, model="m", api_key_env="KEY")
    endpoints = EndpointsParams(base=endpoint, student=None)
    return PARAMS.model_copy(
        update={"evaluate": PARAMS.evaluate.model_copy(update={"engine": engine, "endpoints": endpoints})}
    )


@pytest.mark.parametrize(
    ("params", "line"),
    [
        (
            PARAMS.model_copy(update={"teacher": teacher(base_url="orcale")}),
            r"teacher\.base_url: orcale is not a model \(",
        ),
        (PARAMS.model_copy(update={"teacher": teacher(base_url="htp://h/v1")}), r".* \(did you mean http://\?\)"),
        (
            with_base_at("modles:/m@champion", "endpoint"),
            r"evaluate\.endpoints\.base\.base_url: .*models:/\?",
        ),
        (
            PARAMS.model_copy(update={"train": PARAMS.train.model_copy(update={"accelerate": "one-gpuu"})}),
            r"params\.yaml: train\.accelerate: there is no conf/accelerate/one-gpuu\.yaml \(",
        ),
    ],
)
def test_a_misspelt_value_of_a_later_stage_gives_one_line(params: Params, line: str):
    with pytest.raises(ParamsError, match=f"^{line}"):
        check_later_stages(params)


def test_what_is_not_used_or_is_right_passes():
    check_later_stages(PARAMS)
    check_later_stages(with_base_at("modles:/m@champion", "local"))
    check_later_stages(PARAMS.model_copy(update={"teacher": teacher(base_url="folder:models/not-yet")}))
