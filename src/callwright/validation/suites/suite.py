"""Run suites of expectations on tables with Great Expectations, and write the data docs that show the results."""

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callwright.errors import DataError
from callwright.functions.literal import escape_unprintable
from callwright.progress import work
from callwright.reports.checks import CheckResult
from callwright.validation.suites.expectations import CRITICAL, Expectation, page_frame, plain_text

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS_SHOWN = 5  # row ids in a message or report


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one expectation.

    Attributes:
        name: the kind of expectation, as Great Expectations calls it.
        column: empty if the expectation is about the whole table.
        severity: "critical" or "warning".
        says: what was expected.
        observed: what was found.
        rows: ids of the failing rows.
    """

    suite: str
    name: str
    column: str
    severity: str
    says: str
    success: bool
    observed: str
    rows: tuple[str, ...]

    def row_sample(self) -> str:
        """Up to MAX_ROWS_SHOWN of the failing rows, without control characters."""
        return escape_unprintable(", ".join(self.rows[:MAX_ROWS_SHOWN]))

    def failure_message(self) -> str:
        """One line with what was expected, what was found, and some failing rows."""
        rows = f", such as {self.row_sample()}" if self.rows else ""
        line = f"{self.suite}: {self.column or 'table'}: expected that {self.says}; found {self.observed}{rows}"
        return escape_unprintable(line)


class Suites:
    """Runs suites one after another, and shows all of them on one site.

    Args:
        data_docs: folder of the site; existing files in it are deleted. None: no site.

    Attributes:
        checks: the outcomes of all suites run so far.
    """

    def __init__(self, data_docs: Path | None) -> None:
        import great_expectations as gx
        from great_expectations.checkpoint import UpdateDataDocsAction

        self._context = gx.get_context(mode="ephemeral")
        self._context.variables.progress_bars = {"globally": False}
        for site in list(self._context.list_data_docs_sites()):
            self._context.delete_data_docs_site(site)
        self._source = self._context.data_sources.add_pandas("tables")
        self._actions: list[Any] = []
        self._folder = data_docs
        self.checks: list[Check] = []
        if data_docs is not None:
            shutil.rmtree(data_docs, ignore_errors=True)
            self._context.add_data_docs_site("data docs", _site(data_docs))
            self._actions.append(UpdateDataDocsAction(name="data docs", site_names=["data docs"]))

    def run(self, frame: "pd.DataFrame", name: str, expectations: Sequence[Expectation]) -> list[Check]:
        """Run expectations on a table.

        Args:
            frame: the table; its column `id` identifies failing rows.
            name: the suite's name in reports and pages.

        Raises:
            DataError: an expectation could not be checked.
        """
        import great_expectations as gx

        batch = self._source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all rows")
        suite = self._context.suites.add(gx.ExpectationSuite(name=name, expectations=list(expectations)))
        definition = self._context.validation_definitions.add(
            gx.ValidationDefinition(name=name, data=batch, suite=suite)
        )
        checkpoint = self._context.checkpoints.add(
            gx.Checkpoint(
                name=name,
                validation_definitions=[definition],
                actions=self._actions,
                result_format={
                    "result_format": "COMPLETE",
                    "unexpected_index_column_names": ["id"],
                    "return_unexpected_index_query": False,  # would be as long as the list of rows
                },
            )
        )
        escaped = page_frame(frame)
        ids = dict(zip(escaped["id"].astype(str), frame["id"].astype(str), strict=True)) if "id" in frame else {}
        with work(f"checks of {name}"):
            result = checkpoint.run(batch_parameters={"dataframe": escaped})
        checks = [_to_check(name, outcome, ids) for run in result.run_results.values() for outcome in run.results]
        self.checks += checks
        return checks

    def pages(self) -> dict[str, str]:
        """Suite -> its page of Great Expectations, relative to the site's folder."""
        if self._folder is None:
            return {}
        pages = [page.relative_to(self._folder) for page in (self._folder / "validations").rglob("*.html")]
        return {page.parts[1]: page.as_posix() for page in pages}


def failed_checks_by_row(checks: Sequence[Check]) -> dict[str, list[Check]]:
    """Row id -> the checks that the row failed."""
    failed: dict[str, list[Check]] = defaultdict(list)
    for check in checks:
        for row in dict.fromkeys(check.rows):  # the rows of a duplicate id all have the same id
            failed[row].append(check)
    return dict(failed)


def raise_if_critical_failed(checks: Sequence[Check]) -> None:
    """Stop if a critical check failed.

    Raises:
        DataError: with the first failed check's message, and the number of other failed checks.
    """
    failed = [check for check in checks if not check.success and check.severity == CRITICAL]
    if failed:
        others = f" (and {len(failed) - 1} other critical checks failed)" if len(failed) > 1 else ""
        raise DataError(f"{failed[0].failure_message()}{others}")


def warning_lines(checks: Sequence[Check]) -> Iterator[str]:
    """One line for each failed check that is not critical."""
    return (check.failure_message() for check in checks if not check.success and check.severity != CRITICAL)


def checks_report(checks: Sequence[Check]) -> tuple[CheckResult, ...]:
    """The checks for a report, with at most MAX_ROWS_SHOWN rows each."""
    return tuple(CheckResult(**{**asdict(check), "rows": check.rows[:MAX_ROWS_SHOWN]}) for check in checks)


def _site(folder: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())},
    }


def _raise_if_check_raised(name: str, info: Any) -> None:
    """Stop if a check raised an exception.

    Args:
        info: the library's exception_info: one dict, or one dict per metric.

    Raises:
        DataError: the check could not run.
    """
    for metric_info in (info, *(value for value in info.values() if isinstance(value, dict))):
        if metric_info.get("raised_exception"):
            raise DataError(f"the check {name} could not run: {metric_info.get('exception_message')}")


def _to_check(suite: str, result: Any, ids: Mapping[str, str]) -> Check:
    """Convert the library's result of one expectation.

    Args:
        ids: escaped id -> original id.

    Raises:
        DataError: the check could not run.
    """
    config = result.expectation_config
    details = result.result or {}
    _raise_if_check_raised(config.type, result.exception_info or {})
    failed_count = f"{details.get('unexpected_count', 0):,} of {details.get('element_count', 0):,} failed"
    observed = details.get("observed_value", failed_count)

    return Check(
        suite=suite,
        name=config.type.removeprefix("expect_"),
        column=str(config.kwargs.get("column", "")),
        severity=str(getattr(config.severity, "value", config.severity) or CRITICAL).lower(),
        says=plain_text(str(config.description)),
        success=bool(result.success),
        observed=f"{observed:.4g}" if isinstance(observed, float) else str(observed),
        rows=tuple(ids.get(str(row["id"]), str(row["id"])) for row in details.get("unexpected_index_list") or ()),
    )
