"""Mapping over shards with real processes, which import the functions of this module."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from functools import partial

import pytest

from callwright.errors import CallError, DataError
from callwright.execution import processes
from callwright.execution.map_shards import LOCAL_S, map_shards
from callwright.execution.processes import IN_FLIGHT_PER_WORKER
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.tasks.tasks import Tasks

MANY = range(24)
BAD = 5  # the shard at which something happens
in_two_processes = partial(map_shards, workers=2, local_s=0)
SETUPS: list[str] = []


def set_up(setting: str) -> tuple[int, list[str]]:
    SETUPS.append(setting)
    return os.getpid(), list(SETUPS)


def describe_run(context: tuple[int, list[str]], shard: int) -> tuple[int, int, tuple[int, list[str]]]:
    return shard, os.getpid(), context


def square(shard: int) -> int:
    return shard * shard


def take_long(shard: int) -> int:
    time.sleep(60 if shard == BAD else 0)
    return os.getpid()


def leave_a_thread(_: int) -> int:
    threading.Thread(target=time.sleep, args=(40,)).start()
    return os.getpid()


def print_shard(shard: int) -> int:
    sys.stdout.write(f"worked {shard}\n")
    return shard


def take_half_of_the_local_time(_: int) -> int:
    time.sleep(LOCAL_S / 2)
    return os.getpid()


def raise_data_error(shard: int) -> int:
    if shard == BAD:
        raise DataError(f"shard {shard} is bad")
    return shard


def raise_call_error(shard: int) -> int:
    if shard == BAD:
        raise CallError("syntax", f"shard {shard} has no call")  # two arguments, of which pickle keeps one
    return shard


def kill_process(shard: int) -> int:
    if shard == BAD:
        os.kill(os.getpid(), signal.SIGKILL)
    return shard


def fail_to_set_up() -> int:
    raise DataError("there is no module of that name")


def return_unpicklable(shard: int) -> object:
    return (lambda: shard) if shard == BAD else shard


class CannotBeRead:
    """A shard or a result that a process can send and no other can read."""

    def __reduce__(self) -> tuple[object, ...]:
        return raise_data_error, (BAD,)


def return_unreadable(shard: int) -> object:
    return CannotBeRead() if shard == BAD else shard


def threads_of_libraries(_: int) -> str | None:
    return os.environ.get("OPENBLAS_NUM_THREADS")


def names_of_tasks(tasks: Tasks, shard: int) -> tuple[int, list[str]]:
    return os.getpid(), list(tasks)


BY_HAND = partial(names_of_tasks, Tasks([ARITHMETIC]))


@pytest.fixture(autouse=True)
def _without_setups():
    SETUPS.clear()


def test_the_local_backend_runs_in_this_process_and_sets_up_once():
    results = list(map_shards(describe_run, MANY, setup=partial(set_up, "x"), backend="local", workers=2))
    assert results == [(shard, os.getpid(), (os.getpid(), ["x"])) for shard in MANY]


def test_an_unknown_backend_is_an_error_that_names_the_known_ones():
    message = r"^map_shards: 'ray' is not a backend; the backends are local, processes$"
    with pytest.raises(ValueError, match=message):
        list(map_shards(square, MANY, backend="ray"))


def test_work_that_no_other_process_can_load_is_refused_before_the_first_shard_is_read():
    shards = iter(MANY)
    with pytest.raises(TypeError, match=r"^these tasks were put together in this process, so no other process can"):
        next(map_shards(BY_HAND, shards, workers=2))
    assert list(shards) == list(MANY)


def test_work_that_no_other_process_can_load_stays_here_unless_workers_were_asked_for(monkeypatch):
    monkeypatch.setattr("callwright.execution.map_shards.available_cores", lambda: 2)
    assert list(map_shards(BY_HAND, MANY, local_s=0)) == [(os.getpid(), ["arithmetic"])] * len(MANY)


def test_little_work_is_done_in_this_process():
    results = list(map_shards(describe_run, MANY, setup=partial(set_up, "x"), workers=2))
    assert results == [(shard, os.getpid(), (os.getpid(), ["x"])) for shard in MANY]


@pytest.mark.slow
def test_workers_start_when_work_is_left_after_the_time_for_local_work():
    pids = list(map_shards(take_half_of_the_local_time, range(6), workers=2))
    assert pids[:2] == [os.getpid()] * 2
    assert os.getpid() not in pids[2:]


def test_no_worker_starts_when_no_work_is_left():
    assert list(map_shards(take_half_of_the_local_time, range(2), workers=2)) == [os.getpid()] * 2


def test_with_one_worker_all_shards_run_in_this_process():
    assert {pid for _, pid, _ in map_shards(describe_run, MANY, setup=partial(set_up, "x"), workers=1)} == {os.getpid()}


def test_the_local_backend_reads_a_shard_when_its_result_is_wanted():
    shards_read = []
    results = map_shards(square, (shards_read.append(shard) or shard for shard in MANY), backend="local")
    assert (next(results), next(results), shards_read) == (0, 1, [0, 1])


@pytest.mark.slow
def test_many_shards_run_in_workers_that_are_set_up_once_and_results_are_in_order():
    results = list(in_two_processes(describe_run, MANY, setup=partial(set_up, "x")))
    assert [shard for shard, _, _ in results] == list(MANY)
    assert os.getpid() not in {pid for _, pid, _ in results}
    assert all(context == (pid, ["x"]) for _, pid, context in results)
    assert SETUPS == []


@pytest.mark.slow
def test_a_function_without_setup_gets_the_shard_alone():
    assert list(in_two_processes(square, MANY)) == [shard * shard for shard in MANY]


@pytest.mark.slow
def test_a_stream_is_read_only_as_far_as_the_workers_need():
    shards_read = []
    results = in_two_processes(square, (shards_read.append(shard) or shard for shard in range(10_000)))
    for wanted in range(20):
        assert next(results) == wanted * wanted
        assert len(shards_read) <= wanted + 2 * IN_FLIGHT_PER_WORKER
    results.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "error", "message"),
    [
        (raise_data_error, DataError, r"^shard 5 is bad$"),
        (raise_call_error, RuntimeError, r"^CallError: shard 5 has no call"),
        (kill_process, DataError, r"^a worker process was killed, most likely because memory ran out; run again with"),
        (return_unpicklable, Exception, "pickle"),
        (return_unreadable, DataError, r"^shard 5 is bad$"),
    ],
)
def test_a_shard_that_fails_ends_the_map_with_its_error(function, error, message):
    results = in_two_processes(function, MANY)
    with pytest.raises(error, match=message) as raised:
        list(results)
    assert type(raised.value) is error or error is Exception


@pytest.mark.slow
def test_an_error_of_setup_reaches_the_caller():
    with pytest.raises(DataError, match=r"^there is no module of that name$"):
        list(in_two_processes(describe_run, MANY, setup=fail_to_set_up))


@pytest.mark.slow
def test_a_shard_that_cannot_be_read_in_a_worker_is_an_error_of_that_shard():
    with pytest.raises(DataError, match=r"^shard 5 is bad$"):
        list(in_two_processes(return_unreadable, [*range(BAD), CannotBeRead()]))


def test_an_unreadable_shard_is_unreadable_only_after_pickling():
    with pytest.raises(DataError):
        pickle.loads(pickle.dumps(CannotBeRead()))


@pytest.mark.slow
def test_workers_use_one_thread_for_each_library(monkeypatch):
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert set(in_two_processes(threads_of_libraries, MANY)) == {"1"}
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "3")  # the user's choice
    assert set(in_two_processes(threads_of_libraries, MANY)) == {"3"}


@pytest.mark.slow
def test_closing_the_results_ends_a_shard_that_would_take_long():
    results = in_two_processes(take_long, MANY)
    worker = next(results)
    started = time.monotonic()
    results.close()
    assert time.monotonic() - started < 30
    assert not _runs(worker)


@pytest.mark.slow
def test_a_thread_that_a_function_left_does_not_keep_the_map_from_ending(monkeypatch, capfd):
    monkeypatch.setattr(processes, "END_S", 0.5)
    started = time.monotonic()
    workers = list(in_two_processes(leave_a_thread, MANY))
    assert time.monotonic() - started < 30
    assert len(workers) == len(MANY)
    assert not any(_runs(worker) for worker in workers)
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_what_workers_printed_is_not_lost(capfd):
    assert list(in_two_processes(print_shard, MANY)) == list(MANY)
    output, errors = capfd.readouterr()
    assert sorted(output.splitlines()) == sorted(f"worked {shard}" for shard in MANY)
    assert errors == ""


PARENT = """
import sys, time
sys.path.insert(0, {root!r})
from callwright.execution.map_shards import map_shards
from tests.execution.test_map_shards import take_long
if __name__ == "__main__":
    results = map_shards(take_long, iter(range(10**9)), workers=2, local_s=0)
    print(next(results), flush=True)
    {then}
