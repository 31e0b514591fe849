"""The model card shows the metrics, and omits what was not measured."""

import re
import tempfile
from copy import deepcopy
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.params import Params
from callwright.registry.card import model_card
from callwright.registry.lineage import base_licence, collect_lineage, git_commit
from callwright.registry.register import MAX_DESCRIPTION_CHARS, shorten_card
from callwright.reports.metrics import Metrics
from callwright.reports.problems import ProblemsReport
from callwright.reports.train import TrainReport
from callwright.storage.files import write_json
from callwright.tasks import TASKS
from tests.registry.projects import GAINED, METRICS, PROBLEMS, ROOT, SURE, TRAINING

PARAMS = Params.load(ROOT / "params.yaml")
LINEAGE = {"base model": "maker/small", "base licence": "mit", "problems": "1234.dir"}


def card(**more: object) -> str:
    return card_of(PARAMS, LINEAGE, **more)


def card_of(params: Params, lineage: dict[str, str], **more: object) -> str:
    metrics = Metrics.model_validate({**deepcopy(METRICS), **more})
    return model_card(
        params, TASKS, metrics, ProblemsReport.model_validate(PROBLEMS), TrainReport.model_validate(TRAINING), lineage
    )


def test_the_card_has_every_model_beside_the_student_with_its_interval():
    teacher = {"overall": {**SURE, "value": 0.75, "low": 0.7, "high": 0.8}}
    text = card(accuracy={**METRICS["accuracy"], "teacher": teacher, "champion": {"overall": SURE}})
    assert "| problems | n | base | student | teacher | champion before |" in text
    assert "| overall | 100 | 50.0% (85.0% to 95.0%) | 90.0% (85.0% to 95.0%) | 75.0% (70.0% to 80.0%) |" in text
    assert "| arithmetic | 100 | 50.0% (85.0% to 95.0%) | 90.0% (85.0% to 95.0%) | - | - |" in text


def test_the_card_names_every_source_of_a_mix_with_its_share():
    assert "Problems: synthetic (train 1,200," in card()
    problems = PARAMS.problems.model_copy(update={"mix": {"synthetic": 0.875, "gsm8k": 0.125}})
    assert "Problems: 87.5 % synthetic, 12.5 % gsm8k (train 1,200," in card_of(
        PARAMS.model_copy(update={"problems": problems}), LINEAGE
    )


def changed(gap: float) -> dict[str, object]:
    return {"original": SURE, "changed": SURE, "gap": {"value": gap, "low": 0.0, "high": 0.5}}


def test_the_card_shows_gains_faults_and_the_loss_on_changed_problems():
    text = card(
        gain_over_champion={"overall": {**GAINED, "value": -0.015}},
        robustness={"student": {"names": changed(0.025), "overall": changed(0.1)}},
    )
    assert "- gain over the base: +40.0% (+30.0% to +50.0%), McNemar p = 0.001" in text
    assert "- gain over the champion before: -1.5%" in text
    assert "base to student: wrong_answer 50 to 10" in text
    assert "names +2.5%, overall +10.0%" in text


def test_what_was_not_measured_is_omitted():
    text = card()
    assert "champion before" not in text
    assert "changed problems" not in text


def test_the_card_shows_training_lineage_and_use():
    text = card()
    assert "930 preference pairs in 117 steps" in text
    assert "train 1,200" in text
    assert "- base licence: `mit`" in text
    for command in ("mlflow.pyfunc.load_model", "mlflow models serve", "vllm serve", "AutoModelForCausalLM"):
        assert command in text


def test_the_card_says_that_the_embedded_base_has_read_held_out_families():
    note = "It read problems of every family while it was built, also of those that training held out"
    assert note in card_of(PARAMS, {"base model": "embedded"})
    assert note not in card_of(PARAMS, {"base model": "maker/small"})


def test_a_card_that_is_too_long_for_the_database_is_cut_at_a_line():
    shortened = shorten_card("# title\n" + "a line of the card\n" * 400)
    assert len(shortened) <= MAX_DESCRIPTION_CHARS
    assert shortened.endswith("a line of the card\n\n(The whole card is README.md among the version's artifacts.)\n")
    assert shorten_card("short") == "short"


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
def test_the_licence_of_a_base_comes_from_its_model_card(readme, licence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_json(tmp_path / "models/base/recipe.json", {"source": "maker/small", "revision": "abc"})
    write_json(tmp_path / "models/student/training.json", {"key": "k"})
    if readme is not None:
        (tmp_path / "models/base/README.md").write_text(readme)
    lineage = collect_lineage()
    assert (lineage["base model"], lineage["base revision"]) == ("maker/small", "abc")
    assert (lineage["base licence"], lineage["code licence"]) == (licence, "Apache-2.0")


BOMB = "\n".join(["a: &a [x, x, x, x, x, x, x, x, x]"]
                 + [f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdefghijkl")])  # fmt: skip


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        (f"{BOMB}\nlicense: *l", "unknown"),
        (f"{BOMB}\nlicense: mit", "mit"),
        ("license: &x mit\nlicense_name: *x", "mit"),
        ("? *nothing\n: 1\nlicense: mit", "mit"),
        ('license: "mit\\n\\n# Champion\\n\\n<script>alert(1)</script>"', "mit # Champion <script>alert(1)</script>"),
        ('license: "\\e[31mred\\u202e"', r"\x1b[31mred\u202e"),
        ("license: !!python/object/apply:os.system [ls]", "unknown"),
        ("license: {license: mit}", "unknown"),
        ("license: [mit, apache-2.0]", "unknown"),
        (f"license: {'[' * 20_000}", "unknown"),
        (f"license: {'x' * 50_000}", f"{'x' * 99}…"),
        ("license: other", "other"),
        ('license: "\\n\\n"', "unknown"),
        ('license: " "\nlicense_name: mit', "mit"),
        ("just a text", "unknown"),
        ("license: mit\nlicense: gpl", "gpl"),
    ],
    ids=lambda text: text[:40],
)
def test_the_licence_of_any_readme_is_one_short_line(metadata: str, licence: str, tmp_path: Path):
    (tmp_path / "README.md").write_text(f"---\n{metadata}\n---\n# A model")
    assert base_licence(tmp_path / "README.md") == licence


@settings(max_examples=150, derandomize=True)
@given(st.text(max_size=200) | st.text("license:*&!|>-[]{}\n \"'#,?", max_size=60))
def test_the_licence_of_random_metadata_is_one_short_line(text: str):
    with tempfile.TemporaryDirectory() as folder:
        readme = Path(folder, "README.md")
        readme.write_bytes(f"---\nlicense: {text}\n---\n".encode("utf-8", "surrogatepass"))
        licence = base_licence(readme)
    assert licence.isprintable()
    assert 1 <= len(licence) <= 100


def test_untrusted_text_is_not_markup_on_the_card():
    hostile = "`x` </code>\n\n# Champion\n<script>alert(1)</script>"
    params = PARAMS.model_copy(update={"teacher": PARAMS.teacher.model_copy(update={"model": hostile})})
    lineage = {"base model": hostile, "base licence": hostile, "base revision": "x" * 10_000}
    text = card_of(params, lineage)
    plain = re.sub(r"`[^`\n]*`", "", text.partition("```")[0])
    assert "script" not in plain
    assert "# Champion" not in [line.strip() for line in text.splitlines()]
    assert text.count("<script>") == 4, "the base twice, its licence, the teacher: each in a code span"
    assert max(map(len, text.splitlines())) < 2_000


def test_without_git_the_commit_is_empty(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_commit() == ""
