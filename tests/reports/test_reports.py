"""Report files keep their keys and format, and a file with a bad value gives one line that names it."""

import json
import math
from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.reports.decision import Decision
from callwright.reports.metrics import SCHEMA_VERSION, Interval, Metrics
from callwright.reports.model_files import TrainingFile
from callwright.reports.pairs import PairsReport
from callwright.reports.problems import ProblemsReport
from callwright.reports.quality import Quality
from callwright.reports.report import InvalidReport, Report
from callwright.reports.rollout import RolloutReport
from callwright.reports.seconds import StageSeconds, load_seconds, save_seconds
from callwright.reports.train import TrainReport
from callwright.reports.values import ByName, BySlice
from tests.reports.golden_files import GOLDEN, GONE, dotted, golden, leaf_keys, with_value

FILES: dict[str, type[Report]] = {
    "metrics.json": Metrics,
    "quality.json": Quality,
    "rollout.json": RolloutReport,
    "train.json": TrainReport,
    "problems.json": ProblemsReport,
    "pairs.json": PairsReport,
    "registry.json": Decision,
    "training.json": TrainingFile,
    "seconds.json": StageSeconds,
}


@pytest.mark.parametrize("name", FILES)
def test_a_report_is_written_as_it_was_read(name, tmp_path):
    FILES[name].load(GOLDEN / name).save(tmp_path / name)
    assert (tmp_path / name).read_bytes() == (GOLDEN / name).read_bytes()


def fields(section: type) -> list[str]:
    """The keys that the files may have for the fields of a section."""
    return [field.serialization_alias or name for name, field in section.model_fields.items()]


@pytest.mark.parametrize("name", [name for name, report in FILES.items() if report is not StageSeconds])
def test_a_golden_file_has_every_key_of_its_report(name):
    assert set(fields(FILES[name])) == set(golden(name))


def test_reports_are_read_with_attributes():
    metrics = Metrics.load(GOLDEN / "metrics.json")
    assert metrics.accuracy["teacher"].overall.n == 67
    assert metrics.accuracy.student.overall.value == 0.0
    assert metrics.robustness["base"].overall.gap.value == 0.0
    assert list(metrics.accuracy.base) == ["overall", "arithmetic", "arithmetic/held_out", "entailment"]
    assert Quality.load(GOLDEN / "quality.json").chains.read == 392
    assert RolloutReport.load(GOLDEN / "rollout.json").by_model()["teacher"].cost == 0.0105
    assert ProblemsReport.load(GOLDEN / "problems.json").splits["train"].steps["5"] == 4


def test_a_report_cannot_be_changed():
    metrics = Metrics.load(GOLDEN / "metrics.json")
    with pytest.raises(ValueError, match="frozen"):
        metrics.dropped = 3


BAD = [GONE, None, "0.5", True, [0.5], {"value": 0.5}, math.nan, math.inf, -math.inf, 1e300 * -1]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("bad", BAD, ids=repr)
def test_a_report_with_any_bad_value_is_read_or_the_value_is_named(name, bad):
    """Some values may be missing, and a text may be anything; then the report is read."""
    original = golden(name)
    for key in leaf_keys(original):
        text = json.dumps(with_value(original, key, bad))
        report = FILES[name].parse(text, Path(name))
        if isinstance(report, InvalidReport):
            (error,) = report.errors
            assert error.startswith(f"{dotted(key)} "), error
        else:
            assert report.as_json() is not None


@pytest.mark.parametrize(
    ("name", "key", "bad", "problem"),
    [
        ("metrics.json", ("gain", "overall", "low"), GONE, "is missing or not a number from -1 to 1"),
        ("metrics.json", ("gain", "overall", "low"), math.nan, "is missing or not a number from -1 to 1"),
        ("metrics.json", ("accuracy", "base", "overall", "n"), 1.5, "is missing or not a whole number from 0"),
        ("metrics.json", ("inputs", "training"), "", "is empty"),
        ("metrics.json", ("engine",), "gpu", "should be 'local' or 'endpoint'"),
        ("quality.json", ("chains", "in"), GONE, "is missing"),
        ("quality.json", ("checks", 1, "success"), "yes", "is not true or false"),
        ("quality.json", ("checks",), None, "is not a list"),
        ("quality.json", ("chains",), [], "is not an object"),
        ("rollout.json", ("teacher", "steps"), -1, "is missing or not a whole number from 0"),
        ("train.json", ("loss",), "low", "is not a number"),
        ("problems.json", ("splits", "dev", "steps"), 3, "is not an object"),
        ("registry.json", ("model",), 3, "is not a text"),
        ("registry.json", ("decision",), "Promoted", "should be 'promoted' or 'refused'"),
        ("training.json", ("key",), GONE, "is missing"),
    ],
)  # fmt: skip
def test_one_bad_value_gives_one_line_with_file_key_and_what_to_do(name, key, bad, problem, tmp_path):
    path = tmp_path / name
    path.write_text(json.dumps(with_value(golden(name), key, bad)))
    with pytest.raises(DataError) as error:
        FILES[name].load(path)
    assert str(error.value) == f"{path}: {dotted(key)} {problem}: run dvc repro, which writes the file again"


