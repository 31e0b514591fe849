"""Planted defects: the right fault or expectation finds each of them. There is one table per kind of check."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from callwright.agent.conversation import render_plain
from callwright.errors import DataError
from callwright.params import Params
from callwright.preferences.forks import pairs_from_forks
from callwright.records import Call, Chain, Pair, Problem, Usage
from callwright.reports.quality import ChainCounts
from callwright.storage import jsonl
from callwright.storage.jsonl import read
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.task import ARITHMETIC
from callwright.validation import drift
from callwright.validation.quality import ValidationResult, raise_if_too_many_quarantined, validate_chains
from callwright.validation.replay import check_chain
from callwright.validation.suites.pairs import check_pairs
from callwright.validation.suites.problems import check_problems
from callwright.validation.suites.suite import Check, Suites, raise_if_critical_failed
from tests.fakes import chain, problem, step
from tests.validation.conftest import PROBLEMS, SHIPPED, bounds
from tests.working_tree import ROOT

RIGHT, WRONG = ("add(2, 3)", "answer(5)"), ("multiply(2, 3)", "answer(6)")
GOOD = [chain(*(RIGHT if number % 2 else WRONG), id=f"good {number}") for number in range(40)]


def changed(old: bytes, new: bytes) -> bytes:
    """The line of a right chain, with one part replaced."""
    line = jsonl.dumps(chain(*RIGHT, id="changed"))
    assert line.count(old) == 1, line
    return line.replace(old, new)


def cut_off() -> bytes:
    return jsonl.dumps(chain(*RIGHT))[:-40]


LINES: dict[str, tuple[Chain | bytes, str, str]] = {
    # defect: the bad line, the column of the check that fails, part of the reason
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
    return validate_chains([path], PROBLEMS, TASKS, {"oracle", "base"}, bounds(**changes), Suites(None), history)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> ValidationResult:
    """All defects of single lines in one file, after 40 good chains."""
    lines = [replace(bad, id=name) if isinstance(bad, Chain) else bad for name, (bad, *_) in LINES.items()]
    return validate(tmp_path_factory.mktemp("planted"), *GOOD, *lines, chain(*RIGHT, id="good 0"))


@pytest.mark.parametrize("defect", LINES)
def test_a_defective_line_is_quarantined_with_the_right_reason(planted: ValidationResult, defect: str):
    _, column, expected = LINES[defect]
    number = len(GOOD) + list(LINES).index(defect) + 1
    (line,) = [line for line in planted.quarantined if line.where.endswith(f":{number}")]
    (reason,) = line.reasons
    assert reason.startswith(f"{column}: expected that ")
    assert expected in reason


def test_all_lines_with_a_duplicated_id_are_quarantined(planted: ValidationResult):
    duplicates = [line for line in planted.quarantined if line.id == "good 0"]
    assert [line.where.rpartition(":")[2] for line in duplicates] == ["1", str(len(GOOD) + len(LINES) + 1)]
    assert {line.reasons for line in duplicates} == {
        ("id: expected that no two chains have the same id; found 'good 0'",)
    }


def test_every_line_is_either_kept_or_quarantined(planted: ValidationResult):
    assert planted.report.chains == ChainCounts(read=40 + 22 + 1, kept=39, quarantined=22 + 2)
    assert [record.chain for record in planted.records()] == GOOD[1:]
    assert sum(planted.report.quarantine_reasons.values()) == 24  # one reason each


FAULTS: dict[str, tuple[Chain, str]] = {
    "lucky guess": (chain("add(1, 1)", "answer(5)"), "ungrounded_answer"),
    "wrong answer": (chain("multiply(2, 3)", "answer(6)"), "wrong_answer"),
    "repeated call": (chain("add(2, 3)", "add(b=3, a=2)", "answer(5)"), "repeated_call"),
    "no answer": (chain("add(2, 3)"), "no_answer"),
}


@pytest.mark.parametrize("defect", FAULTS)
def test_a_defect_of_the_reasoning_is_a_fault(defect: str):
    bad, name = FAULTS[defect]
    checked = check_chain(bad, PROBLEMS[bad.problem_id], ARITHMETIC)
    assert name in {fault.fault for fault in checked.verdict.faults}


def test_the_error_for_a_file_without_chains_names_it(tmp_path: Path):
    with pytest.raises(DataError, match=r"there are no chains in .*chains\.jsonl"):
        validate(tmp_path)


def test_the_error_for_a_missing_file_names_it(tmp_path: Path):
    with pytest.raises(DataError, match=r"gone\.jsonl is missing: run the stage"):
        validate_chains(
            [tmp_path / "gone.jsonl"], PROBLEMS, TASKS, {"oracle"}, SHIPPED, Suites(None), tmp_path / "history"
        )


def test_the_error_for_a_file_of_another_kind_has_the_most_common_reason(tmp_path: Path):
    result = validate(tmp_path, *GOOD[:3], *[b"\xff\xfe\x00"] * 4)
    with pytest.raises(DataError, match=r"4 of 7 chains were quarantined .* unreadable: a line is a chain record"):
        raise_if_too_many_quarantined(result, SHIPPED.max_quarantined_share)


COLLECTIONS: dict[str, tuple[list[Chain], str, str]] = {
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
        [replace(good, usage=Usage(0, 0)) for good in GOOD],
        "chains.completion_tokens",
        "expected that an attempt's tokens were counted; found 40 of 40",
    ),
}


def failed(checks: list[Check]) -> dict[str, str]:
    """Suite and column of each failed check -> its message."""
    return {f"{check.suite}.{check.column}": check.failure_message() for check in checks if not check.success}


@pytest.mark.parametrize("defect", COLLECTIONS)
def test_a_defect_of_all_chains_together_fails_the_right_check(tmp_path: Path, defect: str):
    chains, column, expected = COLLECTIONS[defect]
    assert expected in failed(validate(tmp_path, *chains).checks)[column]


def test_a_changed_distribution_of_faults_fails_with_its_distance(tmp_path: Path):
    first = validate(tmp_path, *GOOD)
    assert first.version is not None
    drift.record(tmp_path / "history.json", first.version)
    # Half of the chains were wrong, now nine of ten are: 0.9 ln(0.9 / 0.5) + 0.1 ln(0.1 / 0.5) = 0.368
    drifted = [chain(*(RIGHT if number % 10 == 0 else WRONG), id=f"new {number}") for number in range(40)]
    messages = failed(validate(tmp_path, *drifted).checks)
    assert set(messages) == {"drift.correct", "drift.first_fault", "chains by task.fault_share"}
    assert messages["drift.first_fault"] == (
        "drift: first_fault: expected that first_fault is distributed as in the data's previous version; found 0.3681"
    )


TEST_QUESTION = "Tom has 7 pens and loses 4. How many pens has he?"
GOOD_PROBLEMS = [
    problem(id="a", question="Ana has 1 fig."),
    problem(id="b", question="Ben has 2 figs.", split="dev"),
    problem(id="t", question=TEST_QUESTION, split="test"),
]
BAD_PROBLEMS: dict[str, tuple[Problem, str, str]] = {
    "leaked test problem": (problem(id="leak", question=f"  {TEST_QUESTION.upper()}"), "leak", "leak"),
    "duplicated problem id": (problem(id="a", question="Cay has 3 figs."), "id", "a"),
    "unknown task": (problem(id="odd", question="Dan?", task="cooking"), "task", "odd"),
    "empty question": (problem(id="mute", question=" "), "question", "mute"),
    "empty answer": (problem(id="open", question="Eve?", answer=""), "answer", "open"),
    "overlong question": (problem(id="long", question="word " * 10_000), "question_characters", "long"),
}


@pytest.mark.parametrize("defect", BAD_PROBLEMS)
def test_a_defective_problem_stops_the_stage_and_the_error_names_it(defect: str):
    bad, column, row = BAD_PROBLEMS[defect]
    checks = check_problems([*GOOD_PROBLEMS, bad], TASKS, bounds(max_label_share=1.0), Suites(None))
    assert list(failed(checks)) == [f"problems.{column}"]
    with pytest.raises(DataError, match=f"^problems: {column}: expected that .* such as {row}"):
        raise_if_critical_failed(checks)


def test_a_warning_names_the_task_in_which_nearly_all_problems_have_the_same_answer():
    problems = [problem(id=f"{n}", question=f"{n}?", answer="Unknown" if n < 19 else "True") for n in range(20)]
    (message,) = failed(check_problems(problems, TASKS, SHIPPED, Suites(None))).values()  # 19 of 20 is more than 90 %
    assert message == (
        "problems by task: label_share: expected that at most 90% of a task's problems have the same answer; "
        "found 1 of 1 failed, such as arithmetic"
    )


@pytest.fixture(scope="module")
def pairs_and_sources() -> tuple[list[Pair], dict[str, Problem], list]:
    """Pairs made by the pipeline's code from chains of one problem; the problems; and the checked chains."""
    params = Params.load(ROOT / "params.yaml").pairs
    chains = [
        chain("add(2, 3)", "answer(5)", id="right"),
        chain("multiply(2, 3)", "answer(6)", id="wrong"),
        chain("sum(2, 3)", "answer(5)", id="unknown"),
    ]
    records = [check_chain(recorded, PROBLEMS["p"], ARITHMETIC) for recorded in chains]
    pairs, _ = pairs_from_forks(records, {"p": PROBLEMS["p"]}, TASKS, params)
    assert len(pairs) >= 2
    return pairs, PROBLEMS, records


