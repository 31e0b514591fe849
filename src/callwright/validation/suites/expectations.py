"""The few kinds of expectation that the suites are made of, each with a sentence that says what is expected.

With `suite` the only importer of Great Expectations, so that a suite reads as a list of sentences and bounds.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from callwright.validation.suites.page_text import page_text, page_value

CRITICAL, WARNING = "critical", "warning"
UNSEEN_VALUE_SHARE = 0.001  # share that a value is taken to have had where the reference never saw it

Expectation = Any  # the library comes without types


def unique(column: str, says: str, severity: str = CRITICAL) -> Expectation:
    return _make("ExpectColumnValuesToBeUnique", says, severity, column=column)


def empty(column: str, says: str, severity: str = CRITICAL) -> Expectation:
    """For columns that hold a complaint where there is one."""
    return _make("ExpectColumnValuesToBeNull", says, severity, column=column)


def complete(column: str, says: str, severity: str = CRITICAL) -> Expectation:
    return _make("ExpectColumnValuesToNotBeNull", says, severity, column=column)


def one_of(column: str, values: Sequence[Any], says: str, severity: str = CRITICAL) -> Expectation:
    return _make("ExpectColumnValuesToBeInSet", says, severity, column=column, value_set=list(values))


def between(column: str, low: float | None, high: float | None, says: str, severity: str = CRITICAL) -> Expectation:
    """Every value, bounds included."""
    return _make("ExpectColumnValuesToBeBetween", says, severity, column=column, min_value=low, max_value=high)


def mean_between(
    column: str, low: float | None, high: float | None, says: str, severity: str = CRITICAL
) -> Expectation:
    """The column's mean; of flags, the share of those that are set."""
    return _make("ExpectColumnMeanToBeBetween", says, severity, column=column, min_value=low, max_value=high)


def some_rows(says: str) -> Expectation:
    return _make("ExpectTableRowCountToBeBetween", says, CRITICAL, min_value=1)


def columns(names: Sequence[str], says: str) -> Expectation:
    return _make("ExpectTableColumnsToMatchSet", says, CRITICAL, column_set=list(names), exact_match=True)


def of_type(column: str, kind: str, says: str) -> Expectation:
    return _make("ExpectColumnValuesToBeOfType", says, CRITICAL, column=column, type_=kind)


def near(column: str, reference: Mapping[str, float], bound: float, says: str) -> Expectation:
    """The distribution of a column's values is near the reference's.

    Args:
        reference: value -> share.
        bound: of the Kullback-Leibler divergence from the reference, in nats.
    """
    return _make(
        "ExpectColumnKLDivergenceToBeLessThan",
        says,
        WARNING,
        column=column,
        partition_object={"values": list(reference), "weights": list(reference.values())},
        threshold=bound,
        tail_weight_holdout=UNSEEN_VALUE_SHARE,
    )


def _make(kind: str, says: str, severity: str, **settings: Any) -> Expectation:
    """An expectation of a `page_frame`: the texts of its settings are changed as those of the table are."""
    from great_expectations import expectations

    names = {name: settings.pop(name) for name in ("column", "type_") if name in settings}
    return getattr(expectations, kind)(**names, **page_value(settings), severity=severity, description=page_text(says))
