"""Tables of the report page: numbers of reports/metrics.json, rollout.json and quality.json as rows of text."""

from collections.abc import Mapping, Sequence

from callwright.reporting.charts import display_name, in_display_order
from callwright.reports.checks import CheckResult
from callwright.reports.metrics import ChangeResult, Difference, Gain, Interval, Metrics, Samples
from callwright.reports.rollout import RolloutReport
from callwright.reports.values import ByModel, BySlice

Rows = list[list[str]]


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


def accuracy_rows(accuracy: ByModel[BySlice[Interval]]) -> Rows:
    """Slice, model, accuracy, interval, problems."""
    return [
        [display_name(name), model, percent(interval.value), _format_interval(interval), f"{interval.n:,}"]
        for name in accuracy.student
        for model in in_display_order(accuracy)
        if (interval := accuracy[model].get(name))
    ]


def gain_rows(gain: Mapping[str, Gain]) -> Rows:
    """Slice, gain, interval, p-values."""
    return [
        [
            display_name(name),
            points(entry.value),
            _format_points_interval(entry),
            p_value(entry.p_mcnemar),
            p_value(entry.p_wilcoxon),
        ]
        for name, entry in gain.items()
    ]


def sample_rows(samples: Mapping[str, Samples]) -> Rows:
    """Model, number of samples, pass@1, pass@k, majority."""
    return [
        [
            model,
            str(sampled.k),
            *map(format_with_interval, (sampled.pass_at_1, sampled.pass_at_k, sampled.majority)),
        ]
        for model in in_display_order(samples)
        for sampled in [samples[model]]
    ]


def robustness_rows(robustness: Mapping[str, Mapping[str, ChangeResult]]) -> Rows:
    """Change, model, accuracy before and after, gap, interval, problems."""
    return [
        [
            display_name(change),
            model,
            percent(result.original.value),
            percent(result.changed.value),
            points(result.gap.value),
            _format_points_interval(result.gap),
            f"{result.changed.n:,}",
        ]
        for change in dict.fromkeys(change for model in robustness for change in robustness[model])
        for model in in_display_order(robustness)
        if (result := robustness[model].get(change))
    ]


def unseen_rows(unseen: Mapping[str, Mapping[str, Interval]]) -> Rows:
    """Task and function, model, accuracy, interval, problems."""
    return [
        [display_name(name), model, percent(interval.value), _format_interval(interval), f"{interval.n:,}"]
        for name in dict.fromkeys(name for model in unseen for name in unseen[model])
        for model in in_display_order(unseen)
        if (interval := unseen[model].get(name))
    ]


def effort_table(metrics: Metrics) -> tuple[list[str], Rows]:
    """Heads and rows of what each model needs to answer; columns that were not measured are omitted."""
    rates = metrics.rates
    columns = [
        ("valid calls", _rate_cells(metrics.valid_calls, rates.valid_calls)),
        ("grounded answers", _rate_cells(metrics.grounded, rates.grounded)),
        ("calls per problem", {model: f"{calls:,.1f}" for model, calls in metrics.calls.items()}),
        ("tokens per problem", {model: f"{tokens:,.1f}" for model, tokens in metrics.tokens.items()}),
        ("seconds per problem", {model: f"{value:,.3f}" for model, value in metrics.seconds_per_problem.items()}),
    ]
    measured = [(head, cells) for head, cells in columns if cells]
    rows = [[model, *(cells.get(model, "") for _, cells in measured)] for model in in_display_order(metrics.accuracy)]
    return ["model", *(head for head, _ in measured)], rows


def _rate_cells(shares: Mapping[str, float], rates: Mapping[str, Interval]) -> dict[str, str]:
    """Model -> its share in percent, with the interval if it is known."""
    return {
        model: format_with_interval(rates[model]) if model in rates else percent(share)
        for model, share in shares.items()
    }


def rollout_table(report: RolloutReport) -> tuple[list[str], Rows]:
    """Heads and rows of what the rollout used; cost and latency only if they are known."""
    by_model = report.by_model()
    has_cost = any(rollout.cost is not None for rollout in by_model.values())
    has_latency = any(rollout.latency_s for rollout in by_model.values())
    heads = ["model", "chains", "right", "prompt tokens", "completion tokens"]
    heads += ["cost"] * has_cost + ["seconds per reply (median, 95%)"] * has_latency
    rows = []
    for model, rollout in by_model.items():
        row = [model, f"{rollout.chains:,}", percent(rollout.answered_right)]
        row += [f"{rollout.prompt_tokens:,}", f"{rollout.completion_tokens:,}"]
        if has_cost:
            row.append("" if rollout.cost is None else f"{rollout.cost:,.2f}")
        if has_latency:
            row.append(", ".join(f"{seconds:,.2f}" for seconds in rollout.latency_s.values()))
        rows.append(row)
    return heads, rows


def failed_checks(checks: Sequence[CheckResult]) -> Rows:
    """Of each failed check: what was expected of the data, what was found, how severe it is."""
    return [
        [f"{check.suite}: {check.column or 'table'}: {check.says}", check.observed, check.severity]
        for check in checks
        if not check.success
    ]


def _format_interval(interval: Interval) -> str:
    return f"{percent(interval.low)} to {percent(interval.high)}"


def _format_points_interval(interval: Difference) -> str:
    return f"{points(interval.low)} to {points(interval.high)}"


def format_with_interval(interval: Interval) -> str:
    """A share and its interval in percent, such as `81.2% (75.0% to 87.5%)`."""
    return f"{percent(interval.value)} ({_format_interval(interval)})"
