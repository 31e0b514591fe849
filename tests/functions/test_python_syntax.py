"""Warnings of Python's parser about a model's text are not logged, and do not change how the text is read."""

import ast
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.agent.parsing.parse import parse_call
from callwright.errors import CallError
from callwright.functions.python_syntax import double_invalid_escapes, mask_invalid_escapes, parse_python
from callwright.functions.solvers.equations import read_equation
from callwright.records import Call

WARNED = [  # the parser of some Python version warns about each of these texts
    r"f('\d')",
    r"f('\777')",
    r"x = f('\é')",
    r"f(r'\d', '\q')",
    "f(1if True else 2)",
    "f(0x1for x in y)",
    "f(1 is 1)",
    "assert (f(1), 'always')",
    'f("""a\n\\d""")',
]
SCRIPT = f"""
from callwright.agent.parsing.parse import parse_call
from callwright.errors import CallError
from callwright.functions.solvers.equations import read_equation
for text in {WARNED!r}:
    parse_call(text)
    parse_call("Both:\\n" + text)
for text in ("2x = 1if 6", r"'\\d' = 2"):
    try:
        read_equation(text)
    except CallError:
        pass
"""


@pytest.mark.parametrize("flags", [["-W", "always"], ["-W", "error"], ["-X", "dev"]])
def test_no_warning_about_a_models_text_is_printed(flags: list[str]):
    command = [sys.executable, *flags, "-c", SCRIPT]
    completed = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert completed.returncode == 0, completed.stderr[-1_000:]
    assert [line for line in completed.stderr.splitlines() if "text of a model" in line or "escape" in line] == []


def test_with_default_options_nothing_at_all_is_printed():
    command = [sys.executable, "-c", SCRIPT]
    completed = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (completed.returncode, completed.stdout, completed.stderr) == (0, "", "")


def test_invalid_escapes_are_read_the_same_if_all_warnings_are_errors():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert parse_call(r"f('\d')") == Call("f", {"0": r"\d"})
        assert parse_call("x = f('\\d', \"\\é\")\nprint(x)") == Call("f", {"0": r"\d", "1": r"\é"})
        assert parse_call(r"{'name': 'f', 'arguments': {'a': '\d'}}") == Call("f", {"a": r"\d"})


def test_parsing_in_threads_does_not_change_the_warning_filters():
    before = list(warnings.filters)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(parse_call, WARNED * 50))
    assert warnings.filters == before


def test_an_equation_with_a_backslash_is_rejected():
    with pytest.raises(CallError, match="cannot read the equation"):
        read_equation(r"'\d' = 2")


pieces = st.lists(st.sampled_from(["\\", "'", '"', "a", "d", "é", "\n", "r'", "8", "u", "N", "(", ")"]), max_size=12)


@given(pieces.map("".join))
def test_doubling_escapes_keeps_the_meaning_and_masking_them_keeps_the_positions(text: str):
    def dump(code: str) -> str | None:
        try:
            return ast.dump(parse_python(code))
        except (SyntaxError, ValueError):
            return None

    assert dump(double_invalid_escapes(text)) == dump(text)
    masked = mask_invalid_escapes(text)
    assert [len(line.encode()) for line in masked.split("\n")] == [len(line.encode()) for line in text.split("\n")]
    assert (dump(masked) is None) == (dump(text) is None)
