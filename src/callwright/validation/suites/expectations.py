"""The kinds of expectation that the suites use. Only this module and `suite` import Great Expectations.

Every function takes `says`, a sentence with what is expected, for reports and pages; and most take `severity`: a failed
`critical` expectation stops the pipeline, a failed `warning` is printed.
"""

from collections.abc import Mapping, Sequence
from html import unescape
from typing import TYPE_CHECKING, Any

from callwright.text import escape_controls

if TYPE_CHECKING:
    import pandas as pd

# All ASCII punctuation with a meaning in HTML, in scripts, in Markdown or in their templates.
_ESCAPES = {ord(mark): f"&#{ord(mark)};" for mark in "&<>\"'`\\$*[](){}|~#!"}


def page_text(text: str) -> str:
    r"""The text with all markup escaped; different texts stay different.

    Invisible characters become escapes, and a backslash becomes an entity, so the two stay different.


    >>> page_text("<b> \\x1b \x1b")
    '&#60;b&#62; &#92;x1b \\x1b'
    """
    return escape_controls(text.translate(_ESCAPES))


def plain_text(text: str) -> str:
    r"""The text that a page shows for `page_text(...)`.

    >>> print(plain_text(page_text("<b> \x1b")))
    <b> \x1b
    """
    return unescape(text)


def page_value(value: Any) -> Any:
    """A setting of an expectation, with `page_text` applied to all its texts."""
    match value:
        case str():
            return page_text(value)
        case list() | tuple():
            return [page_value(item) for item in value]
        case dict():
            return {name: page_value(item) for name, item in value.items()}
        case _:
            return value


def page_frame(frame: "pd.DataFrame") -> "pd.DataFrame":
    """A copy of the table with `page_text` applied to all its texts; column types stay the same."""

    from pandas.api.types import is_object_dtype, is_string_dtype

    escaped = frame.copy(deep=False)
    for name in frame.columns:
        column = frame[name]
        if is_object_dtype(column.dtype) or is_string_dtype(column.dtype):
            texts = [page_text(value) if isinstance(value, str) else value for value in column]
            escaped[name] = type(column)(texts, index=column.index, dtype=column.dtype)
    return escaped


CRITICAL, WARNING = "critical", "warning"
TRAINING_SPLITS = ("train", "dev")  # the splits whose problems may have chains and pairs
UNSEEN_VALUE_SHARE = 0.001  # assumed share of a value that the reference does not contain

Expectation = Any  # the library has no type hints


def unique(column: str, says: str, severity: str = CRITICAL) -> Expectation:
    """No two values are equal."""
    return _make("ExpectColumnValuesToBeUnique", says, severity, column=column)


def empty(column: str, says: str, severity: str = CRITICAL) -> Expectation:
    """All values are None; for columns whose values are complaints."""
    return _make("ExpectColumnValuesToBeNull", says, severity, column=column)


def complete(column: str, says: str, severity: str = CRITICAL) -> Expectation:
    """No value is None."""
    return _make("ExpectColumnValuesToNotBeNull", says, severity, column=column)


def one_of(column: str, values: Sequence[Any], says: str, severity: str = CRITICAL) -> Expectation:
    """Every value is one of `values`."""
    return _make("ExpectColumnValuesToBeInSet", says, severity, column=column, value_set=list(values))


def between(column: str, low: float | None, high: float | None, says: str, severity: str = CRITICAL) -> Expectation:
    """Every value is between the bounds, bounds included; None: no bound."""
    return _make("ExpectColumnValuesToBeBetween", says, severity, column=column, min_value=low, max_value=high)


def mean_between(
    column: str, low: float | None, high: float | None, says: str, severity: str = CRITICAL
) -> Expectation:
    """The column's mean is between the bounds; the mean of a boolean column is the share of True."""
    return _make("ExpectColumnMeanToBeBetween", says, severity, column=column, min_value=low, max_value=high)


def some_rows(says: str) -> Expectation:
    """The table has at least one row."""
    return _make("ExpectTableRowCountToBeBetween", says, CRITICAL, min_value=1)


def columns(names: Sequence[str], says: str) -> Expectation:
    """The table has exactly these columns, in any order."""
    return _make("ExpectTableColumnsToMatchSet", says, CRITICAL, column_set=list(names), exact_match=True)


def of_type(column: str, data_type: str, says: str) -> Expectation:
    """The column has this pandas type."""
    return _make("ExpectColumnValuesToBeOfType", says, CRITICAL, column=column, type_=data_type)


def distribution_near(column: str, reference: Mapping[str, float], bound: float, says: str) -> Expectation:
    """The shares of a column's values are close to those of a reference.

    Args:
        reference: value -> share.
        bound: maximum Kullback-Leibler divergence from the reference, in nats.
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


def _make(class_name: str, says: str, severity: str, **settings: Any) -> Expectation:
    """An expectation for a `page_frame`: texts in its settings are escaped like those in the table."""
    from great_expectations import expectations

    names = {name: settings.pop(name) for name in ("column", "type_") if name in settings}
    return getattr(expectations, class_name)(
        **names, **page_value(settings), severity=severity, description=page_text(says)
    )
