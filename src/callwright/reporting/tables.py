"""The numbers of reports/metrics.json and its neighbours as rows of text."""

from collections.abc import Mapping, Sequence
from typing import Any

from callwright.reporting.charts import in_display_order, label

Rows = list[list[str]]
_TESTS = ("p_mcnemar", "p_wilcoxon")
_EFFORT_LABELS = {
    "valid_calls": "valid calls",
    "grounded": "grounded answers",
    "calls": "calls a problem",
    "tokens": "tokens a problem",
    "seconds_per_problem": "seconds a problem",
}


def percent(share: float) -> str:
    """
    >>> percent(0.8125)
    '81.2%'
    """
    return f"{share:.1%}"


def points(share: float) -> str:
    """A difference of shares in percentage points.

    >>> points(-0.0512)
    '-5.1'
    """
    return f"{100 * share:+.1f}"


def p_value(value: float) -> str:
    """
    >>> [p_value(0.00002), p_value(0.0312)]
    ['p < 0.001', 'p = 0.031']
    """
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def accuracy_rows(accuracy: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Rows:
    """Slice, model, accuracy, interval, problems."""
    return [
        [label(name), model, percent(one["value"]), _format_interval(one), f"{one['n']:,}"]
        for name in accuracy["student"]
        for model in in_display_order(accuracy)
        if (one := accuracy[model].get(name))
    ]


def gain_rows(gain: Mapping[str, Mapping[str, float]]) -> Rows:
    """Slice, gain, interval, p-values."""
    return [
        [
            label(name),
            points(one["value"]),
            _format_points_interval(one),
            p_value(one["p_mcnemar"]),
            p_value(one["p_wilcoxon"]),
        ]
        for name, one in gain.items()
    ]


def sample_rows(samples: Mapping[str, Mapping[str, Any]]) -> Rows:
    """Model, number of samples, pass@1, pass@k, majority."""
    return [
        [model, str(samples[model]["k"]), *(_format_with_interval(samples[model][kind]) for kind in kinds)]
        for model in in_display_order(samples)
        for kinds in [("pass_at_1", "pass_at_k", "majority")]
    ]


def robustness_rows(robustness: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Rows:
    """Change, model, accuracy before and after, gap, interval, problems."""
    return [
        [
            label(change),
            model,
            percent(one["original"]["value"]),
            percent(one["changed"]["value"]),
            points(one["gap"]["value"]),
            _format_points_interval(one["gap"]),
            f"{one['changed']['n']:,}",
        ]
        for change in dict.fromkeys(change for model in robustness for change in robustness[model])
        for model in in_display_order(robustness)
        if (one := robustness[model].get(change))
    ]


def effort_table(metrics: Mapping[str, Any]) -> tuple[list[str], Rows]:
    """Heads and rows of what each model takes to answer; only what was measured."""
    known = [name for name in _EFFORT_LABELS if metrics.get(name)]
    rates = metrics.get("rates", {})
    rows = [
        [
            model,
            *(
                _format_with_interval(rates[name][model])
                if model in rates.get(name, {})
                else _format_effort(name, metrics[name].get(model))
                for name in known
            ),
        ]
        for model in in_display_order(metrics["accuracy"])
    ]
    return ["model", *(_EFFORT_LABELS[name] for name in known)], rows


def rollout(report: Mapping[str, Any]) -> tuple[list[str], Rows]:
    """Heads and rows of reports/rollout.json; cost and latency only where they are known."""
    parts = {name: one for name, one in report.items() if isinstance(one, Mapping) and "prompt_tokens" in one}
    costs = any(one.get("cost") is not None for one in parts.values())
    latencies = any(one.get("latency_s") for one in parts.values())
    heads = ["model", "chains", "right", "prompt tokens", "completion tokens"]
    heads += ["cost"] * costs + ["seconds a reply (half, 95%)"] * latencies
    rows = []
    for name, one in parts.items():
        row = [name, f"{one['chains']:,}", percent(one["answered_right"])]
        row += [f"{one['prompt_tokens']:,}", f"{one['completion_tokens']:,}"]
        if costs:
            row.append("" if one.get("cost") is None else f"{one['cost']:,.2f}")
        if latencies:
            row.append(", ".join(f"{value:,.2f}" for value in (one.get("latency_s") or {}).values()))
        rows.append(row)
    return heads, rows


def failed_checks(checks: Sequence[Mapping[str, Any]]) -> Rows:
    """What was expected of the data and not found, what was found, how severe it is."""
    return [
        [f"{one['suite']}: {one['column'] or 'table'}: {one['says']}", one["observed"], one["severity"]]
        for one in checks
        if not one["success"]
    ]


def _format_effort(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name in {"valid_calls", "grounded"}:
        return percent(value)
    return f"{value:,.3f}" if name == "seconds_per_problem" else f"{value:,.1f}"


def _format_interval(one: Mapping[str, float]) -> str:
    return f"{percent(one['low'])} to {percent(one['high'])}"


def _format_points_interval(one: Mapping[str, float]) -> str:
    return f"{points(one['low'])} to {points(one['high'])}"


def _format_with_interval(one: Mapping[str, float]) -> str:
    return f"{percent(one['value'])} ({_format_interval(one)})"
