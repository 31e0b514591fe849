"""Each reply of a corpus is read as the call that was derived from it by hand, not by the parser."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from callwright.agent.parsing.parse import parse_call
from callwright.errors import CallError
from callwright.records import Call

KINDS: dict[str, list[list[Any]]] = YAML(typ="safe").load(Path(__file__).with_name("corpus_replies.yaml").read_text())
CASES = [(kind, case) for kind, cases in KINDS.items() for case in cases]


@pytest.mark.parametrize(("kind", "case"), CASES, ids=[f"{kind}: {case[0]!r}" for kind, case in CASES])
def test_a_reply_is_read_as_intended_or_is_a_fault_with_its_cause(kind: str, case: list[Any]):
    call = parse_call(case[0])
    match case:
        case [_, name, arguments]:
            assert call == Call(name, arguments)
            assert [type(value) for value in call.arguments.values()] == [type(value) for value in arguments.values()]
        case [_, cause]:
            assert isinstance(call, CallError), call
            assert call.fault == "syntax"
            assert cause in call.message
            assert call.message.isprintable()


def test_the_corpus_is_large_and_has_no_duplicates():
    assert len({case[0] for _, case in CASES}) == len(CASES) >= 300
