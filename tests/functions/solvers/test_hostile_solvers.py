"""Formulas and equations that are made to explode: the solvers' own limits end each, far below the worker's limits."""

import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from callwright.errors import CallError
from callwright.functions.guard import SOLVER_BYTES, SOLVER_SECONDS
from callwright.functions.solvers.worker import current_worker
from callwright.functions.toolbox import OpenToolbox, Toolbox
from callwright.records import Call
from callwright.tasks.arithmetic.functions import answer, solve
from callwright.tasks.entailment.functions import TOOLBOX as ASSUMPTIONS

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads processor time from /proc"),
    pytest.mark.usefixtures("frozen_heap"),
]

ALGEBRA = Toolbox((solve, answer))
ORDER = ["all x. all y. all z. ((R(x, y) and R(y, z)) -> R(x, z))", "all x. not R(x, x)", "all x. exists y. R(x, y)"]
DENSE = "all x. all y. (R(x, y) -> (exists z. (R(x, z) and R(z, y))))"
VARIABLES = [f"{letter}{digit}" for letter in "xyz" for digit in range(10)]


def alternating(count: int) -> str:
    """`all x0. exists x1. all x2. ... (R(x0, x1) and R(x1, x2) and ...)`."""
    variables = VARIABLES[:count]
    prefix = "".join(f"{'exists' if index % 2 else 'all'} {variable}. " for index, variable in enumerate(variables))
    return f"{prefix}({' and '.join(f'R({a}, {b})' for a, b in pairwise(variables))})"


def pigeons_have_holes(count: int) -> str:
    """`count` pigeons in `count` - 1 holes: hard for every solver that does not count."""
    holes = range(count - 1)
    has_hole = [" or ".join(f"H{hole}(p{pigeon})" for hole in holes) for pigeon in range(count)]
    return " and ".join(f"({formula})" for formula in has_hole)


def no_shared_holes(count: int) -> list[str]:
    return [
        f"not H{hole}(p{pigeon}) or not H{hole}(p{other})"
        for hole in range(count - 1)
        for pigeon in range(count)
        for other in range(pigeon)
    ]


EQUATIONS = {
    "tower of powers": "x = 9**9**9**9",
    "bracketed powers": "((((x**9)**9)**9)**9)**9 = 1",
    "huge exponent": "x = 2**99999999999",
    "huge negative exponent": "x = 2**-99999999999",
    "huge degree": "x**100000 - 1 = 0",
    "product of powers": "(x + 1)**8 * (x - 1)**8 * (x + 2)**8 = 1",
    "hidden degree": "*".join(["(x + 1)"] * 20) + " = 1",
    "powers of sums": "(a + b + c + d + e + f)**200 = 1",
    "powers of quotients": "(1/(x + 1/(x + 1/(x + 1))))**8 = 1",
    "nested quotients": "1/(x+" * 25 + "x" + ")" * 25 + " = 1",
    "power of a long number": f"x = {'9' * 150}**99",
    "deep brackets": "(" * 95 + "x" + ")" * 95 + " = 1 = 2",
    "many signs": "-" * 190 + "x = y",
    "factorial": "x! = 10",
    "import": "__import__('os').system('true') = x",
    "attribute": "x.__class__.__bases__ = 1",
    "lambda": "(lambda: 9**9**9)() = x",
    "comprehension": "[x for x in range(10**9)] = x",
    "walrus": "(x := 9**9**9) = x",
    "string": "'a' * 10**9 = x",
    "conditional": "1 if 9**9**9 else 2 = x",
    "null byte": "x = 1\0",
    "shift": "x = 1 << 10**10",
    "many unknowns": " + ".join(VARIABLES) + " = 1",
    "boolean": "True = x + None",
    "irrational of degree 8": "x**8 - x**7 + 3*x**5 - 11*x**2 + 7*x - 123456789 = 0",
}
FORMULAS = {
    "infinite order": ([*ORDER], "R(a, b)"),
    "dense order": ([*ORDER, DENSE], "R(a, b)"),
    "20 alternating quantifiers": ([alternating(20), *ORDER], "R(a, b)"),
    "28 alternating quantifiers": ([alternating(28)], f"not ({alternating(12)})"),
    "many alternating premises": ([alternating(count) for count in range(4, 20)] + ORDER[:2], "R(a, b)"),
    "11 pigeons": ([pigeons_have_holes(11), *no_shared_holes(11)[:60]], "R(a, b)"),
    "nested biconditionals": (
        [" <-> ".join(f"(P{n}(rex) xor P{n + 1}(rex))" for n in range(25)), *ORDER],
        " <-> ".join(f"(P{n}(max) xor P{n + 2}(max))" for n in range(25)),
    ),
    "wide predicates": (
        [f"{''.join(f'all {name}. ' for name in VARIABLES[:20])}exists z9. Q({', '.join(VARIABLES[:20])}, z9)", *ORDER],
        "R(a, b)",
    ),
    "functions of functions": (
        ["all x. exists y. S(x, y)", "all x. exists y. T(x, y)", "all x. all y. (S(x, y) -> not T(x, y))", *ORDER],
        "exists x. (S(x, x) and T(x, x))",
    ),
    "three axioms without a finite model, and a contradiction": (
        [*ORDER, *(f"R(c{n}, c{n + 1})" for n in range(8)), "P(a)", "not P(a)"],
        "P(b)",
    ),
    "quantifiers under biconditionals": (
        [" <-> ".join(f"({'all' if n % 2 else 'exists'} x. P{n}(x))" for n in range(25)), *ORDER],
        "R(a, b)",
    ),
    "the largest number of premises": (
        [*ORDER, *(f"R(c{n}, c{n + 1}) or R(c{n}, d{n})" for n in range(61))],
        "R(a, b)",
    ),
    "a predicate with hundreds of names": ([f"all x. all y. exists z. P({'x, y, z, ' * 160}x)"], "P(a)"),
    "deep negation": (["not " * 29 + "P(rex)"], "not " * 40 + "P(rex)"),
    "deep brackets": ([], "(" * 500 + "P(rex)" + ")" * 500),
    "long formula": ([], " and ".join(f"P(a{n})" for n in range(400))),
    "long name": ([], f"P({'a' * 1000})"),
}


