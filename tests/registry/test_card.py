"""The model card says what the metrics say, and leaves out what they do not."""

from copy import deepcopy

import pytest

from callwright.params import Params
from callwright.registry.card import model_card
from callwright.registry.lineage import git_commit, lineage_of
from callwright.registry.register import MAX_DESCRIPTION, shortened
from callwright.storage import write_json
from tests.registry.projects import GAINED, METRICS, ROOT, SURE

PARAMS = Params.load(ROOT / "params.yaml")
PROBLEMS = {"splits": {"train": {"problems": 1200}}}
LINEAGE = {"base model": "maker/small", "base licence": "mit", "problems": "1234.dir"}


def card(**more: object) -> str:
    return model_card(PARAMS, {**deepcopy(METRICS), **more}, PROBLEMS, {"pairs": 930, "steps": 117}, LINEAGE)


def test_the_card_has_every_model_beside_the_student_with_its_interval():
    teacher = {"overall": {**SURE, "value": 0.75, "low": 0.7, "high": 0.8}}
    written = card(accuracy={**METRICS["accuracy"], "teacher": teacher, "champion": {"overall": SURE}})
    assert "| problems | n | base | student | teacher | champion before |" in written
    assert "| overall | 100 | 50.0% (85.0% to 95.0%) | 90.0% (85.0% to 95.0%) | 75.0% (70.0% to 80.0%) |" in written
    assert "| arithmetic | 100 | 50.0% (85.0% to 95.0%) | 90.0% (85.0% to 95.0%) | - | - |" in written


def test_the_card_names_gains_faults_and_what_changed_problems_cost():
    written = card(
        gain_over_champion={"overall": {**GAINED, "value": -0.015}},
        robustness={"student": {"names": {"gap": {"value": 0.025}}, "overall": {"gap": {"value": 0.1}}}},
    )
    assert "- gain over the base: +40.0% (+30.0% to +50.0%), McNemar p = 0.001" in written
    assert "- gain over the champion before: -1.5%" in written
    assert "base to student: wrong_answer 50 to 10" in written
    assert "names +2.5%, overall +10.0%" in written


def test_what_was_not_measured_is_not_mentioned():
    written = card()
    assert "champion before" not in written
    assert "told otherwise" not in written


def test_the_card_says_what_it_was_made_of_and_how_to_use_it():
    written = card()
    assert "930 preference pairs in 117 steps" in written
    assert "train 1,200" in written
    assert "- base licence: `mit`" in written
    for way in ("mlflow.pyfunc.load_model", "mlflow models serve", "vllm serve", "AutoModelForCausalLM"):
        assert way in written


def test_a_card_that_the_database_would_not_take_is_cut_at_a_line():
    cut = shortened("# title\n" + "a line of the card\n" * 400)
    assert len(cut) <= MAX_DESCRIPTION
    assert cut.endswith("a line of the card\n\n(The whole card is README.md among the version's artifacts.)\n")
    assert shortened("short") == "short"


@pytest.mark.parametrize(
    ("readme", "licence"),
    [
        ("---\nlicense: apache-2.0\n---\n# A model", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: research-only\n---\n", "research-only"),
        ("---\nlanguage: en\n---\n", "unknown"),
        ("---\nlicense: [\n---\n", "unknown"),
        ("# A model without metadata", "unknown"),
        (None, "unknown"),
    ],
)
def test_the_licence_of_a_base_is_that_of_its_model_card(readme, licence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "models/base/recipe.json", {"source": "maker/small", "revision": "abc"})
    write_json(tmp_path / "models/student/training.json", {"key": "k"})
    if readme is not None:
        (tmp_path / "models/base/README.md").write_text(readme)
    lineage = lineage_of()
    assert (lineage["base model"], lineage["base revision"]) == ("maker/small", "abc")
    assert (lineage["base licence"], lineage["code licence"]) == (licence, "Apache-2.0")


def test_a_machine_without_git_has_no_commit_to_name(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit() == ""
