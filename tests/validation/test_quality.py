"""Validation with the real Great Expectations: ten good chains, half of them correct, and bad ones among them."""

import pytest

from callwright.errors import DataError
from callwright.reports.quality import ChainCounts
from callwright.validation.quality import ValidationResult, raise_if_too_many_quarantined
from callwright.validation.suites.suite import raise_if_critical_failed, warning_lines
from tests.fakes import chain, step
from tests.validation.conftest import RunValidation

RIGHT, WRONG = ("add(2, 3)", "answer(5)"), ("multiply(2, 3)", "answer(6)")
GOOD = [chain(*(RIGHT if number % 2 else WRONG), id=f"good {number}") for number in range(10)]
LEAK = chain(*RIGHT, id="leak", problem_id="secret")
FORGED = chain(step("add(2, 3)", observation="6"), "answer(6)", id="forged")


def reasons(result: ValidationResult) -> dict[str, list[str]]:
    """Line id -> columns of the failed checks."""
    return {line.id: [reason.partition(":")[0] for reason in line.reasons] for line in result.quarantined}


def test_good_chains_are_kept_and_shown_without_warnings(run_validation: RunValidation, tmp_path):
    result = run_validation(*GOOD, data_docs=tmp_path / "docs")
    assert [record.chain for record in result.records()] == GOOD
    assert result.quarantined == []
    assert result.report.chains == ChainCounts(read=10, kept=10, quarantined=0)
    assert result.report.correct == {"oracle": 0.5}
    assert result.report.first_faults == {"wrong_answer": 5}
    assert list(warning_lines(result.checks)) == []
    raise_if_critical_failed(result.checks)
    raise_if_too_many_quarantined(result, 0.0)
    page = (tmp_path / "docs/index.html").read_text()
    assert all(name in page for name in ("lines", "chains", "chains by task"))


def test_a_chain_with_two_defects_has_both_reasons(run_validation: RunValidation):
    both = chain(step("add(2, 3)", observation="6"), "answer(6)", id="both", problem_id="secret")
    assert reasons(run_validation(*GOOD, both)) == {"both": ["split", "mismatch"]}


def test_a_quarantined_chain_keeps_its_location_verdict_and_record(run_validation: RunValidation):
    (line,) = run_validation(*GOOD, FORGED).quarantined
    assert line.where.endswith("chains.jsonl:11")
    assert line.record is not None
    assert line.record.chain == FORGED
    assert line.record.verdict.faults[0].fault == "replay_mismatch"


def test_the_text_of_an_unreadable_line_is_kept_with_escapes_for_bytes_that_are_not_utf_8(
    run_validation: RunValidation,
):
    (line,) = run_validation(*GOOD, b'{"id": "gr\xf6\xdfer"}').quarantined
    assert (line.record, line.text) == (None, '{"id": "gr\\xf6\\xdfer"}')
    assert line.id == line.where


def test_the_counts_add_up_with_several_bad_lines(run_validation: RunValidation):
    result = run_validation(
        *GOOD, chain(*RIGHT, id="good 0"), LEAK, FORGED, b"{", chain(*RIGHT, problem_id="q", id="orphan")
    )
    assert result.report.chains == ChainCounts(read=15, kept=9, quarantined=6)  # both lines of the duplicate id
    assert len(result.kept) + len(result.quarantined) == 15
    assert sum(result.report.quarantine_reasons.values()) == 6
    raise_if_critical_failed(result.checks)  # the kept chains pass


def test_each_failed_check_of_lines_gives_one_warning_line(run_validation: RunValidation):
    assert list(warning_lines(run_validation(*GOOD, LEAK, FORGED).checks)) == [
        "lines: split: expected that a chain's problem is of train or dev, not of test; "
        "found 1 of 12 failed, such as leak",
        "lines: mismatch: expected that executing the calls again gives what was recorded; "
        "found 1 of 12 failed, such as forged",
    ]


@pytest.mark.parametrize(
    ("chains", "observed"),
    [(GOOD[::2], "0"), (GOOD[1::2], "1")],
    ids=["all wrong", "all right"],
)
def test_a_share_of_correct_chains_out_of_bounds_stops_the_pipeline(run_validation: RunValidation, chains, observed):
    with pytest.raises(DataError, match=f"^chains: correct: expected that 5% to 99% .* are correct; found {observed}$"):
        raise_if_critical_failed(run_validation(*chains).checks)


def test_too_many_quarantined_lines_stop_the_pipeline_with_the_most_common_reason(run_validation: RunValidation):
    result = run_validation(*GOOD, LEAK, LEAK, FORGED)  # the leaks also have the same id
    raise_if_too_many_quarantined(result, limit=3 / 13)
    with pytest.raises(DataError, match=r"^3 of 13 chains were quarantined \(limit 10%\); 2 failed the check: "):
        raise_if_too_many_quarantined(result, limit=0.1)


def test_if_no_chain_is_kept_the_pipeline_stops_with_any_limit(run_validation: RunValidation):
    result = run_validation(FORGED, b"{")
    assert (result.kept, result.version) == ([], None)
    with pytest.raises(DataError, match="2 of 2 chains were quarantined"):
        raise_if_too_many_quarantined(result, limit=1.0)