def seconds_spent(tools: OpenToolbox, calls: list[Call]) -> tuple[float, object]:
    """Return the processor seconds of the last call, in this process and in the worker, and its result."""
    result: object = None
    spent = 0.0
    for call in calls:
        (pid_before, worker_before), process_before = _worker_seconds(), time.process_time()
        result = tools.execute(call)
        pid_after, worker_after = _worker_seconds()
        killed = pid_before != pid_after
        spent = time.process_time() - process_before + (SOLVER_SECONDS if killed else worker_after - worker_before)
    return spent, result


def _worker_seconds() -> tuple[int | None, float]:
    """Return the worker's process id and the processor seconds that it has used."""
    pid = current_worker().pid
    if pid is None:
        return None, 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return pid, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def warm_up() -> None:
    """Load the solvers, because the first call of each loads its library, outside the call's time."""
    ALGEBRA.open().execute(Call("solve", {"equation": "x = 1"}))
    ASSUMPTIONS.open().execute(Call("entails", {"formula": "P(rex)"}))


@pytest.mark.parametrize("text", EQUATIONS.values(), ids=EQUATIONS)
def test_a_hostile_equation_ends_with_a_fault_within_a_second(text):
    warm_up()
    spent, result = seconds_spent(ALGEBRA.open(), [Call("solve", {"equation": text})])
    assert isinstance(result, CallError), result
    assert result.fault in ("bad_arguments", "execution_error")
    assert "\n" not in result.message and len(result.message) < 300
    assert spent < 1


@pytest.mark.parametrize(("premises", "statement"), FORMULAS.values(), ids=FORMULAS)
def test_a_hostile_question_ends_far_below_the_limit_and_with_the_same_result_again(premises, statement):
    warm_up()
    calls = [*(Call("assume", {"formula": premise}) for premise in premises), Call("entails", {"formula": statement})]
    spent, result = seconds_spent(ASSUMPTIONS.open(), calls)
    assert spent < SOLVER_SECONDS / 4, "a tenth is expected; this machine may be slow"
    again = seconds_spent(ASSUMPTIONS.open(), calls)[1]
    assert str(result) == str(again)
    assert isinstance(result, CallError) or result.text in ("True", "False", "Unknown")


def test_the_worker_survives_all_of_them_within_its_memory_limit():
    warm_up()
    status = Path(f"/proc/{current_worker().pid}/status").read_text()
    peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmPeak"))
    assert peak <= SOLVER_BYTES == 512 * 2**20
