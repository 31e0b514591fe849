"""Planted defects, each caught and named by the right fault or expectation. One table per place where they show."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.params import Params
from callwright.preferences.forks import pairs_from_forks
from callwright.records import Call, Chain, Pair, Problem, Usage
from callwright.storage import jsonl
from callwright.storage.jsonl import read
from callwright.validation import drift
from callwright.validation.quality import ValidationResult, raise_if_too_many_quarantined, validate_chains
from callwright.validation.replay import check_chains
from callwright.validation.suites.pairs import check_pairs
from callwright.validation.suites.problems import check_problems
from callwright.validation.suites.suite import Check, Suites, raise_if_critical_failed
from tests.fakes import chain, problem, step
from tests.validation.conftest import PROBLEMS, SHIPPED, bounds
from tests.working_tree import ROOT

RIGHT, WRONG = ("add(2, 3)", "answer(5)"), ("multiply(2, 3)", "answer(6)")
GOOD = [chain(*(RIGHT if number % 2 else WRONG), id=f"good {number}") for number in range(40)]


def changed(old: bytes, new: bytes) -> bytes:
    """The line of a right chain with a piece of it changed."""
    line = jsonl.dumps(chain(*RIGHT, id="changed"))
    assert line.count(old) == 1, line
    return line.replace(old, new)


def cut_off() -> bytes:
    return jsonl.dumps(chain(*RIGHT))[:-40]


LINES: dict[str, tuple[Chain | bytes, str, str]] = {
    # defect: what is planted, the column that catches it, what the reason names
    "changed observation": (
        chain(step("add(2, 3)", observation="6"), "answer(6)"),
        "mismatch",
        "step 1: recorded '6', but executing the call again gives '5'",
    ),
    "changed call argument": (
        chain(step("add(2, 3)", call=Call("add", {"a": 2, "b": 4})), "answer(5)"),
        "mismatch",
        "step 1: recorded '5', but executing the call again gives '6'",
    ),
    "observation of a failed call": (
        chain(step("divide(2, 0)", observation="0", error=None), "answer(0)"),
        "mismatch",
        "gives the error execution_error",
    ),
    "None injected in arguments": (
        chain(step("add(2, 3)", call=Call("add", {"a": 2, "b": 3, "percent": None})), "answer(5)"),
        "mismatch",
        "gives the error bad_arguments",
    ),
    "answer recorded that was not given": (
        chain("add(2, 3)", "add(3, 3)", answer="5", outcome="answered"),
        "mismatch",
        "recorded answer '5', but the last step gave None",
    ),
    "outcome that is not the end": (
        chain("add(2, 3)", "add(3, 3)", outcome="answered"),
        "mismatch",
        "recorded outcome answered, but the last step gave no answer",
    ),
    "orphan chain": (chain(*RIGHT, problem_id="gone"), "orphan", "there is no problem gone"),
    "chain of a test problem": (chain(*RIGHT, problem_id="secret"), "split", "found 'test'"),
    "unknown model": (chain(*RIGHT, model="stranger"), "model", "found 'stranger'"),
    "no steps": (chain(), "steps", "found 0"),
    "too many steps": (chain(*["add(2, 3)"] * 65), "steps", "found 65"),
    "overlong reply": (chain("word " * 1000 + "\nadd(2, 3)", "answer(5)"), "longest_reply", "found 501"),
    "negative tokens": (chain(*RIGHT, usage=Usage(-1, 4)), "prompt_tokens", "found -1"),
    "too many tokens": (chain(*RIGHT, usage=Usage(10, 10**7)), "completion_tokens", "found 10000000"),
    "truncated file": (cut_off(), "unreadable", "the line: Invalid JSON: EOF"),
    "missing field": (changed(b'"problem_id":"p",', b""), "unreadable", "problem_id: Field required"),
    "wrong type": (changed(b'"prompt_tokens":20', b'"prompt_tokens":"20"'), "unreadable", "usage.prompt_tokens: "),
    "NaN": (changed(b'"a":2', b'"a":NaN'), "unreadable", "NaN is not a JSON value"),
    "mixed encodings": (changed(b'"id":"changed"', '"id":"größer"'.encode("latin-1")), "unreadable", "Invalid JSON"),
    "unknown outcome": (changed(b'"outcome":"answered"', b'"outcome":"tired"'), "unreadable", "outcome: Input should"),
    "unknown protocol": (changed(b'"protocol":"text"', b'"protocol":"morse"'), "unreadable", "protocol: Input should"),
    "another record": (jsonl.dumps(problem()), "unreadable", "problem_id: Field required"),
}


def validate(folder: Path, *lines: Chain | bytes, history: Path | None = None, **changes: float) -> ValidationResult:
    path = folder / "chains.jsonl"
    path.write_bytes(b"".join((line if isinstance(line, bytes) else jsonl.dumps(line)) + b"\n" for line in lines))
    history = history or folder / "history.json"
    return validate_chains([path], PROBLEMS, {"oracle", "base"}, bounds(**changes), Suites(None), history)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> ValidationResult:
    """All defects of single lines in one file of good chains; the one on line n of the table lies on line 41 + n."""
    lines = [replace(bad, id=name) if isinstance(bad, Chain) else bad for name, (bad, *_) in LINES.items()]
    return validate(tmp_path_factory.mktemp("planted"), *GOOD, *lines, chain(*RIGHT, id="good 0"))


@pytest.mark.parametrize("defect", LINES)
def test_a_defective_line_is_quarantined_and_the_defect_named(planted: ValidationResult, defect: str):
    _, column, said = LINES[defect]
    number = len(GOOD) + list(LINES).index(defect) + 1
    (found,) = [one for one in planted.quarantined if one.where.endswith(f":{number}")]
    (reason,) = found.reasons  # that one, and no other
    assert reason.startswith(f"{column}: expected that ")
    assert said in reason


def test_a_duplicated_id_is_quarantined_wherever_it_stands(planted: ValidationResult):
    found = [one for one in planted.quarantined if one.id == "good 0"]
    assert [one.where.rpartition(":")[2] for one in found] == ["1", str(len(GOOD) + len(LINES) + 1)]
    assert {one.reasons for one in found} == {("id: expected that no two chains have the same id; found 'good 0'",)}


def test_what_was_put_aside_and_what_was_kept_is_all_there_was(planted: ValidationResult):
    assert planted.report["chains"] == {"in": 40 + 22 + 1, "kept": 39, "quarantined": 22 + 2}
    assert [record.chain for record in planted.records()] == GOOD[1:]
    assert sum(planted.report["quarantine_reasons"].values()) == 24  # each for one reason


FAULTS: dict[str, tuple[Chain, str]] = {
    "lucky guess": (chain("add(1, 1)", "answer(5)"), "ungrounded_answer"),
    "wrong answer": (chain("multiply(2, 3)", "answer(6)"), "wrong_answer"),
    "repeated call": (chain("add(2, 3)", "add(b=3, a=2)", "answer(5)"), "repeated_call"),
    "no answer": (chain("add(2, 3)"), "no_answer"),
}


@pytest.mark.parametrize("defect", FAULTS)
def test_a_chain_that_teaches_the_wrong_thing_has_its_fault(defect: str):
    bad, fault = FAULTS[defect]
    (checked,) = check_chains([bad], PROBLEMS)
    assert fault in {one.fault for one in checked.verdict.faults}


def test_an_empty_file_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"there are no chains in .*chains\.jsonl"):
        validate(tmp_path)


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"gone\.jsonl is missing: run the stage"):
        validate_chains([tmp_path / "gone.jsonl"], PROBLEMS, {"oracle"}, SHIPPED, Suites(None), tmp_path / "history")


def test_a_file_of_another_kind_is_refused_with_the_commonest_reason(tmp_path: Path):
    result = validate(tmp_path, *GOOD[:3], *[b"\xff\xfe\x00"] * 4)
    with pytest.raises(DataError, match=r"4 of 7 chains were quarantined .* unreadable: a line is a chain record"):
        raise_if_too_many_quarantined(result, SHIPPED.max_quarantined_share)


WHOLES: dict[str, tuple[list[Chain], str, str]] = {
    "none correct": (GOOD[::2], "chains.correct", "expected that 5% to 99% of the chains are correct; found 0"),
    "all correct": (GOOD[1::2], "chains.correct", "expected that 5% to 99% of the chains are correct; found 1"),
    "few answers": (
        [*GOOD[:8], *(chain("add(2, 3)", id=f"open {number}") for number in range(12))],
        "chains.answered",
        "expected that at least 50% of the chains end with an answer; found 0.4",
    ),
    "one fault for all": (
        GOOD[:4] + GOOD[6::2],
        "chains by task.fault_share",
        "begin with the same fault; found 1 of 1",
    ),
    "uncounted tokens": (
        [replace(one, usage=Usage(0, 0)) for one in GOOD],
        "chains.completion_tokens",
        "expected that an attempt's tokens were counted; found 40 of 40",
    ),
}


def failed(checks: list[Check]) -> dict[str, str]:
    return {f"{check.suite}.{check.column}": check.complaint() for check in checks if not check.success}


@pytest.mark.parametrize("defect", WHOLES)
def test_chains_that_are_amiss_together_fail_the_right_check(tmp_path: Path, defect: str):
    chains, column, said = WHOLES[defect]
    assert said in failed(validate(tmp_path, *chains).checks)[column]


def test_a_drifted_fault_mix_is_told_with_its_distance(tmp_path: Path):
    first = validate(tmp_path, *GOOD)
    assert first.version is not None
    drift.record(tmp_path / "history.json", first.version)
    # half of the chains were wrong, now nine of ten: 0.9 ln(0.9 / 0.5) + 0.1 ln(0.1 / 0.5) = 0.368
    drifted = [chain(*(RIGHT if number % 10 == 0 else WRONG), id=f"new {number}") for number in range(40)]
    told = failed(validate(tmp_path, *drifted).checks)
    assert set(told) == {"drift.correct", "drift.first_fault", "chains by task.fault_share"}
    assert told["drift.first_fault"] == (
        "drift: first_fault: expected that first_fault is distributed as in the data's previous version; found 0.3681"
    )


OTHER = "Tom has 7 pens and loses 4. How many pens has he?"
SOUND = [
    problem(id="a", question="Ana has 1 fig."),
    problem(id="b", question="Ben has 2 figs.", split="dev"),
    problem(id="t", question=OTHER, split="test"),
]
ASKED: dict[str, tuple[Problem, str, str]] = {
    "leaked test problem": (problem(id="leak", question=f"  {OTHER.upper()}"), "leak", "leak"),
    "duplicated problem id": (problem(id="a", question="Cay has 3 figs."), "id", "a"),
    "unknown task": (problem(id="odd", question="Dan?", task="cooking"), "task", "odd"),
    "empty question": (problem(id="mute", question=" "), "question", "mute"),
    "empty answer": (problem(id="open", question="Eve?", answer=""), "answer", "open"),
    "overlong question": (problem(id="long", question="word " * 10_000), "question_characters", "long"),
}


@pytest.mark.parametrize("defect", ASKED)
def test_a_defective_problem_stops_the_stage_and_is_named(defect: str):
    bad, column, row = ASKED[defect]
    checks = check_problems([*SOUND, bad], bounds(max_label_share=1.0), Suites(None))
    assert list(failed(checks)) == [f"problems.{column}"]
    with pytest.raises(DataError, match=f"^problems: {column}: expected that .* such as {row}"):
        raise_if_critical_failed(checks)


def test_a_label_that_nearly_all_problems_have_is_told():
    problems = [problem(id=f"{n}", question=f"{n}?", answer="Unknown" if n < 19 else "True") for n in range(20)]
    told = failed(check_problems(problems, SHIPPED, Suites(None)))  # 19 of 20 is more than 90 %
    (line,) = told.values()
    assert line == (
        "problems by task: label_share: expected that at most 90% of a task's problems have the same answer; "
        "found 1 of 1 otherwise, such as arithmetic"
    )


@pytest.fixture(scope="module")
def made() -> tuple[list[Pair], dict[str, Problem], list]:
    """Pairs as the pipeline makes them, of one problem with right, wrong and roundabout chains."""
    params = Params.load(ROOT / "params.yaml").pairs
    chains = [
        chain("add(2, 3)", "answer(5)", id="right"),
        chain("multiply(2, 3)", "answer(6)", id="wrong"),
        chain("sum(2, 3)", "answer(5)", id="unknown"),
    ]
    records = list(check_chains(chains, PROBLEMS))
    pairs, _ = pairs_from_forks(records, {"p": PROBLEMS["p"]}, params)
    assert len(pairs) >= 2
    return pairs, PROBLEMS, records


def look(made, pairs: list[Pair]) -> list[Check]:
    return check_pairs(pairs, made[1], made[2], 0.3, SHIPPED, Suites(None))


def said(text: str) -> tuple[dict[str, str], ...]:
    return ({"role": "assistant", "content": text},)


PAIRS: dict[str, tuple[Callable[[Pair], Pair], str]] = {
    "swapped chosen and rejected": (lambda pair: replace(pair, chosen=pair.rejected, rejected=pair.chosen), "swapped"),
    "equal sides": (lambda pair: replace(pair, rejected=pair.chosen), "same_sides"),
    "margin below the minimum": (lambda pair: replace(pair, margin=0.2), "margin"),
    "margin above one": (lambda pair: replace(pair, margin=1.2), "margin"),
    "pair of a problem that does not exist": (lambda pair: replace(pair, problem_id="gone"), "orphan"),
    "pair of a test problem": (lambda pair: replace(pair, problem_id="secret"), "split"),
    "unknown kind": (lambda pair: replace(pair, kind="ugly"), "kind"),
    "reply that no chain gave": (lambda pair: replace(pair, chosen=said("add(a=2, b=3, percent=None)")), "untold"),
    "overlong side": (lambda pair: replace(pair, rejected=said("word " * 1000)), "longest_reply"),
}


def test_pairs_as_they_are_made_pass_every_check(made):
    assert failed(look(made, made[0])) == {}


@pytest.mark.parametrize("defect", PAIRS)
def test_a_defective_pair_stops_the_stage_and_is_named(made, defect: str):
    spoil, column = PAIRS[defect]
    bad = replace(spoil(made[0][0]), id="bad")
    checks = look(made, [*made[0], bad])
    assert "such as bad" in failed(checks)[f"pairs.{column}"]
    with pytest.raises(DataError, match=r"^pairs: \w+: expected that .* such as bad"):
        raise_if_critical_failed(checks)


def test_a_duplicated_pair_is_named(made):
    assert f"such as {made[0][0].id}" in failed(look(made, [*made[0], made[0][0]]))["pairs.id"]


def test_no_pairs_at_all_are_named(made):
    assert "expected that there are pairs" in failed(look(made, []))["pairs."]


def test_a_truncated_pair_file_is_named_by_line(made, tmp_path: Path):
    jsonl.write(tmp_path / "pairs.jsonl", made[0])
    whole = (tmp_path / "pairs.jsonl").read_bytes()
    (tmp_path / "pairs.jsonl").write_bytes(whole[:-30])
    with pytest.raises(DataError, match=rf"pairs\.jsonl:{len(made[0])}: "):
        list(read(Pair, tmp_path / "pairs.jsonl"))


def test_there_are_at_least_25_different_defects():
    named = [*LINES, *FAULTS, *WHOLES, *ASKED, *PAIRS]
    assert len(set(named)) == len(named) == 46
