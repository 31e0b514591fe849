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

MODULE = "tests.functions.solvers.in_worker"
TOO_SLOW = f"{LIMIT_REACHED}: it took too long; try something simpler"
STOPPED = f"{LIMIT_REACHED}: the solver stopped; try something simpler"


def run(name: str, *args: object, seconds: float = 5) -> object:
    return run_in_worker(f"{MODULE}:{name}", *args, seconds=seconds)


def refusal(name: str, *args: object, seconds: float = 0.3) -> str:
    with pytest.raises(CallError) as caught:
        run(name, *args, seconds=seconds)
    assert caught.value.fault == "execution_error"
    assert "\n" not in caught.value.message
    return caught.value.message


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def start_and_queue(thread: threading.Thread) -> None:
    """Return when the thread has taken its place in the worker's queue."""
    own = worker.current_worker()
    last = own._last_ticket
    thread.start()
    assert wait_until(lambda: own._last_ticket is not last)


def wait_until(condition, timeout_s: float = 10) -> bool:
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_calls_run_in_another_process_which_is_reused():
    first = run("own_pid")
    assert first != os.getpid()
    assert run("own_pid") == first
    assert run("echo", ("a", [1, {"b": None}])) == ("a", [1, {"b": None}])


@pytest.mark.parametrize("name", ["spin", "spin_in_c"])
def test_a_call_is_ended_after_its_processor_seconds(name):
    run("echo", 1)
    start = time.perf_counter()
    assert refusal(name, seconds=0.3) == TOO_SLOW
    assert time.perf_counter() - start < 0.3 * worker.WALL_CLOCK_FACTOR + 30
    assert run("echo", 2) == 2


def test_a_call_that_waits_is_ended_by_the_clock(monkeypatch):
    monkeypatch.setattr(worker, "WALL_CLOCK_FACTOR", 1)
    assert refusal("sleep", 60, seconds=0.3) == TOO_SLOW
    assert run("echo", 3) == 3


def test_a_call_may_not_fill_the_memory():
    assert SOLVER_BYTES < 2**30
    assert refusal("fill_memory", seconds=5) == f"{LIMIT_REACHED}: it needed too much memory; try something simpler"
    assert run("echo", 4) == 4


def test_z3_out_of_memory_is_a_limit_and_the_worker_is_replaced():
    before = run("own_pid")
    text = f"{LIMIT_REACHED}: it needed too much memory; try something simpler"
    assert refusal("ask_z3_with_little_memory", seconds=60) == text
    assert run("own_pid") != before


def test_too_deep_a_recursion_is_a_limit():
    assert refusal("recurse", seconds=60) == f"{LIMIT_REACHED}: it is nested too deeply; try something simpler"


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_a_worker_that_dies_is_the_fault_of_that_call_alone(by):
    before = run("own_pid")
    assert refusal("die", int(by), seconds=5) == STOPPED
    after = run("own_pid")
    assert after != before
    assert not alive(before), "a zombie was left"


def test_a_worker_that_died_while_idle_is_nobodys_fault():
    before = run("own_pid")
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: worker.current_worker()._process.poll() is not None)
    assert run("own_pid") != before


def test_a_refusal_of_the_function_is_the_models_and_another_error_is_ours():
    assert refusal("refuse", seconds=5) == "not this"
    with pytest.raises(RuntimeError, match="KeyError: 'a defect'"):
        run("fail")
    with pytest.raises(RuntimeError, match="pickle"):
        run("unsendable")
    assert run("echo", 5) == 5


@pytest.mark.parametrize("name", ["not_marked", "os.system", "missing"])
def test_only_marked_functions_run(name):
    with pytest.raises(RuntimeError, match="not marked"):
        run(name)


def test_a_module_that_cannot_be_imported_is_our_defect():
    with pytest.raises(RuntimeError, match="No module named"):
        run_in_worker("tests.functions.nowhere:f")


def test_threads_share_the_worker_and_get_their_own_results():
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda number: run("echo", number), range(200))) == list(range(200))
        assert len(set(threads.map(lambda _: run("own_pid"), range(20)))) == 1


def test_threads_get_the_worker_in_the_order_in_which_they_asked():
    run("own_pid")
    served: list[int] = []

    def ask(number: int) -> None:
        run("sleep", 0.5 if number == 0 else 0)
        served.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for thread in threads:
        start_and_queue(thread)
    for thread in threads:
        thread.join()
    assert served == list(range(6))


