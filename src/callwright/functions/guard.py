"""Bounds that hold before anything is computed: reply length, nesting, literal size, number size, equation size.

Covered elsewhere: seconds and memory. Arithmetic cannot exceed them within these bounds. SymPy and Z3 could, so they
run in a process of their own (`worker.py`), which is held to SOLVER_SECONDS and SOLVER_BYTES and killed when it
exceeds them. That is a backstop, which no answer should depend on: Z3 stops by itself after a fixed amount of work, a
tenth of SOLVER_SECONDS or less, and an equation within the bounds below costs SymPy a small part of the seconds
(docs/decisions/0012).

Not covered: a user's own functions. They run in Callwright's process, unbounded.
"""

from fractions import Fraction

from callwright.errors import CallError

MAX_CALL_CHARACTERS = 2_000
MAX_DEPTH = 8
MAX_ITEMS = 64  # of a list, a dict or an argument list
MAX_BITS = 1_024  # of a numerator or denominator: of every number that is read, and of every result

MAX_ASSUMPTIONS = MAX_ITEMS  # formulas that one chain may assume; formula_checks.py bounds each and all of them

MAX_EQUATION_CHARACTERS = 200
MAX_EQUATIONS = 6  # of a system
MAX_DEGREE = 8  # of the polynomial that an equation amounts to
MAX_DEGREE_BITS = 2_048  # its degree times the bits of its coefficients: what solving it costs grows with both
MAX_SYSTEM_DEGREE = 2  # of an equation of a system, before what cancels has cancelled: x*y may stand on both sides

SOLVER_SECONDS = 10.0  # of processor time of one call: a backstop, ten times what the engines' own bounds allow
SOLVER_BYTES = 512 * 2**20  # of address space of the worker process, interpreter and libraries included

LIMIT_REACHED = "this is beyond the solver's limits"
"""How the message of an error begins when a solver gave up. It says nothing about the question itself, and what comes
after it may differ from run to run: nobody compares it."""


def bits(number: Fraction) -> int:
    """Bits of the larger of numerator and denominator."""
    return (abs(number.numerator) | number.denominator).bit_length()


def check_result_size(number: Fraction) -> Fraction:
    """The number itself, if it can be read again by `read_number`.

    Raises:
        CallError: it has more than MAX_BITS.
    """
    if bits(number) > MAX_BITS:
        raise CallError("execution_error", "the result would be too large")
    return number


def check_power_size(base: Fraction, exponent: int) -> None:
    """Refuse a power that would certainly exceed MAX_BITS, before it is computed. Any other has at most twice as many.

    Raises:
        CallError: the power would be too large.
    """
    if (bits(base) - 1) * abs(exponent) > MAX_BITS:
        raise CallError("execution_error", "the result would be too large")
