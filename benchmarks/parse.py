"""Reading and executing calls, compared with microchain's engine (github.com/galatolofederico/microchain), one core.

Both get the same replies in the same process, in turns. microchain is installed into a temporary folder; it is not a
dependency. They do different work: microchain adds Python floats and accepts only flat constants; ours also checks and
coerces the arguments, computes exactly, bounds the computation, and renders the result for the model.

    python benchmarks/parse.py [--calls N] [--repeats N]
"""

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from typing import Any

from callwright.agent.parsing.parse import parse_call
from callwright.errors import CallError
from callwright.tasks import TASKS

MICROCHAIN = ("microchain-python==0.4.6", "termcolor")
TARGET = 50_000  # calls per second


def replies(count: int) -> list[str]:
    """Distinct simple calls, half with keyword and half with positional arguments."""
    rng = random.Random(7)
    names = ("add", "subtract", "multiply", "divide")
    calls = []
    for index in range(count):
        a, b = rng.randint(1, 999), rng.randint(1, 999)
        calls.append(f"{rng.choice(names)}({a}, {b})" if index % 2 else f"{rng.choice(names)}(a={a}, b={b})")
    return calls


def ours() -> Callable[[str], str]:
    tools = TASKS["arithmetic"].toolbox.open()

    def run(reply: str) -> str:
        call = parse_call(reply)
        assert not isinstance(call, CallError), call.message
        result = tools.execute(call)
        assert not isinstance(result, CallError), result.message
        return result.text

    return run


def microchain(folder: str) -> Callable[[str], str]:
    """microchain's engine with the same four functions, as its README writes them."""
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", folder, *MICROCHAIN]
    subprocess.run(install, check=True)
    sys.path.append(folder)
    from microchain import Engine, Function, FunctionResult

    def defined(class_name: str, calculate: Callable[[float, float], float]) -> Any:
        class NamedFunction(Function):
            @property
            def description(self) -> str:
                return f"Use this function to {class_name}"

            @property
            def example_args(self) -> list[float]:
                return [2, 2]

            def __call__(self, a: float, b: float) -> float:
                return calculate(a, b)

        NamedFunction.__name__ = class_name
        return NamedFunction()

    engine = Engine()
    engine.register(defined("add", lambda a, b: a + b))
    engine.register(defined("subtract", lambda a, b: a - b))
    engine.register(defined("multiply", lambda a, b: a * b))
    engine.register(defined("divide", lambda a, b: a / b))
    engine.bind(object())
    _ = engine.help

    def run(reply: str) -> str:
        result, text = engine.execute(reply)
        assert result is FunctionResult.SUCCESS, text
        return str(text)

    return run


def seconds(run: Callable[[str], str], calls: Sequence[str]) -> float:
    start = time.perf_counter()
    for reply in calls:
        run(reply)
    return time.perf_counter() - start


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--calls", type=int, default=10_000)
    arguments.add_argument("--repeats", type=int, default=9)
    options = arguments.parse_args()
    calls = replies(options.calls)
    with tempfile.TemporaryDirectory() as folder:
        runs = {"callwright": ours(), MICROCHAIN[0]: microchain(folder)}
        for run in runs.values():
            seconds(run, calls[:1_000])
        rates: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(options.repeats):
            for name, run in runs.items():
                rates[name].append(len(calls) / seconds(run, calls))
    for name, measured in rates.items():
        low, middle, high = min(measured), statistics.median(measured), max(measured)
        print(f"{name}: {middle:,.0f} calls/s (median of {len(measured)}; {low:,.0f} to {high:,.0f})")
    ours_rate, microchain_rate = (statistics.median(measured) for measured in rates.values())
    print(f"target {TARGET:,} calls/s: {'reached' if ours_rate >= TARGET else 'not reached'}")
    print(f"ratio callwright / microchain: {ours_rate / microchain_rate:.2f}")


if __name__ == "__main__":
    main()
