"""Escaped texts for Great Expectations' pages: they contain no markup, and different texts stay different."""

import re
from html import unescape

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.text import escape_controls
from callwright.validation.suites.expectations import page_frame, page_text, page_value, plain_text

TEXTS = st.text() | st.text("<>&\"'`$\\x1b\n\x1b\u202e[](){}*_#;&lt;")


@settings(derandomize=True, max_examples=400)
@given(TEXTS, TEXTS)
def test_different_texts_stay_different_and_contain_no_markup(text: str, other: str):
    shown = page_text(text)
    assert (shown == page_text(other)) == (text == other)
    assert not re.search(r"[<>\"'`$\[\](){}*]", shown)
    assert re.fullmatch(r"[^&]*(&#\d+;[^&]*)*", shown), "every ampersand begins one of our entities"
    assert all(mark.isprintable() or mark == "\n" for mark in shown)
    assert plain_text(shown) == unescape(shown) == escape_controls(text)


def test_a_table_keeps_its_column_types_and_values_that_are_not_text():
    frame = pd.DataFrame({"id": ["<b>", "b"], "n": [1, 2], "bad": [None, "<i>"], "right": [True, False]})
    shown = page_frame(frame)
    assert list(shown.dtypes) == list(frame.dtypes)
    assert list(shown["id"]) == ["&#60;b&#62;", "b"]
    assert shown["bad"].isna().tolist() == [True, False]
    assert list(frame["id"]) == ["<b>", "b"], "the original table is unchanged"


def test_all_texts_in_a_nested_setting_are_escaped():
    assert page_value({"values": ["<", 1, None], "weights": [0.5]}) == {"values": ["&#60;", 1, None], "weights": [0.5]}