def run_pair_checks(pairs_and_sources, pairs: list[Pair]) -> list[Check]:
    _, problems, records = pairs_and_sources
    return check_pairs(pairs, problems, TASKS, records, 0.3, SHIPPED, Suites(None))


def side(text: str) -> tuple[dict[str, str], ...]:
    """A side of a pair with one reply."""
    return ({"role": "assistant", "content": text},)


def with_steps(pair: Pair, **steps: object) -> Pair:
    """The pair with other steps, and the messages of these."""
    return render_plain(replace(pair, **steps), ARITHMETIC)


BAD_PAIRS: dict[str, tuple[Callable[[Pair], Pair], str]] = {
    "swapped chosen and rejected": (
        lambda pair: with_steps(pair, chosen_steps=pair.rejected_steps, rejected_steps=pair.chosen_steps),
        "swapped",
    ),
    "equal sides": (lambda pair: replace(pair, rejected=pair.chosen), "same_sides"),
    "messages that differ from the steps": (lambda pair: replace(pair, history=pair.chosen_steps), "unlike_steps"),
    "margin below the minimum": (lambda pair: replace(pair, margin=0.2), "margin"),
    "margin above one": (lambda pair: replace(pair, margin=1.2), "margin"),
    "pair of a problem that does not exist": (lambda pair: replace(pair, problem_id="gone"), "orphan"),
    "pair of a test problem": (lambda pair: replace(pair, problem_id="secret"), "split"),
    "unknown kind": (lambda pair: replace(pair, kind="ugly"), "kind"),
    "reply that no chain gave": (
        lambda pair: with_steps(pair, chosen_steps=(step("add(a=2, b=3, percent=None)"),)),
        "untold",
    ),
    "messages of another reply": (lambda pair: replace(pair, chosen=side("add(a=2, b=4)")), "unlike_steps"),
    "overlong side": (lambda pair: replace(pair, rejected=side("word " * 1000)), "longest_reply"),
}


