"""The page of samples: what it shows, and what it lets no model's text do."""

import re
from dataclasses import replace
from pathlib import Path

from callwright.records import CheckedChain, Pair, Step, StepFault, Verdict
from callwright.reporting.samples import SAMPLES_PER_GROUP, write_samples
from tests.fakes import chain, problem

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \u202egnp\x1b[31m {{ 7 * 7 }} \ud800"
PROBLEM = problem(question=f"How many? {HOSTILE}")


def record(name: str, fault: str = "", said: str = "add(2, 3)") -> CheckedChain:
    made = chain(Step(said, None, None, said), id=name)
    faults = (StepFault(fault, 0, f"because {said}"),) if fault else ()
    return CheckedChain(made, Verdict(name, not fault, faults, 0 if fault else None))


def pair(name: str, kind: str, said: str) -> Pair:
    sides = [({"role": "assistant", "content": f"{said} {side}"},) for side in ("better", "worse")]
    return Pair(name, PROBLEM.id, ({"role": "user", "content": said},), *sides, (), 0.5, kind)


def page(tmp_path: Path, chains: list[CheckedChain], pairs: list[Pair]) -> str:
    path = tmp_path / "samples.html"
    write_samples(path, chains, pairs, {PROBLEM.id: PROBLEM})
    return path.read_text(encoding="utf-8")


def test_hostile_text_is_shown_and_does_nothing(tmp_path):
    function = {"name": "add", "arguments": '{"a": "</pre><script>x"}'}
    call = {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "function", "function": function}]}
    called = replace(pair("called", HOSTILE, HOSTILE), chosen=(call,))
    shown = page(tmp_path, [record(HOSTILE, HOSTILE, HOSTILE)], [pair("p", "syntax", HOSTILE), called])
    assert "<script" not in shown
    assert "<img" not in shown
    assert "&lt;script&gt;alert(1)" in shown
    assert all(one.isprintable() or one == "\n" for one in shown)
    assert "\\u202egnp\\x1b[31m {{ 7 * 7 }} \\ud800" in shown
    assert "add(a=&#39;&lt;/pre&gt;&lt;script&gt;x&#39;)" in shown


def test_the_page_loads_nothing(tmp_path):
    shown = page(tmp_path, [record("a")], [pair("p", "syntax", "x")])
    assert "default-src 'none'; style-src 'unsafe-inline'" in shown
    assert re.findall(r"<\w+[^>]* (?:src|href)=([^\s>]*)", shown) == ['"#chain-correct"', '"#pair-syntax"']
    assert "url(" not in shown
    assert "@import" not in shown


def test_samples_are_grouped_by_first_fault_and_by_kind_with_counts(tmp_path):
    chains = [record("good")] + [record(f"bad {place}", "wrong_answer") for place in range(SAMPLES_PER_GROUP + 3)]
    shown = page(tmp_path, chains, [pair("p", "detour", "x"), pair("q", "syntax", "x")])
    assert re.findall(r'<h3 id="([^"]+)">\S+ <span class="soft">([\d,]+)</span>', shown) == [
        ("chain-correct", "1"),
        ("chain-wrong_answer", str(SAMPLES_PER_GROUP + 3)),
        ("pair-syntax", "1"),
        ("pair-detour", "1"),
    ]
    assert shown.count("<h4>bad ") == SAMPLES_PER_GROUP
    assert shown.count('class="bad">wrong_answer: because add(2, 3)') == SAMPLES_PER_GROUP


def test_the_order_of_what_comes_in_does_not_change_the_page(tmp_path):
    chains = [record(f"chain {place}", "wrong_answer") for place in range(9)]
    pairs = [pair(f"pair {place}", "syntax", "x") for place in range(9)]
    assert page(tmp_path, chains, pairs) == page(tmp_path, chains[::-1], pairs[::-1])


def test_without_chains_and_pairs_the_page_says_so(tmp_path):
    assert page(tmp_path, [], []).count("There are none.") == 2
