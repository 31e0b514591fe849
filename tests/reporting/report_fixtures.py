"""Data for report pages: small metrics with every section, and hostile text."""

from pathlib import Path
from typing import Any

from callwright.reporting.report import write_report
from callwright.reporting.transcripts import ChainTranscript, StepTranscript, TranscriptPair

HOSTILE = "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \u202egnp\x1b[31m {{ 7 * 7 }} \ud800"
SLICES_OF_A_TASK = ("seen", "held_out", "steps_1", "steps_2", "source_gsm8k", "held_out_function")


def share(value: float, n: int = 40) -> dict[str, float]:
    return {"value": value, "low": max(0.0, value - 0.1), "high": min(1.0, value + 0.1), "n": n}


def difference(value: float) -> dict[str, float]:
    return {"value": value, "low": value - 0.05, "high": value + 0.05, "p_mcnemar": 0.0004, "p_wilcoxon": 0.0312}


def metrics(tasks: tuple[str, ...] = ("arithmetic", "entailment"), everything: bool = True) -> dict[str, Any]:
    """reports/metrics.json; with `everything` False it has no champion, samples or robustness."""
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
        gap = {"original": share(0.75), "changed": share(0.625), "gap": difference(0.125)}
        values_by_key |= {
            "gain_over_champion": {"overall": difference(0.25)},
            "samples": {"student": {"k": 5, "pass_at_1": share(0.7), "pass_at_k": share(0.9), "majority": share(0.8)}},
            "robustness": {model: {"names": gap, "order": gap, "overall": gap} for model in ("base", "student")},
            "calls": dict.fromkeys(values, 3.4),
            "seconds_per_problem": dict.fromkeys(values, 0.0421),
        }
    return values_by_key


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
        "decision": {"decision": "promoted", "reasons": [], "model": "m", "version": "3", "aliases": ["champion"]},
        "quality": {
            "chains": {"in": 1200, "kept": 1190, "quarantined": 10},
            "correct": {"oracle": 0.68},
            "checks": [check("critical", True), check("warning", False)],
        },
        "training": {"pairs": 930, "steps": 117, "pairs_per_second": 22.3},
        "rollout": {"teacher": rollout(1.25), "student": rollout(None)},
        "curves": [{"step": step, "loss": 1 / step, "margin": step / 10} for step in range(1, 9)],
        "transcripts": [transcript()],
        "stand_in": True,
    }
    write_report(path, **(values | changes))
    return path.read_text(encoding="utf-8")


def check(severity: str, success: bool) -> dict[str, Any]:
    says = "ids are unique" if success else "tasks stay as they were"
    return {"suite": "drift", "column": "task", "severity": severity, "says": says, "success": success,
            "observed": "0.31", "rows": []}  # fmt: skip


def rollout(cost: float | None) -> dict[str, Any]:
    return {"chains": 1512, "answered_right": 0.6944, "prompt_tokens": 1029628, "completion_tokens": 8882,
            "cost": cost, "latency_s": {"p50": 0.5, "p95": 1.75}}  # fmt: skip
