"""Functions for the tests of the worker. They run only in the worker."""

import os
import signal
import time

from callwright.errors import CallError
from callwright.functions.formulas.formula import Formula
from callwright.functions.solvers.worker import in_worker


@in_worker
def echo(value: object) -> object:
    return value


@in_worker
def worker_pid() -> int:
    return os.getpid()


@in_worker
def environment() -> dict[str, str]:
    return dict(os.environ)


@in_worker
def spin() -> None:
    while True:
        pass


@in_worker
def spin_in_c() -> int:
    return 7 ** (7**9) % 10  # holds the interpreter's lock for minutes


@in_worker
def sleep(seconds: float) -> None:
    time.sleep(seconds)


@in_worker
def fill_memory() -> int:
    return len(bytearray(2**30))


@in_worker
def die(signal_number: int) -> None:
    os.kill(os.getpid(), signal_number)
    signal.pause()


@in_worker
def refuse() -> None:
    raise CallError("execution_error", "not this")


@in_worker
def fail() -> None:
    raise KeyError("a defect")


@in_worker
def recurse() -> None:
    recurse()


@in_worker
def ask_z3_with_little_memory() -> str | int:
    import z3

    from callwright.functions.formulas.formula import read_formula
    from callwright.functions.solvers.z3_solver import decide_entailment

    z3.set_param("memory_max_size", 19)  # megabytes: enough to start
    order = ["all x. exists y. R(x, y)", "all x. not R(x, x)", "all x y z. ((R(x, y) and R(y, z)) -> R(x, z))"]
    return decide_entailment([read_formula(text) for text in order], read_formula("R(a, b)"))


@in_worker
def remaining_work(premises: tuple[Formula, ...], statement: Formula) -> tuple[str | int, list[int]]:
    """Return the solver's result, and the remaining units after each check."""
    from callwright.functions.solvers import z3_session, z3_solver

    remaining: list[int] = []

    class RecordingSession(z3_session.Z3Session):
        def check(self, formulas, max_work):
            result = super().check(formulas, max_work)
            remaining.append(self.remaining_work)
            return result

    z3_solver.Z3Session = RecordingSession
    try:
        return z3_solver.decide_entailment(premises, statement), remaining
    finally:
        z3_solver.Z3Session = z3_session.Z3Session


@in_worker
def has_model_up_to(formulas: list[Formula], size: int) -> bool:
    """Whether formulas are true together in a model with at most `size` elements."""
    from callwright.functions.solvers.z3_session import Z3Session
    from callwright.functions.solvers.z3_solver import has_finite_model

    return has_finite_model(Z3Session(10**6), formulas, 10**6, (size,))


@in_worker
def unsendable() -> object:
    return lambda: None


def not_marked() -> int:
    return 1
