"""Text for Great Expectations' pages: nothing in it is markup, and different texts stay different."""

import re
from html import unescape

import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.text import escape_controls
from callwright.validation.suites.page_text import page_frame, page_text, page_value, plain_text

TEXTS = st.text() | st.text("<>&\"'`$\\x1b\n\x1b\u202e[](){}*_#;&lt;")


@settings(derandomize=True, max_examples=400)
@given(TEXTS, TEXTS)
def test_different_texts_stay_different_and_none_is_markup(one: str, other: str):
    shown = page_text(one)
    assert (shown == page_text(other)) == (one == other)
    assert not re.search(r"[<>\"'`$\[\](){}*]", shown)
    assert re.fullmatch(r"[^&]*(&#\d+;[^&]*)*", shown), "an ampersand begins an entity of ours"
    assert all(mark.isprintable() or mark == "\n" for mark in shown)
    assert plain_text(shown) == unescape(shown) == escape_controls(one)


def test_a_table_keeps_its_types_and_what_is_no_text():
    frame = pd.DataFrame({"id": ["<b>", "b"], "n": [1, 2], "bad": [None, "<i>"], "right": [True, False]})
    shown = page_frame(frame)
    assert list(shown.dtypes) == list(frame.dtypes)
    assert list(shown["id"]) == ["&#60;b&#62;", "b"]
    assert shown["bad"].isna().tolist() == [True, False]
    assert list(frame["id"]) == ["<b>", "b"], "the table that was given is untouched"


def test_the_texts_of_a_setting_are_found_wherever_they_stand():
    assert page_value({"values": ["<", 1, None], "weights": [0.5]}) == {"values": ["&#60;", 1, None], "weights": [0.5]}
