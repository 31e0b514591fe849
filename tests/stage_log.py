"""Wait for what a stage shows of its progress."""

import time

import pytest

MOST_SECONDS = 60


def wait_for(stage_log: pytest.LogCaptureFixture, start: str) -> str:
    """The first line that starts like this, as soon as there is one."""
    deadline = time.monotonic() + MOST_SECONDS
    while not (lines := [line for line in stage_log.messages if line.startswith(start)]):
        assert time.monotonic() < deadline, stage_log.messages
        time.sleep(0.01)
    return lines[0]
