"""Limits that are checked before anything is computed: sizes of calls, literals, numbers and equations.

Time and memory are limited elsewhere. Arithmetic within these limits needs little of both. SymPy and Z3 could need
more, so they run in a separate process (`solvers/worker.py`), which is killed when it exceeds SOLVER_SECONDS or
SOLVER_BYTES. This is a safety net; no result should depend on it. Z3 stops by itself after a fixed amount of work,
which takes at most a tenth of SOLVER_SECONDS. An equation within the limits below takes SymPy much less
(docs/decisions/0012).

Not covered: a user's functions. They run in Callwright's process without limits.
"""

from fractions import Fraction

from callwright.errors import CallError

MAX_CALL_CHARACTERS = 2_000
MAX_DEPTH = 8
MAX_ITEMS = 64  # of a list, a dict or an argument list
MAX_BITS = 1_024  # of the numerator and of the denominator, for every number that is read and for every result

MAX_ASSUMPTIONS = MAX_ITEMS  # formulas that one chain may assume; formulas/checks.py limits their sizes

MAX_EQUATION_CHARACTERS = 200
MAX_EQUATIONS = 6  # of a system
MAX_DEGREE = 8  # of an equation, written as a polynomial
MAX_DEGREE_BITS = 2_048  # degree times the bits of the coefficients: the time to solve an equation grows with both
MAX_SYSTEM_DEGREE = 2  # of an equation in a system, before cancelling: both sides may contain x*y

SOLVER_SECONDS = 10.0  # of processor time for one call: ten times what the solvers' own limits allow
SOLVER_BYTES = 512 * 2**20  # of address space of the worker process, including interpreter and libraries

LIMIT_REACHED = "this is beyond the solver's limits"
"""The start of the error message when a solver gave up. Such an error says nothing about the question. The text after
this start may differ from run to run: do not compare it."""


def count_bits(number: Fraction) -> int:
    """Count the bits of the numerator or of the denominator, whichever has more."""
    return (abs(number.numerator) | number.denominator).bit_length()


def check_result_size(number: Fraction) -> Fraction:
    """Return the number if `read_number` can read it again.

    Raises:
        CallError: the number has more than MAX_BITS bits.
    """
    if count_bits(number) > MAX_BITS:
        raise CallError("execution_error", "the result would be too large")
    return number


def check_power_size(base: Fraction, exponent: int) -> None:
    """Reject a power that certainly exceeds MAX_BITS, before it is computed.

    Any power that passes has at most 2 * MAX_BITS bits.

    Raises:
        CallError: the power would be too large.
    """
    if (count_bits(base) - 1) * abs(exponent) > MAX_BITS:
        raise CallError("execution_error", "the result would be too large")
