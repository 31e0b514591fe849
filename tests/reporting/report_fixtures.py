"""Data for report pages: small metrics with every section, and hostile text."""

from pathlib import Path
from typing import Any

from callwright.reporting.report import write_report
from callwright.reporting.transcripts import ChainTranscript, StepTranscript, TranscriptPair
from callwright.reports.checks import CheckResult
from callwright.reports.decision import Decision
from callwright.reports.metrics import ChangeResult, Difference, Gain, Interval, Metrics
from callwright.reports.quality import ChainCounts, Quality
from callwright.reports.rollout import ModelRollout, RolloutReport
from callwright.reports.train import TrainReport
from tests.reports.golden_files import GOLDEN

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \u202egnp\x1b[31m {{ 7 * 7 }} \ud800"
SLICES_OF_A_TASK = ("seen", "held_out", "steps_1", "steps_2", "source_gsm8k", "held_out_function")


def share(value: float, n: int = 40) -> Interval:
    return Interval(value=value, low=max(0.0, value - 0.1), high=min(1.0, value + 0.1), n=n)


def difference(value: float) -> Gain:
    return Gain(value=value, low=value - 0.05, high=value + 0.05, p_mcnemar=0.0004, p_wilcoxon=0.0312)


def change(before: float, after: float) -> ChangeResult:
    gap = before - after
    return ChangeResult(
        original=share(before), changed=share(after), gap=Difference(value=gap, low=gap - 0.05, high=gap + 0.05)
    )


def metrics(tasks: tuple[str, ...] = ("arithmetic", "entailment"), everything: bool = True, **changes: Any) -> Metrics:
    """Metrics with some values changed; with `everything` False they have only what is always there."""
    values = {"base": 0.25, "student": 0.75, "teacher": 0.625} | ({"champion": 0.5} if everything else {})
    slices = ["overall", *(name for task in tasks for name in (task, *(f"{task}/{name}" for name in SLICES_OF_A_TASK)))]
    spread = {name: (index % 5 - 2) * 0.05 for index, name in enumerate(slices)} | {"overall": 0.0}
    values_by_key: dict[str, Any] = {
        "accuracy": {model: {name: share(value + spread[name]) for name in slices} for model, value in values.items()},
        "gain": {name: difference(0.5) for name in slices},
        "valid_calls": dict.fromkeys(values, 0.975),
        "grounded": dict.fromkeys(values, 0.9),
        "tokens": dict.fromkeys(values, 31.36),
        "faults": {"base": {"wrong_answer": 30, "syntax": 10}, "student": {"wrong_answer": 8, "no_answer": 2}},
        "seconds": {"problems": 0.3, "rollout": 97.1, "evaluate": 33.9},
    }
    if everything:
        gap = change(0.75, 0.625)
        values_by_key |= {
            "gain_over_champion": {"overall": difference(0.25)},
            "samples": {"student": {"k": 5, "pass_at_1": share(0.7), "pass_at_k": share(0.9), "majority": share(0.8)}},
            "robustness": {model: {"names": gap, "order": gap, "overall": gap} for model in ("base", "student")},
            "unseen": {
                model: {"overall": share(0.2), "arithmetic/larger_of": share(0.4)} for model in ("base", "student")
            },
            "calls": dict.fromkeys(values, 3.4),
            "seconds_per_problem": dict.fromkeys(values, 0.0421),
        }
    return Metrics.model_validate(values_by_key | changes)


def transcript(text: str = "add(a=2, b=3)", count: int = 1) -> TranscriptPair:
    """A problem that only the student solves."""
    wrong = ChainTranscript(False, (StepTranscript(text, "Result: 6", (f"wrong answer: {text}",)),))
    right = ChainTranscript(True, (StepTranscript(text, "Result: 5", ()),))
    return TranscriptPair("Base wrong, student right", count, 1, "p", "arithmetic", text, text, wrong, right)


def page(folder: Path, **changes: Any) -> str:
    """Write the page, with some values changed; returns its text."""
    path = folder / "index.html"
    values: dict[str, Any] = {
        "metrics": metrics(),
        "decision": decision(),
        "quality": quality(check("critical", True), check("warning", False)),
        "training": TrainReport.load(GOLDEN / "train.json"),
        "rollout": RolloutReport(teacher=rollout(1.25), student=rollout(None)),
        "curves": [{"step": step, "loss": 1 / step, "margin": step / 10} for step in range(1, 9)],
        "transcripts": [transcript()],
        "stand_in": True,
        "embedded_base": True,
    }
    write_report(path, **(values | changes))
    return path.read_text(encoding="utf-8")


def decision(*reasons: str, **changes: Any) -> Decision:
    """A promotion, or a refusal if there are reasons."""
    promoted = {"decision": "promoted", "version": "3", "aliases": ("champion",)}
    refused = {"decision": "refused", "version": None, "aliases": ()}
    return Decision.model_validate({"model": "m", "reasons": reasons} | (refused if reasons else promoted) | changes)


def quality(*checks: CheckResult, model: str = "oracle") -> Quality:
    counts = ChainCounts(read=1200, kept=1190, quarantined=10)
    return Quality(
        chains=counts,
        correct={model: 0.68},
        first_faults={},
        ground_not_checked=0,
        quarantine_reasons={},
        checks=checks,
    )


def check(severity: str, success: bool, **changes: str) -> CheckResult:
    values = {
        "suite": "drift",
        "name": "expected",
        "column": "task",
        "says": "ids are unique" if success else "tasks stay as they were",
        "observed": "0.31",
    }
    return CheckResult(**(values | changes), severity=severity, success=success, rows=())


def rollout(cost: float | None, **changes: Any) -> ModelRollout:
    golden = RolloutReport.load(GOLDEN / "rollout.json").teacher
    assert golden is not None
    return golden.model_copy(update={"cost": cost, **changes})
