"""2,000 calls of the arithmetic functions with hostile numbers: each ends quickly, with a result or a fault."""

import random
import time
from decimal import Decimal
from fractions import Fraction

import pytest

from callwright.errors import CallError
from callwright.functions.guard import MAX_BITS, count_bits
from callwright.functions.toolbox import Observation, Toolbox
from callwright.records import Call
from callwright.tasks.arithmetic.functions import ALL

pytestmark = pytest.mark.usefixtures("frozen_heap")  # because calls are timed

TOOLBOX = Toolbox(ALL)
NUMERIC_FUNCTIONS = [function for function in ALL if function.name != "solve"]
EDGE = 2**MAX_BITS
SIGNS = "0123456789,./-+−–$€£% eE_x٣²½∞\u00a0\u202e\ud83d\0\n"
UNEXPECTED = [
    0, 1, -1, 10**700, 10**5000, -(10**5000), EDGE, EDGE - 1, 1 - EDGE, 2**63,
    0.0, -0.0, 1e308, -1e308, 5e-324, 2.2e-308, 0.1, float("nan"), float("inf"), float("-inf"), float("1e400"),
    "", ".", ".5", "5.", "50%", "-0", "-$1,200.50", "−5", "1/3", "0/0", "1/0", "--1", "0x10", "1_000", "1,00", "1e5",
    "٣", "²", "½", "nan", "inf", "\ud83d", " " * 699 + "7", " " * 699 + "x", "1" * 701, "9" * 308, f"1/{'9' * 308}",
    True, False, None, [], [1], [10**5000], {}, {"a": 1}, [[[]]], 1j, b"1", object(), Fraction(1, 3),
    Decimal("1E+999999999"), Decimal("-1E-999999999"), Decimal("sNaN"), Decimal("0.1"),
]  # fmt: skip


def hostile_value(rng: random.Random) -> object:
    match rng.randrange(6):
        case 0 | 1:
            return rng.choice(UNEXPECTED)
        case 2:
            return "".join(rng.choices(SIGNS, k=rng.choice((1, 3, 8, 700))))
        case 3:
            return rng.choice((-1, 1)) * rng.randrange(2 ** rng.choice((1, 8, 500, MAX_BITS)))
        case 4:
            return f"{rng.randrange(2 ** rng.choice((8, 500, MAX_BITS)))}/{rng.randrange(1, 2 ** rng.choice((8, 500)))}"
        case _:
            return rng.choice((-1, 1)) * rng.random() * 10.0 ** rng.randint(-300, 300)


@pytest.mark.parametrize("function", NUMERIC_FUNCTIONS, ids=lambda function: function.name)
def test_no_number_raises_or_takes_long(function):
    rng = random.Random(function.name)
    tools, slowest, result_count = TOOLBOX.open(), 0.0, 0
    for _ in range(2_000 // len(NUMERIC_FUNCTIONS) + 1):
        arguments = {name: hostile_value(rng) for name in function.parameters if rng.random() < 0.95}
        before = time.process_time()
        outcome = tools.execute(Call(function.name, arguments))
        slowest = max(slowest, time.process_time() - before)
        if isinstance(outcome, CallError):
            assert outcome.fault in ("bad_arguments", "execution_error")
            assert outcome.message.isprintable() and len(outcome.message) < 400, outcome.message
        else:
            result_count += 1
            assert count_bits(outcome.value) <= MAX_BITS
            answered = tools.execute(Call("answer", {"value": outcome.text}))
            assert isinstance(answered, Observation) and answered.value == outcome.value
    assert result_count > 5
    assert slowest < 0.1  # measured: 0.001 s
