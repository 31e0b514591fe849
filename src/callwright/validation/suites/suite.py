"""Suites of expectations run on tables, and the data docs that show what came of them. Runs Great Expectations.

Each expectation has a severity: a `critical` one that fails stops the pipeline, a `warning` is told.
"""

import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callwright.errors import DataError
from callwright.functions.literal import escape_unprintable
from callwright.validation.suites.expectations import CRITICAL, Expectation
from callwright.validation.suites.page_text import page_frame, plain_text

if TYPE_CHECKING:
    import pandas as pd

MAX_ROWS_SHOWN = 5  # rows that a line names


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one expectation: `says` is what was expected, `observed` what was found, `rows` where not so."""

    suite: str
    name: str
    column: str
    severity: str
    says: str
    success: bool
    observed: str
    rows: tuple[str, ...]

    def named(self) -> str:
        """Some of the rows, as a terminal may show them."""
        return escape_unprintable(", ".join(self.rows[:MAX_ROWS_SHOWN]))

    def complaint(self) -> str:
        """One line that says what was expected, what was found, and in which rows."""
        rows = f", such as {self.named()}" if self.rows else ""
        line = f"{self.suite}: {self.column or 'table'}: expected that {self.says}; found {self.observed}{rows}"
        return escape_unprintable(line)


class Suites:
    """Suites run one after the other, shown on one site.

    Args:
        data_docs: folder of the site; what lies there is replaced. None: no site.

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
        """Run expectations on a table through a checkpoint.

        Args:
            frame: with a column `id`, by which failing rows are named.

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
                    "return_unexpected_index_query": False,  # text as long as the list of rows
                },
            )
        )
        shown = page_frame(frame)
        ids = dict(zip(shown["id"].astype(str), frame["id"].astype(str), strict=True)) if "id" in frame else {}
        result = checkpoint.run(batch_parameters={"dataframe": shown})
        checks = [_to_check(name, one, ids) for run in result.run_results.values() for one in run.results]
        self.checks += checks
        return checks

    def pages(self) -> dict[str, str]:
        """Suite -> the page of Great Expectations that shows it, relative to the site's folder."""
        if self._folder is None:
            return {}
        pages = [page.relative_to(self._folder) for page in (self._folder / "validations").rglob("*.html")]
        return {page.parts[1]: page.as_posix() for page in pages}


def failed_checks_by_row(checks: Sequence[Check]) -> dict[str, list[Check]]:
    """Row id -> the checks that it failed."""
    failed: dict[str, list[Check]] = defaultdict(list)
    for check in checks:
        for row in dict.fromkeys(check.rows):  # rows of a duplicate id are named once each
            failed[row].append(check)
    return dict(failed)


def raise_if_critical_failed(checks: Sequence[Check]) -> None:
    """Stop on a failed critical check.

    Raises:
        DataError: says what was expected, what was found, and names rows; and how many other checks failed.
    """
    failed = [check for check in checks if not check.success and check.severity == CRITICAL]
    if failed:
        more = f" (and {len(failed) - 1} other critical checks failed)" if len(failed) > 1 else ""
        raise DataError(f"{failed[0].complaint()}{more}")


def warning_lines(checks: Sequence[Check]) -> Iterator[str]:
    """One line for each failed check that is only a warning."""
    return (check.complaint() for check in checks if not check.success and check.severity != CRITICAL)


def checks_report(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Checks for the quality report, at most MAX_ROWS_SHOWN rows each."""
    return [{**asdict(check), "rows": list(check.rows[:MAX_ROWS_SHOWN])} for check in checks]


def _site(folder: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())},
    }


def _raise_if_check_raised(name: str, info: Any) -> None:
    """A check that raised stops the stage. The library keys what was raised by metric, or gives it flat."""
    for raised in (info, *(one for one in info.values() if isinstance(one, dict))):
        if raised.get("raised_exception"):
            raise DataError(f"the check {name} could not run: {raised.get('exception_message')}")


def _to_check(suite: str, result: Any, ids: Mapping[str, str]) -> Check:
    """
    Args:
        ids: as the pages show them -> as they are.
    """
    config = result.expectation_config
    details = result.result or {}
    _raise_if_check_raised(config.type, result.exception_info or {})
    otherwise = f"{details.get('unexpected_count', 0):,} of {details.get('element_count', 0):,} otherwise"
    observed = details.get("observed_value", otherwise)
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
