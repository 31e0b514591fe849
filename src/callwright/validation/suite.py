"""Data-quality checks on the chains. The only importer of Great Expectations.

Each check has a severity: a `critical` one that fails stops the pipeline, a `warning` is reported. Rows that fail a
check of single rows go to quarantine, each with its reasons; shares and bounds are checked on what is kept.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from callwright.errors import DataError
from callwright.params import ValidateParams
from callwright.records import FAULTS, Outcome, Protocol
from callwright.tasks import TASKS
from callwright.validation.frame import NONE

if TYPE_CHECKING:
    import pandas as pd

MAX_NAMED = 5  # rows that an error line names


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one expectation."""

    name: str
    column: str
    severity: str
    success: bool
    observed: str
    rows: tuple[str, ...]


def row_expectations(params: ValidateParams) -> list[Any]:
    """Expectations that single rows meet or not: rows that do not are quarantined."""
    from great_expectations import expectations as gxe

    return [
        gxe.ExpectColumnValuesToBeUnique(column="id", severity="critical"),
        gxe.ExpectColumnValuesToNotBeNull(column="id", severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="split", value_set=["train", "dev"], severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="replayed", value_set=[True], severity="critical"),
        gxe.ExpectColumnValuesToBeBetween(column="steps", min_value=1, severity="critical"),
        gxe.ExpectColumnValuesToBeBetween(
            column="longest_reply", max_value=params.max_reply_characters, severity="warning"
        ),
    ]


def table_expectations(params: ValidateParams) -> list[Any]:
    """Expectations on the kept rows as a whole."""
    from great_expectations import expectations as gxe

    return [
        gxe.ExpectTableRowCountToBeBetween(min_value=1, severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="task", value_set=sorted(TASKS), severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="protocol", value_set=list(get_args(Protocol)), severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="outcome", value_set=list(get_args(Outcome)), severity="critical"),
        gxe.ExpectColumnValuesToBeInSet(column="first_fault", value_set=[*FAULTS, NONE], severity="critical"),
        gxe.ExpectColumnMeanToBeBetween(
            column="correct",
            min_value=params.min_correct_share,
            max_value=params.max_correct_share,
            severity="critical",
        ),
        gxe.ExpectColumnMeanToBeBetween(column="answered", min_value=0.5, severity="warning"),
        gxe.ExpectColumnValuesToBeBetween(column="completion_tokens", min_value=1, severity="warning"),
    ]


def run_suite(
    frame: "pd.DataFrame", name: str, expectations: Sequence[Any], data_docs: Path | None = None
) -> list[Check]:
    """Run expectations on a table through a checkpoint.

    Args:
        frame: with a column `id`, by which failing rows are named.
        data_docs: folder for the data docs site; none is built without.
    """
    import great_expectations as gx
    from great_expectations.checkpoint import UpdateDataDocsAction

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    actions: list[Any] = []
    for site in list(context.list_data_docs_sites()):
        context.delete_data_docs_site(site)
    if data_docs is not None:
        context.add_data_docs_site(name, _site(data_docs))
        actions.append(UpdateDataDocsAction(name="data docs", site_names=[name]))
    batch = (
        context.data_sources.add_pandas(name).add_dataframe_asset(name).add_batch_definition_whole_dataframe("all rows")
    )
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=list(expectations)))
    definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
    checkpoint = context.checkpoints.add(
        gx.Checkpoint(
            name=name,
            validation_definitions=[definition],
            actions=actions,
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": ["id"]},
        )
    )
    result = checkpoint.run(batch_parameters={"dataframe": frame})
    return [_check(one) for run in result.run_results.values() for one in run.results]


def quarantine_reasons(checks: Sequence[Check]) -> dict[str, list[str]]:
    """Row id -> why it cannot be used, from failed checks of single rows."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for check in checks:
        for row in dict.fromkeys(check.rows):  # rows of a duplicate id are named once each
            reasons[row].append(f"{check.column}: {check.name}")
    return dict(reasons)


def refuse_critical(checks: Sequence[Check], quarantined: int, total: int, limit: float) -> None:
    """Stop on a failed critical check of the kept rows, or when too many rows were quarantined.

    Raises:
        DataError: names the check, what was observed, and rows.
    """
    if quarantined > limit * total:
        raise DataError(
            f"{quarantined:,} of {total:,} chains were quarantined (limit {limit:.0%}); "
            f"see data/validated/quarantine.jsonl"
        )
    for check in checks:
        if not check.success and check.severity == "critical":
            rows = f"; rows {', '.join(check.rows[:MAX_NAMED])}" if check.rows else ""
            raise DataError(f"chains: {check.column or 'table'}: {check.name} failed: {check.observed}{rows}")


def report_of(checks: Sequence[Check]) -> list[dict[str, Any]]:
    """Checks for the quality report, at most MAX_NAMED rows each."""
    return [{**asdict(check), "rows": list(check.rows[:MAX_NAMED])} for check in checks]


def _site(folder: Path) -> dict[str, Any]:
    return {
        "class_name": "SiteBuilder",
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder.resolve())},
    }


def _refuse_raised(name: str, info: Any) -> None:
    """A check that raised stops the stage. The library keys what was raised by metric, or gives it flat."""
    for raised in (info, *(one for one in info.values() if isinstance(one, dict))):
        if raised.get("raised_exception"):
            raise DataError(f"the check {name} could not run: {raised.get('exception_message')}")


def _check(result: Any) -> Check:
    config = result.expectation_config
    details = result.result or {}
    rows = tuple(str(row["id"]) for row in details.get("unexpected_index_list") or ())
    _refuse_raised(config.type, result.exception_info or {})
    bounds = {key: config.kwargs[key] for key in ("min_value", "max_value", "value_set") if key in config.kwargs}
    observed = details.get("observed_value", f"{details.get('unexpected_count', 0)} unexpected values")
    return Check(
        name=config.type.removeprefix("expect_"),
        column=str(config.kwargs.get("column", "")),
        severity=str(getattr(config.severity, "value", config.severity) or "critical").lower(),
        success=bool(result.success),
        observed=f"{observed} (expected {bounds})" if bounds else str(observed),
        rows=rows,
    )
