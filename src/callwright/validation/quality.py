"""Check chain files: replay and judge every chain, quarantine bad lines, and check the others as a whole."""

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
from callwright.tasks import Tasks
from callwright.validation import drift
from callwright.validation.lines import NO_FAULT, CheckedLine, check_files
from callwright.validation.suites.chains import chain_expectations, line_expectations, task_expectations
from callwright.validation.suites.frames import chain_frame, line_frame, task_frame
from callwright.validation.suites.suite import Check, Suites, checks_report, failed_checks_by_row

if TYPE_CHECKING:
    import pandas as pd

COMPLAINT_COLUMNS = ("unreadable", "unexpected", "orphan", "mismatch")  # their value is the defect as text, or None


@dataclass(frozen=True, slots=True)
class QuarantinedLine:
    """A line that cannot be used, and why.

    Attributes:
        where: path:line.
        record: the chain and its verdict; None if the line is not a chain or its problem does not exist.
        text: the line itself if `record` is None; bytes that are not UTF-8 are written as \\xNN.
    """

    where: str
    id: str
    reasons: tuple[str, ...]
    record: CheckedChain | None
    text: str | None


@dataclass(frozen=True, slots=True)
class ValidationResult:
    """The kept chains, the quarantined lines, and the quality report (in its counts, in = kept + quarantined).

    Attributes:
        kept: checked chains as JSON, in the order of the files.
        version: describes the kept chains, for comparison with the next version; None if no chain was kept.
        surprises: path:line -> unexpected error.
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
    tasks: Tasks,
    models: Collection[str],
    params: ValidateParams,
    suites: Suites,
    history: Path,
    workers: int | None = None,
) -> ValidationResult:
    """Replay and judge all chains, quarantine bad lines, and check the kept chains as a whole.

    Args:
        files: chain files, one record per line.
        problems: problems of all splits, by id.
        models: names of the models that may have made the chains.
        suites: runs the suites and keeps their checks.
        history: file with the data's previous versions (see `callwright.validation.drift`).
        tasks, workers: as in `callwright.validation.lines.check_files`.

    Raises:
        DataError: there are no chains, a file is missing, or a check could not run.
    """
    lines = list(check_files(files, problems, tasks, workers))
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
        checks = [*line_checks, *_check_kept_chains(chains, version, tasks, params, suites, history)]
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
    """Stop if all lines were quarantined, or a larger share than the limit.

    Raises:
        DataError: with the number of lines and the most common reason.
    """
    counts = validated.report["chains"]
    if not validated.kept or counts["quarantined"] > limit * counts["in"]:
        reasons = validated.report["quarantine_reasons"]
        most_common = max(reasons, key=lambda reason: reasons[reason])
        raise DataError(
            f"{counts['quarantined']:,} of {counts['in']:,} chains were quarantined (limit {limit:.0%}); "
            f"{reasons[most_common]:,} failed the check: {most_common}; see data/validated/quarantine.jsonl"
        )


def _check_kept_chains(
    chains: "pd.DataFrame",
    version: drift.Version,
    tasks: Tasks,
    params: ValidateParams,
    suites: Suites,
    history: Path,
) -> list[Check]:
    checks = suites.run(chains, "chains", chain_expectations(tasks, params))
    checks += suites.run(task_frame(chains), "chains by task", task_expectations(params))
    previous = drift.previous_version(history, version)
    if previous is not None:
        compared = chains[["id", *drift.COMPARED_COLUMNS]].astype(str)
        checks += suites.run(compared, "drift", drift.drift_expectations(previous, params.max_drift))
    return checks


def _quarantine(line: CheckedLine, failed: Sequence[Check]) -> QuarantinedLine:
    row, text = line.row, line.text
    reasons = tuple(_reason(check, getattr(row, check.column)) for check in failed)
    if row.unreadable or row.unexpected or row.orphan:
        return QuarantinedLine(row.where, row.id, reasons, None, text.decode(errors="backslashreplace"))
    return QuarantinedLine(row.where, row.id, reasons, loads(CheckedChain, text, row.where), None)


def _reason(check: Check, value: Any) -> str:
    shown = value if check.column in COMPLAINT_COLUMNS else repr(value)
    return f"{check.column}: expected that {check.says}; found {shown}"


def _count_reasons(lines: Sequence[CheckedLine], failed: Mapping[str, Sequence[Check]]) -> dict[str, int]:
    """How many lines failed each check."""
    reasons = [f"{check.column}: {check.says}" for line in lines for check in failed.get(line.row.id, ())]
    return dict(sorted(Counter(reasons).items()))


def _summary(chains: "pd.DataFrame") -> dict[str, Any]:
    faults = chains["first_fault"][chains["first_fault"] != NO_FAULT].value_counts()
    correct = chains.groupby("model", sort=True)["correct"].mean()
    return {
        "correct": {str(model): round(float(share), 4) for model, share in correct.items()},
        "first_faults": {str(fault): int(count) for fault, count in sorted(faults.items())},
    }
