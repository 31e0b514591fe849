"""The real Great Expectations on ten good chains, half of them correct, and on bad rows planted among them."""

import pytest

from callwright.errors import DataError
from callwright.params import ValidateParams
from callwright.records import Chain
from callwright.validation.quality import Validated, validate_chains
from callwright.validation.suite import refuse_critical
from tests.fakes import chain, problem, step

PROBLEMS = {"p": problem(), "secret": problem(id="secret", question="Test?", split="test")}
RIGHT, WRONG = ("add(2, 3)", "answer(5)"), ("multiply(2, 3)", "answer(6)")
GOOD = [chain(*(RIGHT if number % 2 else WRONG), id=f"good {number}") for number in range(10)]
DUPLICATE = chain(*RIGHT, id="good 0")
LEAK = chain(*RIGHT, id="leak", problem_id="secret")
FORGED = chain(step("add(2, 3)", observation="6"), "answer(6)", id="forged")
WORDY = chain("word " * 100 + "\nadd(2, 3)", "answer(5)", id="wordy")


def params(**changes: float) -> ValidateParams:
    values = {"min_correct_share": 0.1, "max_correct_share": 0.9, "max_quarantined_share": 0.5}
    return ValidateParams(**{**values, "max_reply_characters": 200, **changes})


@pytest.fixture
def validated(tmp_path):
    def run(*chains: Chain, **changes: float) -> Validated:
        return validate_chains(chains, PROBLEMS, params(**changes), tmp_path / "docs")

    return run


def refuse(validated: Validated, limit: float = 0.5) -> None:
    counts = validated.report["chains"]
    refuse_critical(validated.checks, counts["quarantined"], counts["in"], limit)


def reasons(validated: Validated) -> dict[str, set[str]]:
    return {one.record.chain.id: set(one.reasons) for one in validated.quarantined}


def test_good_chains_are_all_kept_and_nothing_stops_the_pipeline(validated, tmp_path):
    result = validated(*GOOD)
    assert [record.chain for record in result.kept] == GOOD
    assert result.quarantined == []
    assert result.report["chains"] == {"in": 10, "kept": 10, "quarantined": 0}
    assert result.report["correct"] == {"oracle": 0.5}
    assert result.report["first_faults"] == {"wrong_answer": 5}
    assert all(check.success for check in result.checks)
    refuse(result)
    assert (tmp_path / "docs/index.html").exists()


@pytest.mark.parametrize(
    ("bad", "row", "reason"),
    [
        (DUPLICATE, "good 0", "id: column_values_to_be_unique"),
        (LEAK, "leak", "split: column_values_to_be_in_set"),
        (FORGED, "forged", "replayed: column_values_to_be_in_set"),
        (WORDY, "wordy", "longest_reply: column_values_to_be_between"),
        (chain(id="empty"), "empty", "steps: column_values_to_be_between"),
    ],
    ids=["duplicate id", "test split", "changed observation", "long reply", "no steps"],
)
def test_a_planted_bad_row_is_quarantined_with_its_reason(validated, bad, row, reason):
    result = validated(*GOOD, bad)
    assert reasons(result) == {row: {reason}}
    assert row not in {record.chain.id for record in result.kept}


def test_counts_reconcile_with_several_bad_rows_at_once(validated):
    result = validated(*GOOD, DUPLICATE, LEAK, FORGED)
    assert result.report["chains"] == {"in": 13, "kept": 9, "quarantined": 4}  # both rows of the duplicate id
    assert len(result.kept) + len(result.quarantined) == 13
    assert set(reasons(result)) == {"good 0", "leak", "forged"}
    refuse(result)  # what is kept is fine


def test_a_row_with_two_faults_has_both_reasons(validated):
    both = chain(step("add(2, 3)", observation="6"), "answer(6)", id="both", problem_id="secret")
    assert reasons(validated(*GOOD, both)) == {
        "both": {"split: column_values_to_be_in_set", "replayed: column_values_to_be_in_set"}
    }


@pytest.mark.parametrize(
    ("chains", "observed"),
    [(GOOD[::2], "0.0"), (GOOD[1::2], "1.0")],
    ids=["all wrong", "all right"],
)
def test_a_share_of_correct_chains_out_of_bounds_is_a_data_error_that_names_the_check(validated, chains, observed):
    with pytest.raises(DataError, match=f"chains: correct: column_mean_to_be_between failed: {observed}"):
        refuse(validated(*chains))


def test_too_many_quarantined_rows_are_a_data_error(validated):
    result = validated(*GOOD, LEAK, FORGED)
    refuse(result, limit=2 / 12)
    with pytest.raises(DataError, match=r"2 of 12 chains were quarantined \(limit 10%\)"):
        refuse(result, limit=0.1)


def test_a_failed_warning_is_reported_and_stops_nothing(validated):
    unanswered = [chain("add(2, 3)", id=f"open {number}") for number in range(12)]
    result = validated(*GOOD, *unanswered)  # 10 of 22 answered: less than half
    failed = [check for check in result.report["checks"] if not check["success"]]
    assert [(check["column"], check["name"], check["severity"]) for check in failed] == [
        ("answered", "column_mean_to_be_between", "warning")
    ]
    refuse(result)


def test_the_reasons_are_counted_once_per_row(validated):
    result = validated(*GOOD, DUPLICATE, LEAK)
    assert result.report["quarantine_reasons"] == {
        "id: column_values_to_be_unique": 2,  # two rows
        "split: column_values_to_be_in_set": 1,
    }


def test_no_chains_at_all_are_a_data_error(validated):
    with pytest.raises(DataError):
        refuse(validated())


def test_a_check_that_cannot_run_is_a_data_error_and_not_a_failed_check():
    import pandas as pd
    from great_expectations import expectations as gxe

    from callwright.validation.suite import run_suite

    frame = pd.DataFrame({"id": ["a", "b"]})
    missing = gxe.ExpectColumnValuesToBeInSet(column="split", value_set=["train"], severity="warning")
    with pytest.raises(DataError, match="could not run"):
        run_suite(frame, "chains", [missing])
