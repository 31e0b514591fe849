"""Untrusted text reaches a terminal only escaped: from commands, stages, notes and errors."""

import logging
import subprocess
import sys
from contextlib import redirect_stderr
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from callwright import paths
from callwright.cli.app import app
from callwright.errors import DataError
from callwright.pipeline.logs import log_to_stderr
from callwright.pipeline.stage import Clock, run_stage
from callwright.preferences.forks import pairs_from_forks
from callwright.records import StepFault, Verdict
from callwright.storage.files import write_json
from callwright.storage.jsonl import write
from callwright.tasks import TASKS
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
    """A project whose stored records have hostile text in every field with untrusted text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(SHIPPED.read_text())
    hostile_problem = replace(problem(question=HOSTILE, answer=HOSTILE), id=HOSTILE)
    fault = StepFault("wrong_answer", 0, HOSTILE)
    records = [RIGHT, replace(WRONG, verdict=Verdict("wrong", False, (fault,), 0))]
    write(paths.problems("train"), [hostile_problem])
    write(paths.VALIDATED, records)
    write(paths.PAIRS_TRAIN, pairs_from_forks(records, {hostile_problem.id: hostile_problem}, TASKS, params())[0])
    write_json(paths.REGISTRY, {"decision": "refused", "reasons": [HOSTILE], "model": HOSTILE})
    return tmp_path


def assert_safe(output: str) -> str:
    assert [character for character in output if not character.isprintable() and character != "\n"] == []
    return output


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
def test_a_command_escapes_untrusted_text(command: tuple[str, ...]):
    done = CliRunner().invoke(app, command)
    assert done.exception is None, done.exception
    assert len(assert_safe(done.stdout)) > 20


def test_a_line_break_in_an_id_or_answer_cannot_imitate_a_line_of_output():
    lines = CliRunner().invoke(app, ["show", "wrong"]).stdout.splitlines()
    assert "correct" not in lines
    assert "not correct" in lines


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
def test_an_error_is_one_escaped_line(command: tuple[str, ...]):
    command = tuple(word.replace("\x00", "") for word in command)  # an argument of a program cannot contain it
    done = subprocess.run(
        [sys.executable, "-m", "callwright.cli", *command],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 1, done.stderr
    assert len(assert_safe(done.stderr).splitlines()) == 1
    assert done.stderr.startswith("callwright: ")


def error_lines_of_stage(message: str) -> list[str]:
    def main(_: Clock) -> None:
        raise DataError(message)

    stderr = StringIO()
    with redirect_stderr(stderr), pytest.raises(SystemExit):
        run_stage("validate", main)
    return stderr.getvalue().splitlines()


def test_the_error_of_a_stage_is_one_escaped_line():
    (line,) = error_lines_of_stage(HOSTILE)
    assert line == f"validate: {one_line(HOSTILE)}"
    assert line.isprintable()


def test_a_note_is_one_escaped_line_without_secrets(capsys: pytest.CaptureFixture[str]):
    log_to_stderr()
    log_to_stderr()  # adds no second handler
    logging.getLogger("callwright.training.dpo").warning("a note: %s at http://ann:hunter22@host", HOSTILE)
    assert capsys.readouterr().err == f"a note: {one_line(HOSTILE)} at http://***@host\n"


def test_a_stage_that_waits_for_another_one_says_so(tmp_path: Path):
    with FileLock(tmp_path / ".callwright/stage.lock"):
        script = "from callwright.pipeline.stage import run_stage; run_stage('pairs', lambda clock: None)"
        with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            line = process.stderr.readline()
            process.kill()
    assert line == "pairs: waiting for another stage of this project to end\n"


@settings(derandomize=True, max_examples=300)
@given(st.text(), st.none() | st.integers(1, 50))
def test_one_line_is_one_printable_line_within_its_limit(text: str, limit: int | None):
    line = one_line(text, limit)
    assert line.isprintable()
    assert limit is None or len(line) <= limit
    if text.isprintable() and (limit is None or len(text) <= limit):
        assert line == text
