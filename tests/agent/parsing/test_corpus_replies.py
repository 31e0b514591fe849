"""What every reply of a corpus means. The expected readings were derived by hand, not by the parser."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from callwright.agent.parsing.parse import parse_call
from callwright.errors import CallError
from callwright.records import Call

KINDS: dict[str, list[list[Any]]] = YAML(typ="safe").load(Path(__file__).with_name("corpus_replies.yaml").read_text())
ROWS = [(kind, row) for kind, rows in KINDS.items() for row in rows]


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=[f"{kind}: {row[0]!r}" for kind, row in ROWS])
def test_a_reply_is_read_as_it_is_meant_or_refused_with_what_is_wrong(kind: str, row: list[Any]):
    read = parse_call(row[0])
    match row:
        case [_, name, arguments]:
            assert read == Call(name, arguments)
            assert [type(value) for value in read.arguments.values()] == [type(value) for value in arguments.values()]
        case [_, mentions]:
            assert isinstance(read, CallError), read
            assert read.fault == "syntax"
            assert mentions in read.message
            assert read.message.isprintable()


def test_the_corpus_is_large_and_repeats_nothing():
    assert len({row[0] for _, row in ROWS}) == len(ROWS) >= 300
