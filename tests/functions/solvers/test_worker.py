import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Pipe

import pytest

from callwright.errors import CallError
from callwright.functions.formulas.formula import read_formula
from callwright.functions.guard import LIMIT_REACHED, SOLVER_BYTES
from callwright.functions.solvers import worker
from callwright.functions.solvers.worker import Worker, run_in_worker, stop_worker

MODULE = "tests.functions.solvers.worker_functions"
TOO_SLOW = f"{LIMIT_REACHED}: it took too long; try something simpler"
STOPPED = f"{LIMIT_REACHED}: the solver stopped; try something simpler"


def call_worker(name: str, *args: object, seconds: float = 5) -> object:
    return run_in_worker(f"{MODULE}:{name}", *args, seconds=seconds)


def call_error(name: str, *args: object, seconds: float = 0.3) -> str:
    with pytest.raises(CallError) as caught:
        call_worker(name, *args, seconds=seconds)
    assert caught.value.fault == "execution_error"
    assert "\n" not in caught.value.message
    return caught.value.message


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def start_and_queue(thread: threading.Thread) -> None:
    """Start a thread, and return when it has joined the worker's queue."""
    shared_worker = worker.current_worker()
    last_ticket = shared_worker._last_ticket
    thread.start()
    assert wait_until(lambda: shared_worker._last_ticket is not last_ticket)


def wait_until(condition, timeout_s: float = 10) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_calls_run_in_another_process_that_is_reused():
    first = call_worker("worker_pid")
    assert first != os.getpid()
    assert call_worker("worker_pid") == first
    assert call_worker("echo", ("a", [1, {"b": None}])) == ("a", [1, {"b": None}])


@pytest.mark.parametrize("name", ["spin", "spin_in_c"])
def test_a_call_is_killed_at_its_limit_of_processor_time(name):
    call_worker("echo", 1)
    start = time.perf_counter()
    assert call_error(name, seconds=0.3) == TOO_SLOW
    assert time.perf_counter() - start < 0.3 * worker.WALL_CLOCK_FACTOR + 30
    assert call_worker("echo", 2) == 2


def test_a_call_that_only_waits_is_killed_at_the_wall_clock_limit(monkeypatch):
    monkeypatch.setattr(worker, "WALL_CLOCK_FACTOR", 1)
    assert call_error("sleep", 60, seconds=0.3) == TOO_SLOW
    assert call_worker("echo", 3) == 3


def test_a_call_that_needs_too_much_memory_is_an_error():
    assert SOLVER_BYTES < 2**30
    assert call_error("fill_memory", seconds=5) == f"{LIMIT_REACHED}: it needed too much memory; try something simpler"
    assert call_worker("echo", 4) == 4


def test_the_worker_is_replaced_when_z3_runs_out_of_memory():
    before = call_worker("worker_pid")
    message = f"{LIMIT_REACHED}: it needed too much memory; try something simpler"
    assert call_error("ask_z3_with_little_memory", seconds=60) == message
    assert call_worker("worker_pid") != before


def test_recursion_that_is_too_deep_is_an_error():
    assert call_error("recurse", seconds=60) == f"{LIMIT_REACHED}: it is nested too deeply; try something simpler"


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_when_the_worker_dies_only_the_running_call_fails(signal_number):
    before = call_worker("worker_pid")
    assert call_error("die", int(signal_number), seconds=5) == STOPPED
    after = call_worker("worker_pid")
    assert after != before
    assert not is_alive(before), "a zombie was left"


def test_a_worker_that_died_while_idle_is_replaced_without_an_error():
    before = call_worker("worker_pid")
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: worker.current_worker()._process.poll() is not None)
    assert call_worker("worker_pid") != before


def test_a_call_error_is_passed_on_and_any_other_error_is_a_defect():
    assert call_error("refuse", seconds=5) == "not this"
    with pytest.raises(RuntimeError, match="KeyError: 'a defect'"):
        call_worker("fail")
    with pytest.raises(RuntimeError, match="pickle"):
        call_worker("unsendable")
    assert call_worker("echo", 5) == 5


@pytest.mark.parametrize("name", ["not_marked", "os.system", "missing"])
def test_only_marked_functions_are_run(name):
    with pytest.raises(RuntimeError, match="not marked"):
        call_worker(name)


def test_a_module_that_cannot_be_imported_is_a_defect():
    with pytest.raises(RuntimeError, match="No module named"):
        run_in_worker("tests.functions.nowhere:f")


def test_threads_share_the_worker_and_each_gets_its_own_result():
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda number: call_worker("echo", number), range(200))) == list(range(200))
        assert len(set(threads.map(lambda _: call_worker("worker_pid"), range(20)))) == 1


def test_threads_get_the_worker_in_the_order_of_their_requests():
    call_worker("worker_pid")
    served: list[int] = []

    def ask(number: int) -> None:
        call_worker("sleep", 0.5 if number == 0 else 0)
        served.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        start_and_queue(thread)
    for thread in threads:
        thread.join()
    assert served == list(range(6))


