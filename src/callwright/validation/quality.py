"""From chain files to what may be learned from: replay, judge, quarantine, check."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from callwright.errors import DataError
from callwright.params import ValidateParams
from callwright.records import CheckedChain, Problem
from callwright.storage.jsonl import loads
from callwright.surprises import Surprise
from callwright.validation import drift
from callwright.validation.lines import NO_FAULT, CheckedLine, check_files
from callwright.validation.suites.chains import chain_expectations, line_expectations, task_expectations
from callwright.validation.suites.frames import chain_frame, line_frame, task_frame
from callwright.validation.suites.suite import Check, Suites, checks_report, failed_checks_by_row

if TYPE_CHECKING:
    import pandas as pd

COMPLAINT_COLUMNS = ("unreadable", "unexpected", "orphan", "mismatch")  # columns whose value says what is wrong


@dataclass(frozen=True, slots=True)
class QuarantinedLine:
    """A line that cannot be used, and why.

    Attributes:
        where: path:line.
        record: the chain and its verdict, where the line is a chain whose problem exists.
        text: the line as it was, where it is not; what is no UTF-8 is written as \\xNN.
    """

    where: str
    id: str
    reasons: tuple[str, ...]
    record: CheckedChain | None
    text: str | None


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """What was kept, what was not, and the quality report (counts reconcile: in = kept + quarantined).

    Attributes:
        kept: checked chains as JSON, in the order of the files.
        version: what the next version of the data is compared with; None where nothing was kept.
        surprises: by the place of the line that each cost.
    """

    kept: list[bytes]
    quarantined: list[QuarantinedLine]
    report: dict[str, Any]
    checks: list[Check]
    version: drift.Version | None
    surprises: dict[str, Surprise]

    def records(self) -> list[CheckedChain]:
        """The kept chains."""
        return [loads(CheckedChain, line, "a kept chain") for line in self.kept]


def validate_chains(
    files: Sequence[Path],
    problems: Mapping[str, Problem],
    models: Collection[str],
    params: ValidateParams,
    suites: Suites,
    history: Path,
    modules: Sequence[str] = (),
    workers: int | None = None,
) -> ValidationResult:
    """Replay and judge all chains, put bad lines aside, and check the rest as a whole.

    Args:
        files: of chains, a record a line; read as a stream.
        models: that made the chains.
        history: of earlier versions of the data (see `callwright.validation.drift`).
        modules, workers: as in `callwright.validation.lines.check_files`.

    Raises:
        DataError: there are no chains, a file is missing, or a check could not run.
    """
    lines = list(check_files(files, problems, modules, workers))
    if not lines:
        raise DataError(f"there are no chains in {', '.join(map(str, files))}: see reports/rollout.json")
    frame = line_frame([line.row for line in lines])
    line_checks = suites.run(frame, "lines", line_expectations(params, models))
    failed = failed_checks_by_row(line_checks)
    kept = [line.text for line in lines if line.row.id not in failed]
    quarantined = [_quarantine(line, failed[line.row.id]) for line in lines if line.row.id in failed]
    checks, version = line_checks, None
    if kept:
        chains = chain_frame(frame[~frame["id"].isin(list(failed))])
        version = drift.describe_version(chains, kept)
        checks = [*line_checks, *_check_kept_chains(chains, version, params, suites, history)]
    report = {
        "chains": {"in": len(lines), "kept": len(kept), "quarantined": len(quarantined)},
        **(_summary(chains) if kept else {}),
        "ground_not_checked": sum(line.row.can_check_grounding is False for line in lines if line.row.id not in failed),
        "quarantine_reasons": _count_reasons(lines, failed),
        "checks": checks_report(checks),
    }
    surprises = {line.row.where: line.surprise for line in lines if line.surprise is not None}
    return ValidationResult(kept, quarantined, report, checks, version, surprises)


def raise_if_too_many_quarantined(validated: ValidationResult, limit: float) -> None:
    """Stop when too many lines were put aside, or all.

    Raises:
        DataError: says how many, and the commonest reason.
    """
    counts = validated.report["chains"]
    if not validated.kept or counts["quarantined"] > limit * counts["in"]:
        reasons = validated.report["quarantine_reasons"]
        commonest = max(reasons, key=lambda reason: reasons[reason])
        raise DataError(
            f"{counts['quarantined']:,} of {counts['in']:,} chains were quarantined (limit {limit:.0%}), "
            f"{reasons[commonest]:,} because not so: {commonest}; see data/validated/quarantine.jsonl"
        )


def _check_kept_chains(
    chains: "pd.DataFrame", version: drift.Version, params: ValidateParams, suites: Suites, history: Path
) -> list[Check]:
    checks = suites.run(chains, "chains", chain_expectations(params))
    checks += suites.run(task_frame(chains), "chains by task", task_expectations(params))
    before = drift.previous_version(history, version)
    if before is not None:
        compared = chains[["id", *drift.COMPARED_COLUMNS]].astype(str)
        checks += suites.run(compared, "drift", drift.drift_expectations(before, params.max_drift))
    return checks


def _quarantine(line: CheckedLine, failed: Sequence[Check]) -> QuarantinedLine:
    row, text = line.row, line.text
    reasons = tuple(_reason(check, getattr(row, check.column)) for check in failed)
    if row.unreadable or row.unexpected or row.orphan:
        return QuarantinedLine(row.where, row.id, reasons, None, text.decode(errors="backslashreplace"))
    return QuarantinedLine(row.where, row.id, reasons, loads(CheckedChain, text, row.where), None)


def _reason(check: Check, found: Any) -> str:
    value = found if check.column in COMPLAINT_COLUMNS else repr(found)
    return f"{check.column}: expected that {check.says}; found {value}"


def _count_reasons(lines: Sequence[CheckedLine], failed: Mapping[str, Sequence[Check]]) -> dict[str, int]:
    """How many lines failed each check."""
    said = [f"{check.column}: {check.says}" for line in lines for check in failed.get(line.row.id, ())]
    return dict(sorted(Counter(said).items()))


def _summary(chains: "pd.DataFrame") -> dict[str, Any]:
    faults = chains["first_fault"][chains["first_fault"] != NO_FAULT].value_counts()
    correct = chains.groupby("model", sort=True)["correct"].mean()
    return {
        "correct": {str(model): round(float(share), 4) for model, share in correct.items()},
        "first_faults": {str(fault): int(count) for fault, count in sorted(faults.items())},
    }
