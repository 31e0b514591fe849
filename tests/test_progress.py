import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from callwright.progress import Progress, show_progress, track, work
from tests.stage_log import wait_for

# A stage that lasts until its work was shown a number of times.
STAGE = """
import sys, time
import rich.console, rich.progress
from callwright import progress
from callwright.pipeline.logs import log_to_stderr

shown = 0

def status():
    global shown
    shown += 1
    return "loss 0.5"

log_to_stderr()
progress.FIRST_S, progress.LINE_EVERY_S, progress.BAR_EVERY_S = float(sys.argv[2]), 0.05, 0.05
with progress.show_progress("train"):
    with progress.work(sys.argv[1], 10, "steps", done=4, status=status) as steps:
        steps.advance(3)
        print("a result", flush=True)
        end = time.monotonic() + float(sys.argv[4] if len(sys.argv) > 4 else 60)
        while shown < int(sys.argv[3]) and time.monotonic() < end:
            time.sleep(0.01)
"""
SHOWN = re.compile(r"7 of 10 steps, (?:loss 0\.5, \d+ s left|\d+ s left, loss 0\.5)")  # the second on a terminal


class Clock:
    """Seconds that only the test changes."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def run_stage(name: str = "warm-up", first_s: float = 0.0, times: int = 2) -> subprocess.CompletedProcess[str]:
    """Stdout and stderr are pipes."""
    command = [sys.executable, "-c", STAGE, name, str(first_s), str(times)]
    return subprocess.run(command, capture_output=True, text=True, check=True)


def run_on_a_terminal(
    name: str = "warm-up", first_s: float = 0.0, times: int = 2, term: str = "xterm", columns: int = 160
) -> tuple[str, str]:
    """What a stage writes to a terminal, which is its stderr, and to the pipe that is its stdout."""
    controller, terminal = pty.openpty()
    environment = os.environ | {"COLUMNS": str(columns), "TERM": term}
    command = [sys.executable, "-c", STAGE, name, str(first_s), str(times)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, text=True, env=environment, check=True)
    os.set_blocking(controller, False)
    try:
        output = os.read(controller, 100_000).decode()
    except BlockingIOError:  # nothing was written
        output = ""
    os.close(terminal)
    os.close(controller)
    return output, done.stdout


def test_the_time_left_is_estimated_from_what_this_run_did():
    clock = Clock()
    progress = Progress("student", 10, "attempts", done=4, clock=clock)
    progress.advance(3)
    clock.now = 60.0
    assert progress.text() == "7 of 10 attempts, 1 min left"  # 3 in 60 s, so 20 s for each of the last 3


def test_before_anything_is_done_the_time_so_far_is_shown():
    clock = Clock()
    progress = Progress("student", 10, "attempts", done=4, clock=clock)
    clock.now = 12.0
    assert progress.text() == "4 of 10 attempts, 12 s so far"


def test_work_of_unknown_size_shows_the_time_so_far():
    clock = Clock()
    progress = Progress("register the student", clock=clock)
    clock.now = 90.0
    assert progress.text() == "2 min so far"


def test_when_the_size_becomes_known_the_time_is_measured_anew():
    clock = Clock()
    progress = Progress("preferences", unit="steps", clock=clock)
    clock.now = 100.0  # loading, which says nothing about the steps
    progress.start(50, done=10)
    clock.now = 110.0
    progress.done = 30
    assert progress.text() == "30 of 50 steps, 10 s left"  # 20 steps in 10 s


def test_measured_work_needs_no_counting():
    clock, megabytes = Clock(), iter([30, 90])
    progress = Progress("download", 120, "MB", measure=lambda: next(megabytes), clock=clock)
    clock.now = 10.0
    assert progress.text() == "30 of 120 MB, 30 s left"
    assert progress.text() == "90 of 120 MB, 3 s left"


@pytest.fixture(autouse=True)
def progress_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other tests turn it off."""
    monkeypatch.delenv("CALLWRIGHT_PROGRESS", raising=False)


def test_a_stage_without_named_work_shows_how_long_it_takes(stage_log: pytest.LogCaptureFixture):
    with show_progress("train"):
        wait_for(stage_log, "train: 0 s so far")


def test_items_are_counted_by_their_size_when_they_are_done(stage_log: pytest.LogCaptureFixture):
    with show_progress("validate"):
        items = track([(1, 2), (3, 4, 5)], "replay", 5, "chains", size=len)
        next(items)
        wait_for(stage_log, "validate: replay: 0 of 5 chains")
        next(items)
        wait_for(stage_log, "validate: replay: 2 of 5 chains")
        assert list(items) == []


def test_in_a_pipe_lines_say_how_far_a_stage_is():
    done = run_stage()
    lines = [line for line in done.stderr.splitlines() if line.startswith("train: warm-up: ")]
    assert len(lines) >= 2
    assert all(SHOWN.search(line) for line in lines)
    assert done.stdout == "a result\n"


def test_on_a_terminal_a_bar_shows_how_far_a_stage_is_and_results_go_to_stdout():
    output, stdout = run_on_a_terminal()
    assert "━" in output
    assert "train: warm-up" in output
    assert SHOWN.search(output)
    assert stdout == "a result\n"


def test_a_narrow_terminal_shows_the_name_and_the_time_left():
    output, _ = run_on_a_terminal("student, functions", columns=60)
    assert "train: student, functions" in output
    assert "7 of 10 steps, 0 s left" in output
    assert "loss 0.5" not in output  # 26 + 25 + 9 characters, and the spaces between


@pytest.mark.parametrize("term", ["dumb", "unknown"])
def test_a_terminal_that_cannot_move_its_cursor_gets_lines(term: str):
    output, _ = run_on_a_terminal(term=term)
    assert "━" not in output
    assert SHOWN.search(output)


def test_a_short_stage_shows_nothing():
    assert run_stage(first_s=60.0, times=0).stderr == ""
    assert run_on_a_terminal(first_s=60.0, times=0)[0] == ""


def test_markup_and_control_characters_in_a_name_are_escaped():
    output, _ = run_on_a_terminal("maker/small[/b]\x1b]0;title\x07")
    assert "maker/small[/b]\\x1b]0;title\\x07" in output


def test_without_a_stage_nothing_is_shown(capfd: pytest.CaptureFixture[str]):
    with work("warm-up", 10, "steps") as progress:
        progress.advance()
    assert progress.done == 1
    assert capfd.readouterr() == ("", "")


def test_a_closed_stderr_does_not_end_a_stage(tmp_path: Path):
    out = tmp_path / "out"
    command = f"{sys.executable} -c '{STAGE}' warm-up 0.0 1 0.3 > {out} 2>&-"
    assert subprocess.run(["bash", "-c", command], check=False).returncode == 0
    assert out.read_text() == "a result\n"