"""


@pytest.mark.slow
@pytest.mark.parametrize("then", ["list(results)", "time.sleep(600)"])  # waits for a result, or does something else
@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_a_parent_that_is_killed_or_interrupted(tmp_path, request, ending, then):
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(root=str(request.config.rootpath), then=then))
    parent = subprocess.Popen(
        [sys.executable, str(script)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a group of its own: Ctrl-C reaches parent and workers
    )
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    if ending == signal.SIGKILL:
        parent.kill()
    else:
        os.killpg(parent.pid, ending)
    _, errors = parent.communicate(timeout=30)
    deadline = time.monotonic() + 30
    while _runs(worker) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _runs(worker)
    assert errors.count("Traceback") == (ending == signal.SIGINT)  # the parent's alone


WITHOUT_A_GUARD = """
from callwright.execution.map_shards import map_shards
print(list(map_shards(sum, [(1, 2), (3, 4)], workers=2, local_s=0)))
"""


@pytest.mark.slow
@pytest.mark.parametrize("from_stdin", [False, True])
def test_workers_that_cannot_import_the_script_are_reported_as_not_started(tmp_path, from_stdin):
    script = tmp_path / "script.py"
    script.write_text(WITHOUT_A_GUARD)
    command = [sys.executable, "-"] if from_stdin else [sys.executable, str(script)]
    done = subprocess.run(command, check=False, input=WITHOUT_A_GUARD, capture_output=True, text=True, timeout=60)
    last = done.stderr.splitlines()[-1]
    assert last.startswith("callwright.errors.DataError: the worker processes could not start: ")
    assert 'under `if __name__ == "__main__":`' in last


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False
