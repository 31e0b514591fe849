"""Bounds that hold before anything is computed: reply length, nesting, literal size, number size, equation size.

Covered elsewhere: seconds and memory. Arithmetic cannot exceed them within these bounds. SymPy and Z3 can, so they run
in a process of their own (`worker.py`), which is held to SOLVER_SECONDS and SOLVER_BYTES and killed when it exceeds
them. Before that, Z3 stops by itself after a fixed amount of work, a tenth of SOLVER_SECONDS or less, so that whether a
formula is decided does not depend on how busy the machine is.

Not covered: a user's own functions. They run in Callwright's process, unbounded.
"""

from fractions import Fraction

from callwright.errors import CallError

MAX_CALL_CHARACTERS = 2_000
MAX_DEPTH = 8
MAX_ITEMS = 64  # of a list, a dict or an argument list
MAX_BITS = 1_024  # of a numerator or denominator

MAX_ASSUMPTIONS = MAX_ITEMS  # formulas that one chain may assume; formula_checks.py bounds each and all of them

MAX_EQUATION_CHARACTERS = 200
MAX_EQUATIONS = 6  # of a system
MAX_DEGREE = 8  # of the polynomial that an equation amounts to

SOLVER_SECONDS = 10.0  # of processor time of one call: a backstop, ten times what the engines' own bounds allow
SOLVER_BYTES = 512 * 2**20  # of address space of the worker process, interpreter and libraries included

LIMIT_REACHED = "this is beyond the solver's limits"
"""How the message of an error begins when a solver gave up. It says nothing about the question itself, and what comes
after it may differ from run to run: nobody compares it."""


def bits(number: Fraction) -> int:
    """Bits of the larger of numerator and denominator."""
    return max(number.numerator.bit_length(), number.denominator.bit_length())


def bound_product(left: Fraction, right: Fraction) -> None:
    """Refuse a product or quotient that would exceed MAX_BITS, before it is computed."""
    if bits(left) + bits(right) > MAX_BITS:
        raise CallError("execution_error", "the result would be too large")


def bound_power(base: Fraction, exponent: int) -> None:
    """Refuse a power that would exceed MAX_BITS, before it is computed."""
    if bits(base) > 1 and bits(base) * abs(exponent) > MAX_BITS:
        raise CallError("execution_error", "the result would be too large")