def test_several_bad_values_are_counted(tmp_path):
    (tmp_path / "metrics.json").write_text("{}")
    with pytest.raises(DataError, match=r"accuracy\.base\.overall\.value is missing .* \(and 14 other values\): run"):
        Metrics.load(tmp_path / "metrics.json")  # 2 x 4 of accuracy, 5 of gain, 2 of valid_calls: 15
    one_more = InvalidReport(tmp_path / "metrics.json", ("a is missing", "b is missing"))
    assert "a is missing (and 1 other value): run" in str(one_more)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "is not JSON"),
        ('{"accuracy": {"base"', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"half": "\\ud800"}', "is not JSON"),
        ("[]", "is not a JSON object"),
        ("\xff", "is not JSON"),
    ],
    ids=["empty", "truncated", "nested", "half a character", "a list", "bytes"],
)
def test_a_broken_file_gives_one_line(name, text, problem, tmp_path):
    path = tmp_path / name
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(DataError) as error:
        FILES[name].load_or_errors(path)
    assert str(error.value).startswith(f"{path} {problem}")
    assert "run dvc repro" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_gives_one_line(tmp_path):
    with pytest.raises(DataError, match=r"metrics\.json is missing: run the stage that writes it \(dvc repro\)$"):
        Metrics.load(tmp_path / "metrics.json")


def test_a_file_of_a_newer_version_is_refused_and_an_older_one_is_read(tmp_path):
    path = tmp_path / "metrics.json"
    newer = with_value(golden("metrics.json"), ("schema_version",), SCHEMA_VERSION + 1)
    path.write_text(json.dumps(with_value(newer, ("accuracy",), "in another way")))
    with pytest.raises(DataError) as error:
        Metrics.load_or_errors(path)
    assert str(error.value) == (
        f"{path} has schema_version 2, and this version of Callwright reads up to 1: "
        "update Callwright, or run dvc repro, which writes the file again"
    )
    path.write_text(json.dumps(with_value(golden("metrics.json"), ("schema_version",), GONE)))
    assert Metrics.load(path) == Metrics.load(GOLDEN / "metrics.json")


def test_a_file_may_have_more_keys_than_this_version_knows(tmp_path):
    path = tmp_path / "train.json"
    path.write_text(json.dumps(golden("train.json") | {"more": 1}))
    assert TrainReport.load(path) == TrainReport.load(GOLDEN / "train.json")


def test_a_number_that_json_lacks_is_not_written_and_the_old_file_stays(tmp_path):
    path = tmp_path / "train.json"
    report = TrainReport.load(GOLDEN / "train.json")
    report.save(path)
    broken = report.model_copy(update={"last": {"grad_norm": math.inf}})
    with pytest.raises(DataError, match=r"train\.json cannot be written: last\.grad_norm is inf, which"):
        broken.save(path)
    assert TrainReport.load(path) == report


def test_values_by_name_keep_their_order_and_are_a_mapping():
    interval = Interval(value=0.5, low=0.25, high=0.75, n=8)
    slices = BySlice[Interval]({"b": interval, "overall": interval, "a": interval})
    assert list(slices) == ["b", "overall", "a"]
    assert slices.overall is slices["overall"] is dict(slices.items())["a"]
    assert (len(slices), slices.get("c"), "c" in slices, bool(ByName[int]({}))) == (3, None, False, False)
    assert list(slices.model_dump()) == ["b", "overall", "a"]


def test_the_seconds_of_all_stages_are_read_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_seconds("train", 10.88)
    save_seconds("base", 1.5)
    assert load_seconds() == {"base": 1.5, "train": 10.88}
    Path("reports/seconds/train.json").write_text('{"train": "long"}')
    with pytest.raises(DataError, match=r"^reports/seconds/train\.json: train is missing or not a number from 0: run"):
        load_seconds()
