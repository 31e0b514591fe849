"""From chains to what may be learned from: replay, judge, quarantine, check."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callwright.errors import DataError
from callwright.params import ValidateParams
from callwright.records import Chain, CheckedChain, Problem
from callwright.validation import suite
from callwright.validation.frame import frame_of
from callwright.validation.replay import check_chains


@dataclass(frozen=True, slots=True)
class Quarantined:
    """A checked chain that cannot be used, and why."""

    record: CheckedChain
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Validated:
    """What was kept, what was not, and the quality report (counts reconcile: in = kept + quarantined)."""

    kept: list[CheckedChain]
    quarantined: list[Quarantined]
    report: dict[str, Any]
    checks: list[suite.Check]


def validate_chains(
    chains: Iterable[Chain], problems: Mapping[str, Problem], params: ValidateParams, data_docs: Path
) -> Validated:
    """Replay and judge all chains, put bad rows aside, and check the rest as a whole.

    Raises:
        DataError: there are no chains, one belongs to no problem, or a check could not run.
    """
    checked = list(check_chains(chains, problems))
    if not checked:
        raise DataError("there are no chains to validate: see reports/rollout.json")
    frame = frame_of(checked, problems)
    row_checks = suite.run_suite(frame, "chain rows", suite.row_expectations(params))
    reasons = suite.quarantine_reasons(row_checks)
    kept = [record for record in checked if record.chain.id not in reasons]
    quarantined = [
        Quarantined(record, tuple(reasons[record.chain.id])) for record in checked if record.chain.id in reasons
    ]
    kept_frame = frame[~frame["id"].isin(list(reasons))]
    expectations = [*suite.row_expectations(params), *suite.table_expectations(params)]
    checks = suite.run_suite(kept_frame, "chains", expectations, data_docs)
    report = {
        "chains": {"in": len(checked), "kept": len(kept), "quarantined": len(quarantined)},
        "correct": {
            model: round(sum(flags) / len(flags), 4) for model, flags in sorted(_correct_by_model(kept).items())
        },
        "first_faults": _first_faults(kept),
        "quarantine_reasons": dict(Counter(reason for one in quarantined for reason in one.reasons)),
        "checks": suite.report_of(checks),
    }
    return Validated(kept, quarantined, report, checks)


def _correct_by_model(records: Iterable[CheckedChain]) -> dict[str, list[bool]]:
    by_model: dict[str, list[bool]] = {}
    for record in records:
        by_model.setdefault(record.chain.model, []).append(record.verdict.correct)
    return by_model


def _first_faults(records: Iterable[CheckedChain]) -> dict[str, int]:
    counts = Counter(record.verdict.faults[0].fault for record in records if record.verdict.faults)
    return dict(sorted(counts.items()))