def test_pairs_made_by_the_pipeline_pass_every_check(pairs_and_sources):
    assert failed(run_pair_checks(pairs_and_sources, pairs_and_sources[0])) == {}


def test_a_reply_that_calls_a_function_that_is_not_shown_was_given_in_a_chain():
    """The chain keeps a mark of it, which the pair's messages do not show."""
    chains = [
        chain("add(2, 3)", "answer(5)", id="right"),
        chain("season_of('July')", "add(2, 3)", "answer(6)", id="wrong"),
        chain("season_of('July'", "multiply(2, 3)", "answer(6)", id="unreadable"),
    ]
    records = [check_chain(recorded, PROBLEMS["p"], ARITHMETIC) for recorded in chains]
    pairs, _ = pairs_from_forks(records, {"p": PROBLEMS["p"]}, TASKS, Params.load(ROOT / "params.yaml").pairs)
    rejected = {str(pair.rejected[0]["content"]) for pair in pairs}
    assert {"season_of(month='July')", "season_of('July'"} & rejected
    assert failed(check_pairs(pairs, PROBLEMS, TASKS, records, 0.3, SHIPPED, Suites(None))) == {}


def test_a_pair_of_a_call_whose_function_was_not_shown_passes_every_check():
    chains = [chain("add(2, 3)", "answer(5)", id="right"), chain("day_after(day='Monday')", "answer(6)", id="hidden")]
    records = [check_chain(recorded, PROBLEMS["p"], ARITHMETIC) for recorded in chains]
    pairs, _ = pairs_from_forks(records, {"p": PROBLEMS["p"]}, TASKS, Params.load(ROOT / "params.yaml").pairs)
    assert [pair.rejected for pair in pairs] == [side("day_after(day='Monday')")]
    assert failed(run_pair_checks((pairs, PROBLEMS, records), pairs)) == {}


@pytest.mark.parametrize("defect", BAD_PAIRS)
def test_a_defective_pair_stops_the_stage_and_the_error_names_it(pairs_and_sources, defect: str):
    corrupt, column = BAD_PAIRS[defect]
    pairs = pairs_and_sources[0]
    checks = run_pair_checks(pairs_and_sources, [*pairs, replace(corrupt(pairs[0]), id="bad")])
    assert "such as bad" in failed(checks)[f"pairs.{column}"]
    with pytest.raises(DataError, match=r"^pairs: \w+: expected that .* such as bad"):
        raise_if_critical_failed(checks)


def test_the_message_for_a_duplicated_pair_names_it(pairs_and_sources):
    pairs = pairs_and_sources[0]
    assert f"such as {pairs[0].id}" in failed(run_pair_checks(pairs_and_sources, [*pairs, pairs[0]]))["pairs.id"]


def test_an_empty_pair_file_fails_a_check(pairs_and_sources):
    assert "expected that there are pairs" in failed(run_pair_checks(pairs_and_sources, []))["pairs."]


def test_the_error_for_a_truncated_pair_file_names_the_line(pairs_and_sources, tmp_path: Path):
    pairs, path = pairs_and_sources[0], tmp_path / "pairs.jsonl"
    jsonl.write(path, pairs)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=rf"pairs\.jsonl:{len(pairs)}: "):
        list(read(Pair, path))


def test_all_defects_have_different_names():
    names = [*LINES, *FAULTS, *COLLECTIONS, *BAD_PROBLEMS, *BAD_PAIRS]
    assert len(set(names)) == len(names) == 48
