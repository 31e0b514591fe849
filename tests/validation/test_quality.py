"""The real Great Expectations on ten good chains, half of them correct, and on bad ones planted among them."""

import pytest

from callwright.errors import DataError
from callwright.validation.quality import ValidationResult, raise_if_too_many_quarantined
from callwright.validation.suites.suite import raise_if_critical_failed, warning_lines
from tests.fakes import chain, step
from tests.validation.conftest import RunValidation

RIGHT, WRONG = ("add(2, 3)", "answer(5)"), ("multiply(2, 3)", "answer(6)")
GOOD = [chain(*(RIGHT if number % 2 else WRONG), id=f"good {number}") for number in range(10)]
LEAK = chain(*RIGHT, id="leak", problem_id="secret")
FORGED = chain(step("add(2, 3)", observation="6"), "answer(6)", id="forged")


def reasons(validated: ValidationResult) -> dict[str, list[str]]:
    """Column of each failed check, by id."""
    return {one.id: [reason.partition(":")[0] for reason in one.reasons] for one in validated.quarantined}


def test_good_chains_are_all_kept_and_shown_and_nothing_is_told(validated: RunValidation, tmp_path):
    result = validated(*GOOD, data_docs=tmp_path / "docs")
    assert [record.chain for record in result.records()] == GOOD
    assert result.quarantined == []
    assert result.report["chains"] == {"in": 10, "kept": 10, "quarantined": 0}
    assert result.report["correct"] == {"oracle": 0.5}
    assert result.report["first_faults"] == {"wrong_answer": 5}
    assert list(warning_lines(result.checks)) == []
    raise_if_critical_failed(result.checks)
    raise_if_too_many_quarantined(result, 0.0)
    page = (tmp_path / "docs/index.html").read_text()
    assert all(name in page for name in ("lines", "chains", "chains by task"))


def test_a_chain_with_two_defects_has_both_reasons(validated: RunValidation):
    both = chain(step("add(2, 3)", observation="6"), "answer(6)", id="both", problem_id="secret")
    assert reasons(validated(*GOOD, both)) == {"both": ["split", "mismatch"]}


def test_a_quarantined_chain_keeps_its_place_its_verdict_and_what_it_was(validated: RunValidation):
    (put_aside,) = validated(*GOOD, FORGED).quarantined
    assert put_aside.where.endswith("chains.jsonl:11")
    assert put_aside.record is not None
    assert put_aside.record.chain == FORGED
    assert put_aside.record.verdict.faults[0].fault == "replay_mismatch"


def test_an_unreadable_line_is_kept_as_it_was_bytes_that_are_no_text_written_out(validated: RunValidation):
    (put_aside,) = validated(*GOOD, b'{"id": "gr\xf6\xdfer"}').quarantined
    assert (put_aside.record, put_aside.text) == (None, '{"id": "gr\\xf6\\xdfer"}')
    assert put_aside.id == put_aside.where


def test_counts_reconcile_with_several_bad_lines_at_once(validated: RunValidation):
    result = validated(
        *GOOD, chain(*RIGHT, id="good 0"), LEAK, FORGED, b"{", chain(*RIGHT, problem_id="q", id="orphan")
    )
    assert result.report["chains"] == {"in": 15, "kept": 9, "quarantined": 6}  # both lines of the duplicate id
    assert len(result.kept) + len(result.quarantined) == 15
    assert sum(result.report["quarantine_reasons"].values()) == 6
    raise_if_critical_failed(result.checks)  # what is kept is fine


def test_what_was_put_aside_is_told_in_one_line_each(validated: RunValidation):
    assert list(warning_lines(validated(*GOOD, LEAK, FORGED).checks)) == [
        "lines: split: expected that a chain's problem is of train or dev, not of test; "
        "found 1 of 12 otherwise, such as leak",
        "lines: mismatch: expected that executing the calls again gives what was recorded; "
        "found 1 of 12 otherwise, such as forged",
    ]


@pytest.mark.parametrize(
    ("chains", "observed"),
    [(GOOD[::2], "0"), (GOOD[1::2], "1")],
    ids=["all wrong", "all right"],
)
def test_a_share_of_correct_chains_out_of_bounds_stops_the_pipeline(validated: RunValidation, chains, observed):
    with pytest.raises(DataError, match=f"^chains: correct: expected that 5% to 99% .* are correct; found {observed}$"):
        raise_if_critical_failed(validated(*chains).checks)


def test_too_many_quarantined_lines_stop_the_pipeline_and_the_commonest_reason_is_told(validated: RunValidation):
    result = validated(*GOOD, LEAK, LEAK, FORGED)  # both leaks have the same id as well
    raise_if_too_many_quarantined(result, limit=3 / 13)
    with pytest.raises(DataError, match=r"^3 of 13 chains were quarantined \(limit 10%\), 2 because not so: "):
        raise_if_too_many_quarantined(result, limit=0.1)


def test_where_no_chain_is_kept_the_pipeline_stops_whatever_the_limit(validated: RunValidation):
    result = validated(FORGED, b"{")
    assert (result.kept, result.version) == ([], None)
    with pytest.raises(DataError, match="2 of 2 chains were quarantined"):
        raise_if_too_many_quarantined(result, limit=1.0)
