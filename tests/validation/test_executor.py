"""Mapping over chunks with real processes, which import the functions of this module."""

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


def describe_run(chunk: int) -> tuple[int, int, tuple[int, ...]]:
    return chunk, os.getpid(), tuple(SETTINGS)


def raise_at_one_chunk(chunk: int) -> int:
    if chunk == MAX_CHUNKS_IN_PROCESS + 1:
        raise DataError(f"chunk {chunk} is bad")
    return chunk


def kill_process_at_one_chunk(chunk: int) -> int:
    if chunk == MAX_CHUNKS_IN_PROCESS + 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return chunk


@pytest.fixture(autouse=True)
def _without_settings():
    SETTINGS.clear()


def test_few_chunks_are_processed_in_this_process():
    results = list(map_chunks(describe_run, range(MAX_CHUNKS_IN_PROCESS), set_up, (1,), workers=2))
    assert results == [(chunk, os.getpid(), (1,)) for chunk in range(MAX_CHUNKS_IN_PROCESS)]


def test_with_one_worker_all_chunks_are_processed_in_this_process():
    assert {pid for _, pid, _ in map_chunks(describe_run, MANY, set_up, (1,), workers=1)} == {os.getpid()}


@pytest.mark.slow
def test_many_chunks_are_processed_by_workers_that_were_set_up_once_and_results_are_in_order():
    results = list(map_chunks(describe_run, MANY, set_up, (1,), workers=2))
    assert [chunk for chunk, _, _ in results] == list(MANY)
    assert os.getpid() not in {pid for _, pid, _ in results}
    assert {settings for _, _, settings in results} == {(1,)}
    assert SETTINGS == []


@pytest.mark.slow
def test_a_stream_is_read_only_as_far_as_the_workers_need():
    chunks_read = []

    def stream():
        for chunk in range(10_000):
            chunks_read.append(chunk)
            yield chunk

    results = map_chunks(describe_run, stream(), set_up, (1,), workers=2)
    assert next(results)[0] == 0
    assert len(chunks_read) < 50
    results.close()


@pytest.mark.slow
def test_an_exception_of_the_function_reaches_the_caller():
    with pytest.raises(DataError, match="chunk 9 is bad"):
        list(map_chunks(raise_at_one_chunk, MANY, set_up, (1,), workers=2))


@pytest.mark.slow
def test_a_killed_worker_gives_a_one_line_error():
    with pytest.raises(DataError, match="was killed, most likely because memory ran out"):
        list(map_chunks(kill_process_at_one_chunk, MANY, set_up, (1,), workers=2))


PARENT = """
import sys, time
sys.path.insert(0, {root!r})
from callwright.validation.executor import map_chunks
from tests.validation.test_executor import set_up, describe_run
if __name__ == "__main__":
    results = map_chunks(describe_run, iter(range(10**9)), set_up, (1,), workers=2)
    print(next(results)[1], flush=True)
    time.sleep(600)
"""


@pytest.mark.slow
def test_workers_end_when_their_parent_is_killed(tmp_path, request):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(root=str(request.config.rootpath)))
    parent = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
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
