"""Values are changed in the text of a YAML file, and the rest of the text stays."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.errors import ParamsError
from callwright.params.yaml_file import overlay_yaml, parse_sections


@pytest.mark.parametrize(
    ("text", "overlay", "expected"),
    [
        ("a: 1 # one\nb: 2\n", "a: 30", "a: 30 # one\nb: 2\n"),
        ("a:   1\n", "a: 2", "a:   2\n"),
        ("a: 'x'   # quoted\n\n\nb: \"y\"\n", "{b: z}", "a: 'x'   # quoted\n\n\nb: z\n"),
        ("a: 1 # one\n", "a: null", "a: # one\n"),
        ("a: # none\nb: 1\n", "a: x", "a: x # none\nb: 1\n"),
        ("a: null\n", "a: 5.0e-5", "a: 5.0e-5\n"),
        ("a: {b: 1,  c: null} # d\n", "a: {c: 2}", "a: {b: 1,  c: 2} # d\n"),
        ("a: {b: 1}\n", "a: {b: null}", "a: {b: null}\n"),
        ("a: {b: 1}\n", "a: {c: 'q'}", "a: {b: 1, c: 'q'}\n"),
        ("a: {b: 1}\n", "a: {}", "a: {}\n"),
        ("a: {}\n", "a: {b: 1}", "a: {b: 1}\n"),
        ("a: # b\n  c: 1 # d\n\ne: 2\n", "a: {f: 3}", "a: # b\n  c: 1 # d\n  f: 3\n\ne: 2\n"),
        ("a: 1", "b: {c: 2, d: [x, 'y']}", "a: 1\nb: {c: 2, d: [x, 'y']}"),
        ("a: # list\n- 1\n- 2\n\nb: 3\n", "a: [4, 5, 6]", "a: # list\n- 4\n- 5\n- 6\n\nb: 3\n"),
        ("a: # list\n- 1 # one\n- 2 # two\nb: 3\n", "a: [4, 5]", "a: # list\n- 4 # one\n- 5 # two\nb: 3\n"),
        ("a: # list\n  - 1\n# b\nb: 3\n", "a: []", "a: [] # list\n# b\nb: 3\n"),
        ("a: [1, 2] # list\n", "a:\n- 3\n- 4\n", "a: [3, 4] # list\n"),
        ("a: # map\n  b:\n    c: 1\nd: 2\n", "a: 3", "a: 3 # map\nd: 2\n"),
        ("a: # map\n  b:\n    c: 1\nd: 2\n", "a: null", "a: # map\nd: 2\n"),
        ("a: |\n  one\n  two\n\nb: 1\n", "a: x", "a: x\n\nb: 1\n"),
        ("a: 1\n", "a: |\n  one\n  two\n", 'a: "one\\ntwo\\n"\n'),
        ("a: [x]\n", "a: ['p, q', \"r\"]", "a: ['p, q', \"r\"]\n"),
        ("a: 1\r\nb: # c\r\n  - 2\r\n", "{a: 3, b: [4, 5], d: 6}", "a: 3\r\nb: # c\r\n  - 4\r\n  - 5\r\nd: 6\r\n"),
        ("a: ü # ö\nb: 1\n", "b: 2", "a: ü # ö\nb: 2\n"),
    ],
)
def test_only_the_text_of_changed_values_is_replaced(text: str, overlay: str, expected: str):
    assert overlay_yaml(text, overlay, "params.yaml")[0] == expected


def test_changed_values_are_named_and_equal_ones_keep_their_text():
    text = "a: {b: 1.0, c: 2}\nd: 5.0e-5\ne: [1, 2]\n"
    assert overlay_yaml(text, "{a: {b: 1, c: 3}, d: 0.00005, e: [1, 2], f: null, g: 1}", "x") == (
        "a: {b: 1.0, c: 3}\nd: 5.0e-5\ne: [1, 2]\ng: 1\n",
        ["a.c", "g"],
    )
    assert overlay_yaml("a: {}\n", "a: {b: 1, c: 2}", "x") == ("a: {b: 1, c: 2}\n", ["a"])


@pytest.mark.parametrize("text", ["a: &x 1\nb: *x\n", "b: &x {c: 1}\na:\n  <<: *x\n", "b: &x {c: 1}\na: *x\n"])
def test_a_value_that_shares_its_text_with_another_gives_a_one_line_error(text: str):
    with pytest.raises(ParamsError, match=r"^params\.yaml cannot be changed in place: write it without anchors"):
        overlay_yaml(text, "a: {c: 2}" if "c" in text else "a: 2", "params.yaml")


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
names = st.sampled_from("abc")
mappings = st.dictionaries(
    names,
    st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=6
    ),
    min_size=1,
)


def block_lines(values: dict[str, Any], indent: str) -> Iterator[str]:
    """Lines of a YAML mapping in block style, with lists of scalars in block style too."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield f"{indent}{name}: # {name}"
            yield from block_lines(value, f"{indent}  ")
        elif isinstance(value, list) and value and not any(isinstance(item, dict | list) for item in value):
            yield f"{indent}{name}:"
            yield from (f"{indent}- {json.dumps(item)}" for item in value)
        else:
            yield f"{indent}{name}: {'' if value is None else json.dumps(value)}"


def written(values: dict[str, Any], in_block: bool) -> str:
    return "\n".join(block_lines(values, "")) + "\n" if in_block else json.dumps(values)


@given(mappings, mappings, st.booleans(), st.booleans())
def test_the_new_text_has_the_values_of_both(values: dict, overlay: dict, in_block: bool, overlay_in_block: bool):
    def merged(old: Any, new: Any) -> Any:
        if isinstance(old, dict) and isinstance(new, dict) and old and new:
            return {**old, **{name: merged(old.get(name), new[name]) for name in new if old.get(name) != new[name]}}
        return new

    text, overlay_text = written(values, in_block), written(overlay, overlay_in_block)
    new_text, _ = overlay_yaml(text, overlay_text, "x")
    assert parse_sections(new_text, "x") == merged(parse_sections(text, "x"), parse_sections(overlay_text, "x"))
