"""Tables of the report page: numbers of reports/metrics.json, rollout.json and quality.json as rows of text."""

from collections.abc import Mapping, Sequence
from typing import Any

from callwright.reporting.charts import display_name, in_display_order

Rows = list[list[str]]
_EFFORT_LABELS = {
    "valid_calls": "valid calls",
    "grounded": "grounded answers",
    "calls": "calls per problem",
    "tokens": "tokens per problem",
    "seconds_per_problem": "seconds per problem",
}


def percent(share: float) -> str:
    """A share in percent.

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
    """A p-value with three decimals.

    >>> [p_value(0.00002), p_value(0.0312)]
    ['p < 0.001', 'p = 0.031']
    """
    return "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def accuracy_rows(accuracy: Mapping[str, Mapping[str, Mapping[str, float]]]) -> Rows:
    """Slice, model, accuracy, interval, problems."""
    return [
        [display_name(name), model, percent(interval["value"]), _format_interval(interval), f"{interval['n']:,}"]
        for name in accuracy["student"]
        for model in in_display_order(accuracy)
        if (interval := accuracy[model].get(name))
    ]


def gain_rows(gain: Mapping[str, Mapping[str, float]]) -> Rows:
    """Slice, gain, interval, p-values."""
    return [
        [
            display_name(name),
            points(entry["value"]),
            _format_points_interval(entry),
            p_value(entry["p_mcnemar"]),
            p_value(entry["p_wilcoxon"]),
        ]
        for name, entry in gain.items()
    ]


def sample_rows(samples: Mapping[str, Mapping[str, Any]]) -> Rows:
    """Model, number of samples, pass@1, pass@k, majority."""
    return [
        [
            model,
            str(samples[model]["k"]),
            *(format_with_interval(samples[model][kind]) for kind in ("pass_at_1", "pass_at_k", "majority")),
        ]
        for model in in_display_order(samples)
    ]


def robustness_rows(robustness: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Rows:
    """Change, model, accuracy before and after, gap, interval, problems."""
    return [
        [
            display_name(change),
            model,
            percent(result["original"]["value"]),
            percent(result["changed"]["value"]),
            points(result["gap"]["value"]),
            _format_points_interval(result["gap"]),
            f"{result['changed']['n']:,}",
        ]
        for change in dict.fromkeys(change for model in robustness for change in robustness[model])
        for model in in_display_order(robustness)
        if (result := robustness[model].get(change))
    ]


def effort_table(metrics: Mapping[str, Any]) -> tuple[list[str], Rows]:
    """Heads and rows of what each model needs to answer; columns that were not measured are omitted."""
    measured = [name for name in _EFFORT_LABELS if metrics.get(name)]
    rates = metrics.get("rates", {})
    rows = [
        [
            model,
            *(
                format_with_interval(rates[name][model])
                if model in rates.get(name, {})
                else _format_effort(name, metrics[name].get(model))
                for name in measured
            ),
        ]
        for model in in_display_order(metrics["accuracy"])
    ]
    return ["model", *(_EFFORT_LABELS[name] for name in measured)], rows


def rollout_table(report: Mapping[str, Any]) -> tuple[list[str], Rows]:
    """Heads and rows of reports/rollout.json; cost and latency only if they are known."""
    by_model = {
        model: summary
        for model, summary in report.items()
        if isinstance(summary, Mapping) and "prompt_tokens" in summary
    }
    has_cost = any(summary.get("cost") is not None for summary in by_model.values())
    has_latency = any(summary.get("latency_s") for summary in by_model.values())
    heads = ["model", "chains", "right", "prompt tokens", "completion tokens"]
    heads += ["cost"] * has_cost + ["seconds per reply (median, 95%)"] * has_latency
    rows = []
    for model, summary in by_model.items():
        row = [model, f"{summary['chains']:,}", percent(summary["answered_right"])]
        row += [f"{summary['prompt_tokens']:,}", f"{summary['completion_tokens']:,}"]
        if has_cost:
            row.append("" if summary.get("cost") is None else f"{summary['cost']:,.2f}")
        if has_latency:
            row.append(", ".join(f"{seconds:,.2f}" for seconds in (summary.get("latency_s") or {}).values()))
        rows.append(row)
    return heads, rows


def failed_checks(checks: Sequence[Mapping[str, Any]]) -> Rows:
    """Of each failed check: what was expected of the data, what was found, how severe it is."""
    return [
        [f"{check['suite']}: {check['column'] or 'table'}: {check['says']}", check["observed"], check["severity"]]
        for check in checks
        if not check["success"]
    ]


def _format_effort(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name in {"valid_calls", "grounded"}:
        return percent(value)
    return f"{value:,.3f}" if name == "seconds_per_problem" else f"{value:,.1f}"


def _format_interval(interval: Mapping[str, float]) -> str:
    return f"{percent(interval['low'])} to {percent(interval['high'])}"


def _format_points_interval(interval: Mapping[str, float]) -> str:
    return f"{points(interval['low'])} to {points(interval['high'])}"


def format_with_interval(interval: Mapping[str, float]) -> str:
    """A share and its interval in percent, such as `81.2% (75.0% to 87.5%)`."""
    return f"{percent(interval['value'])} ({_format_interval(interval)})"
