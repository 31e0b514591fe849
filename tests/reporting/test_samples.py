"""The page of samples: its contents, and that hostile model text has no effect."""

import re
from dataclasses import replace
from pathlib import Path

from callwright.records import CheckedChain, Pair, Step, StepFault, Verdict
from callwright.reporting.samples import SAMPLES_PER_GROUP, write_samples
from tests.fakes import chain, problem
from tests.fakes import pair as pair_of_messages

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \u202egnp\x1b[31m {{ 7 * 7 }} \ud800"
PROBLEM = problem(question=f"How many? {HOSTILE}")


def checked_chain(name: str, fault: str = "", reply: str = "add(2, 3)") -> CheckedChain:
    sampled = chain(Step(reply, None, None, reply), id=name)
    faults = (StepFault(fault, 0, f"because {reply}"),) if fault else ()
    return CheckedChain(sampled, Verdict(name, not fault, faults, 0 if fault else None))


def pair(name: str, kind: str, text: str) -> Pair:
    sides = [({"role": "assistant", "content": f"{text} {side}"},) for side in ("better", "worse")]
    prompt = [{"role": "user", "content": text}]
    return pair_of_messages(name, prompt, *sides, problem_id=PROBLEM.id, margin=0.5, kind=kind)


def page(tmp_path: Path, chains: list[CheckedChain], pairs: list[Pair]) -> str:
    path = tmp_path / "samples.html"
    write_samples(path, chains, pairs, {PROBLEM.id: PROBLEM})
    return path.read_text(encoding="utf-8")


def test_hostile_text_is_shown_and_has_no_effect(tmp_path):
    function = {"name": "add", "arguments": '{"a": "</pre><script>x"}'}
    call = {"role": "assistant", "content": "", "tool_calls": [{"id": "c", "type": "function", "function": function}]}
    called = replace(pair("called", HOSTILE, HOSTILE), chosen=(call,))
    html = page(tmp_path, [checked_chain(HOSTILE, HOSTILE, HOSTILE)], [pair("p", "syntax", HOSTILE), called])
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert all(character.isprintable() or character == "\n" for character in html)
    assert "\\u202egnp\\x1b[31m {{ 7 * 7 }} \\ud800" in html
    assert "add(a=&#39;&lt;/pre&gt;&lt;script&gt;x&#39;)" in html


def test_the_page_loads_nothing(tmp_path):
    html = page(tmp_path, [checked_chain("a")], [pair("p", "syntax", "x")])
    assert "default-src 'none'; style-src 'unsafe-inline'" in html
    assert re.findall(r"<\w+[^>]* (?:src|href)=([^\s>]*)", html) == ['"#chain-correct"', '"#pair-syntax"']
    assert "url(" not in html
    assert "@import" not in html


def test_samples_are_grouped_by_first_fault_and_by_kind_with_counts(tmp_path):
    chains = [checked_chain("good")] + [
        checked_chain(f"bad {index}", "wrong_answer") for index in range(SAMPLES_PER_GROUP + 3)
    ]
    html = page(tmp_path, chains, [pair("p", "detour", "x"), pair("q", "syntax", "x")])
    assert re.findall(r'<h3 id="([^"]+)">\S+ <span class="soft">([\d,]+)</span>', html) == [
        ("chain-correct", "1"),
        ("chain-wrong_answer", str(SAMPLES_PER_GROUP + 3)),
        ("pair-syntax", "1"),
        ("pair-detour", "1"),
    ]
    assert html.count("<h4>bad ") == SAMPLES_PER_GROUP
    assert html.count('class="bad">wrong_answer: because add(2, 3)') == SAMPLES_PER_GROUP


def test_the_order_of_the_records_does_not_change_the_page(tmp_path):
    chains = [checked_chain(f"chain {index}", "wrong_answer") for index in range(9)]
    pairs = [pair(f"pair {index}", "syntax", "x") for index in range(9)]
    assert page(tmp_path, chains, pairs) == page(tmp_path, chains[::-1], pairs[::-1])


def test_a_page_without_chains_and_pairs_shows_a_sentence(tmp_path):
    assert page(tmp_path, [], []).count("There are none.") == 2