def test_after_an_interrupt_of_a_waiting_thread_the_others_still_run_one_at_a_time():
    pid = call_worker("worker_pid")
    results: list[object] = []
    busy = threading.Thread(target=lambda: results.append(call_worker("sleep", 4)))
    start_and_queue(busy)
    behind = threading.Thread(target=lambda: results.append(call_worker("worker_pid")))
    threading.Timer(0.5, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        call_worker("echo", 1)
    start_and_queue(behind)
    assert results == [], "the running call continues, and the next call waits for it"
    busy.join()
    behind.join(timeout=60)
    assert results == [None, pid]


def test_stopping_the_worker_releases_a_thread_that_waits_for_it():
    call_worker("worker_pid")
    messages: list[str] = []
    waiting = threading.Thread(target=lambda: messages.append(call_error("sleep", 600, seconds=600)), daemon=True)
    start_and_queue(waiting)

    def has_ended() -> bool:
        stop_worker()  # again and again: a call that has not started yet gets a new worker
        return not waiting.is_alive()

    assert wait_until(has_ended, timeout_s=60)
    assert messages == [STOPPED]
    assert call_worker("echo", 6) == 6


def test_stopping_the_worker_while_it_loads_a_module_is_not_a_defect():
    before = set(threading.enumerate())
    for delay_s in (0.01, 0.05, 0.1):
        stop_worker()
        threading.Timer(delay_s, stop_worker).start()
        try:
            question = pickle.dumps([read_formula("A(a)")] * 2)
            assert run_in_worker("callwright.functions.solvers.z3_solver:equivalent", question) == "yes"
        except CallError as error:
            assert error.message == STOPPED
    assert wait_until(lambda: set(threading.enumerate()) <= before)
    assert call_worker("echo", 7) == 7


def test_a_death_is_noticed_even_if_a_child_process_holds_the_pipe(monkeypatch):
    copies: list[int] = []

    def pipe_with_a_copy():
        owner_end, worker_end = Pipe()
        copies.append(os.dup(worker_end.fileno()))  # a process that is forked between these two lines has such a copy
        return owner_end, worker_end

    monkeypatch.setattr(worker, "Pipe", pipe_with_a_copy)
    new_worker = Worker()
    with pytest.raises(CallError, match="the solver stopped"):
        new_worker.run(f"{MODULE}:die", (int(signal.SIGKILL),), 600)
    os.close(copies[0])


@pytest.mark.parametrize("stop", ["", "worker.stop_worker()"])
def test_an_interrupted_program_ends_even_if_a_thread_waits_for_the_worker(stop):
    seconds = 600 if stop else 1  # without a stop, the thread waits until its call's limit
    script = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "import threading, time\n"
        "from callwright.functions.solvers import worker\n"
        f"worker.run_in_worker('{MODULE}:worker_pid')\n"
        "threads = ThreadPoolExecutor()\n"
        f"call = threads.submit(worker.run_in_worker, '{MODULE}:spin', seconds={seconds})\n"
        "print('ready', flush=True)\n"
        "try:\n"
        "    threading.Event().wait()\n"
        "except KeyboardInterrupt:\n"
        "    while not call.done():\n"
        f"        {stop or 'pass'}\n"
        "        time.sleep(0.1)\n"
        "print(type(call.exception()).__name__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment
    ) as program:
        try:
            assert program.stdout is not None and program.stdout.readline() == "ready\n"
            time.sleep(0.3)
            program.send_signal(signal.SIGINT)
            assert program.communicate(timeout=120)[0] == "CallError\n"
        finally:
            program.kill()
        assert program.returncode == 0


def _pids_in_pool(_: int) -> tuple[int, int]:
    return os.getpid(), call_worker("worker_pid")


def test_a_forked_process_gets_its_own_worker():
    parents_worker = call_worker("worker_pid")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pairs = set(pool.map(_pids_in_pool, range(8), chunksize=1))
    assert parents_worker not in {pid for _, pid in pairs}
    assert len({pid for _, pid in pairs}) == len({owner for owner, _ in pairs})
    assert call_worker("worker_pid") == parents_worker
    assert all(wait_until(lambda pid=pid: not is_alive(pid)) for _, pid in pairs)


def test_a_fork_during_a_call_does_not_block_the_child():
    busy = threading.Thread(target=call_error, args=("spin",), kwargs={"seconds": 1})
    busy.start()
    time.sleep(0.2)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        owner, pid = pool.apply_async(_pids_in_pool, (0,)).get(timeout=30)
    busy.join()
    assert owner != os.getpid() != pid


@pytest.mark.parametrize("name", ["echo", "spin"])
def test_the_worker_ends_with_its_owner(name):
    script = (
        "import os, threading\n"
        "from callwright.functions.solvers.worker import run_in_worker as run\n"
        f"print(run('{MODULE}:worker_pid', seconds=5), flush=True)\n"
        f"threading.Thread(target=run, args=('{MODULE}:{name}', *{'(1,)' if name == 'echo' else '()'}), "
        "kwargs={'seconds': 1}, daemon=True).start()\n"
        "threading.Event().wait()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        time.sleep(0.2)
        assert is_alive(pid)
        owner.kill()
    assert wait_until(lambda: not is_alive(pid)), "the worker outlived its owner"


def test_the_worker_can_be_stopped_twice_and_the_next_call_starts_it_again():
    new_worker = Worker()
    assert new_worker.pid is None
    assert new_worker.run(f"{MODULE}:echo", (1,), 5) == 1
    pid = new_worker.pid
    new_worker.stop()
    new_worker.stop()
    assert new_worker.pid is None
    assert pid is not None and not is_alive(pid)
    assert new_worker.run(f"{MODULE}:echo", (2,), 5) == 2
    new_worker.stop()


def test_the_worker_gets_no_api_key(monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", "sk-secret")
    new_worker = Worker()
    assert "sk-secret" not in str(new_worker.run(f"{MODULE}:environment", (), 5))
    new_worker.stop()