def test_a_thread_that_is_interrupted_while_it_waits_lets_the_others_pass_one_by_one():
    pid = run("own_pid")
    said: list[object] = []
    busy = threading.Thread(target=lambda: said.append(run("sleep", 4)))
    start_and_queue(busy)
    behind = threading.Thread(target=lambda: said.append(run("own_pid")))
    threading.Timer(0.5, signal.pthread_kill, (threading.get_ident(), signal.SIGINT)).start()
    with pytest.raises(KeyboardInterrupt):
        run("echo", 1)
    start_and_queue(behind)
    assert said == [], "the call in progress goes on, and the next one waits for it"
    busy.join()
    behind.join(timeout=60)
    assert said == [None, pid]


def test_stopping_the_worker_frees_a_thread_that_waits_for_it():
    run("own_pid")
    said: list[str] = []
    waiting = threading.Thread(target=lambda: said.append(refusal("sleep", 600, seconds=600)), daemon=True)
    start_and_queue(waiting)

    def ended() -> bool:  # a call that has not begun yet gets a new worker
        stop_worker()
        return not waiting.is_alive()

    assert wait_until(ended, timeout_s=60)
    assert said == [STOPPED]
    assert run("echo", 6) == 6


def test_a_worker_that_is_ended_while_it_loads_is_no_defect():
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
    assert run("echo", 7) == 7


def test_a_death_is_noticed_though_a_child_of_ours_holds_the_pipe(monkeypatch):
    held: list[int] = []

    def pipe_with_a_copy():
        ours, theirs = Pipe()
        held.append(os.dup(theirs.fileno()))  # as a process has that was forked between the two lines
        return ours, theirs

    monkeypatch.setattr(worker, "Pipe", pipe_with_a_copy)
    own = Worker()
    with pytest.raises(CallError, match="the solver stopped"):
        own.run(f"{MODULE}:die", (int(signal.SIGKILL),), 600)
    os.close(held[0])


@pytest.mark.parametrize("stop", ["", "worker.stop_worker()"])
def test_an_interrupted_program_ends_though_a_thread_waits_for_the_worker(stop):
    seconds = 600 if stop else 1  # without stopping it, the thread waits for its call's limit
    script = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "import threading, time\n"
        "from callwright.functions.solvers import worker\n"
        f"worker.run_in_worker('{MODULE}:own_pid')\n"
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


def _pid_in_pool(_: int) -> tuple[int, int]:
    return os.getpid(), run("own_pid")


def test_a_forked_process_gets_a_worker_of_its_own():
    mine = run("own_pid")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pairs = set(pool.map(_pid_in_pool, range(8), chunksize=1))
    assert mine not in {pid for _, pid in pairs}
    assert len({pid for _, pid in pairs}) == len({owner for owner, _ in pairs})
    assert run("own_pid") == mine
    assert all(wait_until(lambda pid=pid: not alive(pid)) for _, pid in pairs)


def test_a_fork_while_the_worker_is_busy_does_not_block_the_child():
    busy = threading.Thread(target=refusal, args=("spin",), kwargs={"seconds": 1})
    busy.start()
    time.sleep(0.2)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        owner, pid = pool.apply_async(_pid_in_pool, (0,)).get(timeout=30)
    busy.join()
    assert owner != os.getpid() != pid


@pytest.mark.parametrize("name", ["echo", "spin"])
def test_the_worker_ends_with_its_owner(name):
    script = (
        "import os, threading\n"
        "from callwright.functions.solvers.worker import run_in_worker as run\n"
        f"print(run('{MODULE}:own_pid', seconds=5), flush=True)\n"
        f"threading.Thread(target=run, args=('{MODULE}:{name}', *{'(1,)' if name == 'echo' else '()'}), "
        "kwargs={'seconds': 1}, daemon=True).start()\n"
        "threading.Event().wait()\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, env=environment) as owner:
        assert owner.stdout is not None
        pid = int(owner.stdout.readline())
        time.sleep(0.2)
        assert alive(pid)
        owner.kill()
    assert wait_until(lambda: not alive(pid)), "the worker outlived its owner"


def test_stopping_twice_is_fine_and_the_next_call_starts_again():
    own = Worker()
    assert own.pid is None
    assert own.run(f"{MODULE}:echo", (1,), 5) == 1
    pid = own.pid
    own.stop()
    own.stop()
    assert own.pid is None
    assert pid is not None and not alive(pid)
    assert own.run(f"{MODULE}:echo", (2,), 5) == 2
    own.stop()


def test_the_worker_sees_no_secret(monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", "sk-secret")
    own = Worker()
    assert "sk-secret" not in str(own.run(f"{MODULE}:environment", (), 5))
    own.stop()
