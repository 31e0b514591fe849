"""Real processes; the functions they run stand at the top of this module, where another process finds them."""

import os
import signal
import subprocess
import sys
import time

import pytest

from callwright.errors import DataError
from callwright.validation.executor import MAX_CHUNKS_IN_PROCESS, map_chunks

MANY = range(MAX_CHUNKS_IN_PROCESS * 3)
SETTINGS: list[int] = []


def set_up(value: int) -> None:
    SETTINGS.append(value)


def where(chunk: int) -> tuple[int, int, tuple[int, ...]]:
    return chunk, os.getpid(), tuple(SETTINGS)


def refuse(chunk: int) -> int:
    if chunk == MAX_CHUNKS_IN_PROCESS + 1:
        raise DataError(f"chunk {chunk} is bad")
    return chunk


def end(chunk: int) -> int:
    if chunk == MAX_CHUNKS_IN_PROCESS + 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return chunk


@pytest.fixture(autouse=True)
def _without_settings():
    SETTINGS.clear()


def test_few_chunks_are_worked_on_here():
    results = list(map_chunks(where, range(MAX_CHUNKS_IN_PROCESS), set_up, (1,), workers=2))
    assert results == [(chunk, os.getpid(), (1,)) for chunk in range(MAX_CHUNKS_IN_PROCESS)]


def test_one_worker_is_this_process_however_many_chunks_there_are():
    assert {pid for _, pid, _ in map_chunks(where, MANY, set_up, (1,), workers=1)} == {os.getpid()}


@pytest.mark.slow
def test_many_chunks_are_worked_on_by_processes_that_were_set_up_once_and_come_back_in_order():
    results = list(map_chunks(where, MANY, set_up, (1,), workers=2))
    assert [chunk for chunk, _, _ in results] == list(MANY)
    assert os.getpid() not in {pid for _, pid, _ in results}
    assert {settings for _, _, settings in results} == {(1,)}
    assert SETTINGS == []


@pytest.mark.slow
def test_a_stream_is_read_no_further_than_there_are_processes_to_work_on_it():
    taken = []

    def stream():
        for chunk in range(10_000):
            taken.append(chunk)
            yield chunk

    results = map_chunks(where, stream(), set_up, (1,), workers=2)
    assert next(results)[0] == 0
    assert len(taken) < 50
    results.close()


@pytest.mark.slow
def test_what_a_function_raises_comes_out():
    with pytest.raises(DataError, match="chunk 9 is bad"):
        list(map_chunks(refuse, MANY, set_up, (1,), workers=2))


@pytest.mark.slow
def test_a_process_that_was_ended_is_one_line():
    with pytest.raises(DataError, match="ended from outside, most likely for lack of memory"):
        list(map_chunks(end, MANY, set_up, (1,), workers=2))


OWNER = """
import sys, time
sys.path.insert(0, {root!r})
from callwright.validation.executor import map_chunks
from tests.validation.test_executor import set_up, where
if __name__ == "__main__":
    results = map_chunks(where, iter(range(10**9)), set_up, (1,), workers=2)
    print(next(results)[1], flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
def test_processes_end_with_a_killed_owner(tmp_path, request):
    script = tmp_path / "owner.py"
    script.write_text(OWNER.format(root=str(request.config.rootpath)))
    owner = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    worker = int(owner.stdout.readline())
    owner.kill()
    owner.wait()
    deadline = time.monotonic() + 60
    while _runs(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(worker)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
