"""Nothing from outside reaches a terminal raw: not by a command, not by a stage, not by an error."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from callwright import paths
from callwright.cli.app import app
from callwright.errors import DataError
from callwright.pipeline.stage import Clock, run_stage
from callwright.preferences.forks import pairs_from_forks
from callwright.records import StepFault, Verdict
from callwright.storage.files import write_json
from callwright.storage.jsonl import write
from callwright.text import one_line
from tests.fakes import checked, problem
from tests.preferences.test_forks import params
from tests.working_tree import ROOT

SHIPPED = ROOT / "params.yaml"
HOSTILE = "id \x1b[2J\x1b]0;title\x07 \u202egnp\x9b31m \x00 <b>\ncorrect"
RIGHT = checked("add(2, 3)", "answer(5)", correct=True, id=HOSTILE, problem_id=HOSTILE, model=HOSTILE)
WRONG = checked(f"so {HOSTILE}", f"answer('{HOSTILE}')", correct=False, id="wrong", problem_id=HOSTILE, model="base")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stored records are hostile wherever a text from outside may stand."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(SHIPPED.read_text())
    asked = replace(problem(question=HOSTILE, answer=HOSTILE), id=HOSTILE)
    fault = StepFault("wrong_answer", 0, HOSTILE)
    records = [RIGHT, replace(WRONG, verdict=Verdict("wrong", False, (fault,), 0))]
    write(paths.problems("train"), [asked])
    write(paths.VALIDATED, records)
    write(paths.PAIRS_TRAIN, pairs_from_forks(records, {asked.id: asked}, params())[0])
    write_json(paths.REGISTRY, {"decision": "refused", "reasons": [HOSTILE], "model": HOSTILE})
    return tmp_path


def safe(said: str) -> str:
    assert [one for one in said if not one.isprintable() and one != "\n"] == []
    return said


@pytest.mark.parametrize(
    "command",
    [
        ("show", HOSTILE),
        ("show", "wrong"),
        ("show", "--problem", HOSTILE),
        ("show", "--pair", f"{HOSTILE}#0"),
        ("promote",),
        ("functions", "arithmetic"),
    ],
    ids=lambda command: ascii(" ".join(command))[:30],
)
def test_a_command_shows_what_it_was_given_as_escapes(command: tuple[str, ...]):
    done = CliRunner().invoke(app, command)
    assert done.exception is None, done.exception
    assert len(safe(done.stdout)) > 20


def test_a_line_break_in_an_id_or_answer_cannot_pass_for_a_line_of_ours():
    said = CliRunner().invoke(app, ["show", "wrong"]).stdout.splitlines()
    assert "correct" not in said
    assert "not correct" in said


@pytest.mark.parametrize(
    "command",
    [
        ("show", f"no {HOSTILE}"),
        ("show", "--problem", f"no {HOSTILE}"),
        ("show", "--pair", f"no {HOSTILE}"),
        ("functions", HOSTILE),
        ("ask", "How many?", "--task", HOSTILE),
        ("ask", "How many?", "--task", "arithmetic", "--model", HOSTILE),
        ("promote", "--require"),
    ],
    ids=lambda command: ascii(" ".join(command))[:30],
)
def test_an_error_is_one_line_of_escapes(command: tuple[str, ...]):
    command = tuple(word.replace("\x00", "") for word in command)  # no program can be given that
    done = subprocess.run(
        [sys.executable, "-m", "callwright.cli", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert len(safe(done.stderr).splitlines()) == 1
    assert done.stderr.startswith("callwright: ")


def stage_that_fails(message: str) -> Iterator[str]:
    def main(_: Clock) -> None:
        raise DataError(message)

    said = StringIO()
    with redirect_stderr(said), pytest.raises(SystemExit):
        run_stage("validate", main)
    yield from said.getvalue().splitlines()


def test_the_error_of_a_stage_is_one_line_of_escapes():
    (line,) = stage_that_fails(HOSTILE)
    assert line == f"validate: {one_line(HOSTILE)}"
    assert line.isprintable()


@settings(derandomize=True, max_examples=300)
@given(st.text(), st.none() | st.integers(1, 50))
def test_one_line_is_one_printable_line_within_its_limit(text: str, limit: int | None):
    shown = one_line(text, limit)
    assert shown.isprintable()
    assert limit is None or len(shown) <= limit
    if text.isprintable() and (limit is None or len(text) <= limit):
        assert shown == text
