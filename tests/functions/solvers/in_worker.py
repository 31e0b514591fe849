"""Functions for the worker's tests, run in the worker alone."""

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
def own_pid() -> int:
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
def die(by: int) -> None:
    os.kill(os.getpid(), by)
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

    z3.set_param("memory_max_size", 19)  # megabytes: enough to begin with
    order = ["all x. exists y. R(x, y)", "all x. not R(x, x)", "all x y z. ((R(x, y) and R(y, z)) -> R(x, z))"]
    return decide_entailment([read_formula(text) for text in order], read_formula("R(a, b)"))


@in_worker
def work_left(premises: tuple[Formula, ...], statement: Formula) -> tuple[str | int, list[int]]:
    """The solver's outcome, and the units that were left after each check."""
    from callwright.functions.solvers import z3_question, z3_solver

    left: list[int] = []

    class Watched(z3_question.Z3Session):
        def check(self, formulas, most):
            found = super().check(formulas, most)
            left.append(self.left)
            return found

    z3_solver.Z3Session = Watched
    try:
        return z3_solver.decide_entailment(premises, statement), left
    finally:
        z3_solver.Z3Session = z3_question.Z3Session


@in_worker
def has_model_among(formulas: list[Formula], most: int) -> bool:
    """Whether formulas are true together in some world of at most so many things."""
    from callwright.functions.solvers.z3_question import Z3Session, has_finite_model

    return has_finite_model(Z3Session(10**6), formulas, 10**6, (most,))


@in_worker
def unsendable() -> object:
    return lambda: None


def not_marked() -> int:
    return 1
