"""Secrets in text from outside: found in every form that is known, and in linear time."""

import os
import subprocess
import sys
import time
from urllib.parse import quote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from callwright.redaction import names_secret, redacted, redacted_line
from callwright.surprises import surprise_of

KEY = "pl4nted+key/of=its.own"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Incorrect API key provided: sk-proj-abcdef.", "Incorrect API key provided: ***."),
        ("Incorrect API key provided: sk-pl****************9e7c", "Incorrect API key provided: ***"),
        ("rejected Bearer abcdef", "rejected Bearer ***"),
        ("{'authorization': 'Basic YW5uOnB3'}", "{'authorization': '***'}"),
        ("x-api-key: abc, next", "x-api-key: ***, next"),
        ("postgresql://ann:pw@db:5432/mlflow", "postgresql://***@db:5432/mlflow"),
        ("postgresql://ann:p/w@db:5432/mlflow", "postgresql://***@db:5432/mlflow"),
        ("at http://a:b@h/v1,http://c:d@i/v1", "at http://***@h/v1,http://***@i/v1"),
        ("http://h/v1?api-version=2&api-key=a%20b&x=1", "http://h/v1?api-version=2&api-key=***&x=1"),
        ("hf_abcdefghijklmnop and ghp_abcdefghijklmnop", "*** and ***"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIx.c2ln", "token ***"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text, shown):
    assert redacted(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "models:/callwright-student@champion",
        "http://host:8000/path@v1",
        "max_tokens=4096 is more than input_tokens=12 allows",
        "the task-sk-values of a desk-top",
        "functions.py:12: answer(value=3)",
        "set TEACHER_API_KEY (any text for a server that asks for none)",
        "a bearer of news",
    ],
)
def test_ordinary_text_stays_as_it_is(text):
    assert redacted(text) == text


def test_values_of_the_environments_secrets_are_hidden_also_where_they_are_quoted(monkeypatch):
    monkeypatch.setenv("MY_SERVICE_TOKEN", KEY)
    monkeypatch.setenv("OTHER_KEY", "any")  # too short to be one: it would hide words
    assert redacted(f"{KEY} or {quote(KEY, safe='')} in any place") == "*** or *** in any place"


def test_a_value_that_is_named_is_hidden_whatever_its_variable():
    assert redacted(f"it was {KEY}", [KEY]) == "it was ***"


def test_one_line_is_one_bounded_visible_line_that_was_redacted_before_it_was_cut():
    assert redacted_line(f"\x1b[31mred\n  \u202e{KEY}", 40, [KEY]) == r"\x1b[31mred \u202e***"
    assert redacted_line("a" * 30 + KEY, 40, [KEY]) == "a" * 30 + "***"
    assert len(redacted_line("b" * 10_000, 40)) == 40
    assert KEY[:5] not in redacted_line("a " * 18 + KEY, 40, [KEY])
    for blanks in range(700, 801):  # somewhere here the text that is looked at ends within the key
        assert KEY[:3] not in redacted_line("a" + " " * blanks + KEY, 40, [KEY])


def test_a_surprise_hides_secrets_in_its_message_and_its_traceback(monkeypatch):
    monkeypatch.setenv("MY_SERVICE_TOKEN", KEY)
    try:
        raise ValueError(f"no {KEY} at http://ann:hunter22@h/v1")
    except ValueError as error:
        surprise = surprise_of(error)
    assert surprise.message == "no *** at http://***@h/v1"
    assert KEY not in surprise.traceback_text
    assert "ann:hunter22" not in surprise.traceback_text


def test_a_stage_that_breaks_down_shows_its_traceback_without_secrets(tmp_path):
    code = f"""
from callwright.pipeline.stage import run_stage
def main(clock):
    raise RuntimeError("cannot reach postgresql://ann:hunter22@db/mlflow with {KEY}")
run_stage("problems", main)
"""
    environment = {**os.environ, "SOME_TOKEN": KEY}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith("RuntimeError: cannot reach postgresql://***@db/mlflow with ***\n")
    assert "in main" in done.stderr


def test_names_of_usual_fields_are_not_those_of_secrets():
    assert not any(
        map(names_secret, ("api-version", "deployment", "max_tokens", "PATH", "LANG", "TOKENIZERS_PARALLELISM"))
    )
    assert all(map(names_secret, ("key", "api_key", "accessToken", "X-Amz-Signature", "AWS_SECRET_ACCESS_KEY")))


SECRET = st.text("abcdefgh0123456789", min_size=12, max_size=40)
AROUND = st.text(st.characters(codec="utf-8"), max_size=40)


@given(SECRET, AROUND, AROUND)
def test_a_secret_never_survives_whatever_stands_around_it(secret, before, after):
    assume(secret not in before + after)
    for text in (
        f"{before} sk-{secret} {after}",
        f"{before} Bearer {secret} {after}",
        f"{before} http://ann:{secret}@host/v1 {after}",
        f"{before} https://host/v1?a=b&api-key={secret} {after}",
        f"{before} authorization: {secret} {after}",
    ):
        assert secret not in redacted(text)
    assert secret not in redacted(before + secret + after, [secret])


@given(
    st.lists(st.sampled_from([*"/@:?&=*() .", "sk-", "http://", "Bearer ", "authorization", "key=", "abcdef"])).map(
        "".join
    )
)
def test_text_that_was_redacted_twice_is_as_if_it_was_once(text):
    once = redacted(text)
    assert redacted(once) == once


PIECES = [
    "://",
    "@",
    "a",
    " ",
    "?a=",
    "&key=",
    "sk-",
    "bearer ",
    "authorization",
    ":",
    "eyJ.",
    "hf_",
    "\t",
    "api_key=",
    ".",
]


@pytest.mark.parametrize("piece", [*PIECES, *(a + b for a in PIECES for b in PIECES)])
def test_redaction_is_linear_in_the_text(piece):
    text = piece * (60_000 // len(piece))
    began = time.perf_counter()
    redacted(text)
    assert time.perf_counter() - began < 5  # 0.02 s on a quiet machine; quadratic would be a minute
