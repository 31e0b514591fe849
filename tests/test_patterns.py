"""No text from outside meets a pattern that backtracks: each is timed on strings made against it, up to its limit."""

import re
import time
from collections.abc import Callable

import pytest

from callwright.agent.parsing.parse import MAX_REPLY_CHARACTERS
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_EQUATION_CHARACTERS
from tests.pattern_attacks import Used, attacks, patterns_in_use

pytestmark = pytest.mark.usefixtures("frozen_heap")  # its calls are timed

SECONDS = 0.5  # of this thread's processor time; linear patterns take less than a tenth of it
LIMITS = {  # characters of what a pattern is given, where that is bounded below a reply's length
    "agent/parsing/python_call.py: _STRINGS": MAX_CALL_CHARACTERS,
    "agent/parsing/python_call.py: _KEYWORD": MAX_CALL_CHARACTERS,
    "agent/parsing/python_call.py: _GROUPED": MAX_CALL_CHARACTERS,
    "agent/parsing/bare_call.py: _FLAT_ARGUMENT": MAX_CALL_CHARACTERS,
    "agent/parsing/json_call.py: _TOKEN": MAX_CALL_CHARACTERS,
    "agent/parsing/candidates.py: _LEAD": 1_000,
    "agent/parsing/candidates.py: _TRAIL": 1_000,
    "agent/parsing/candidates.py: _NAMES_A_FUNCTION": MAX_CALL_CHARACTERS,
    "agent/parsing/candidates.py: _LITERAL": MAX_CALL_CHARACTERS,
    "agent/parsing/markup/arguments.py: _TOKEN": 2 * MAX_CALL_CHARACTERS,
    "agent/parsing/markup/arguments.py: _KEY": 2 * MAX_CALL_CHARACTERS,
    "functions/solvers/equations.py": MAX_EQUATION_CHARACTERS,
    "functions/numbers.py": MAX_CALL_CHARACTERS,
}
BUILT_IN_FUNCTIONS = {  # of functions' names and of a tokenizer's special tokens, escaped; of two sets of characters
    "chat/template.py: control_tokens",
    "problems/gsm8k_equations.py: _find_equations_in_line",
    "tasks/mentions.py: _compile",
}
USED, HIDDEN = patterns_in_use()
DO: dict[str, Callable[[re.Pattern[str], str], object]] = {
    "search": lambda pattern, text: pattern.search(text),
    "match": lambda pattern, text: pattern.match(text),
    "fullmatch": lambda pattern, text: pattern.fullmatch(text),
    "finditer": lambda pattern, text: list(pattern.finditer(text)),
    "findall": lambda pattern, text: pattern.findall(text),
    "sub": lambda pattern, text: pattern.sub("", text),
    "split": lambda pattern, text: pattern.split(text),
}


def limit_of(used: Used) -> int:
    return LIMITS.get(used.location, LIMITS.get(used.location.split(": ")[0], MAX_REPLY_CHARACTERS))


def seconds(used: Used, method: str, text: str) -> float:
    start = time.thread_time()
    DO[method](used.pattern, text)
    return time.thread_time() - start


def slow(used: Used) -> list[str]:
    """The shortest strings on which the pattern takes too long. Sizes grow, so that a bad one is found while small."""
    slow_inputs = []
    size = 12
    while not slow_inputs:
        size = min(size, limit_of(used))
        share = SECONDS * min(1.0, max(0.05, size / limit_of(used)))
        for method in sorted(used.methods):
            slow_inputs += [
                f"{method}, {size} characters: {text[:30]!r}..."
                for text in attacks(used.pattern, size)
                if all(seconds(used, method, text) > share for _ in range(3))
            ]
        if size == limit_of(used):
            break
        size = size + 3 if size < 40 else 3 * size
    return slow_inputs


@pytest.mark.parametrize("used", USED, ids=[used.location for used in USED])
def test_a_pattern_takes_linear_time(used: Used):
    assert slow(used) == []


def test_every_pattern_is_found():
    assert len(USED) > 60
    assert set(HIDDEN) == BUILT_IN_FUNCTIONS, "compile it at module level, where this test finds it"


@pytest.mark.parametrize("bad", [r"(a+)+b", r"^\s*\[?\s*\{", r"(\d+,?)+x", r"\s*,\s*x"])
def test_a_pattern_that_backtracks_is_recognized(bad: str):
    assert slow(Used("here", re.compile(bad), frozenset({"search"})))
