"""Chart geometry: y in pixels, x in percent of the width. The templates draw it as SVG."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from callwright.reports.metrics import ChangeResult, Interval
from callwright.reports.values import OVERALL

MODELS = ("base", "student", "teacher", "champion")  # the order in which models are shown
STAGES = ("problems", "base", "rollout", "validate", "pairs", "train", "evaluate", "promote")
LANE_PX, LABEL_PX, GAP_PX = 14.0, 20.0, 16.0  # height of a model's lane in a row; space above and below a row's lanes
MAX_LABEL_CHARS = 32  # fits on a phone's screen
CURVE_WIDTH_PX, CURVE_HEIGHT_PX = 300.0, 120.0
MarkValues = tuple[str, float, float, float, str]  # model, value, low, high (percent of the width), text


@dataclass(frozen=True, slots=True)
class Mark:
    """One model's value in a row: the value and its interval in percent of the width, `y` in pixels."""

    model: str
    x_percent: float
    low: float
    high: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a chart: `label` at its left end, `note` at its right end, `y` is the baseline of both."""

    label: str
    note: str
    y: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows below each other, `height` pixels in total.

    Attributes:
        kind: `dots`: values with intervals on a scale; `bars`: amounts from 0.
        ticks: percent of the width, and the label, of each grid line.
    """

    title: str
    kind: str
    rows: tuple[Row, ...]
    height: float
    ticks: tuple[tuple[float, str], ...]

    @property
    def models(self) -> list[str]:
        """The models that have a mark, in display order."""
        return in_display_order(mark.model for row in self.rows for mark in row.marks)


@dataclass(frozen=True, slots=True)
class Curve:
    """A number over training steps; `points` is an SVG polyline in a box of CURVE_WIDTH_PX x CURVE_HEIGHT_PX."""

    name: str
    points: str
    first: float
    last: float
    low: float
    high: float
    steps: int


def accuracy_chart(
    title: str, accuracy: Mapping[str, Mapping[str, Interval]], slices: Sequence[str], task: str = ""
) -> Chart:
    """Dots with intervals on a scale from 0 to 100 %, one row per slice.

    Args:
        accuracy: model -> slice -> accuracy.
        task: the task whose slices these are; labels omit it.
    """
    return _chart(
        title,
        "dots",
        (
            (
                display_name(name, task),
                f"n = {accuracy[models[0]][name].n:,}",
                [_interval_mark(model, accuracy[model][name]) for model in models],
            )
            for name in slices
            if (models := in_display_order(model for model in accuracy if name in accuracy[model]))
        ),
    )


def _interval_mark(model: str, interval: Interval) -> MarkValues:
    return model, 100 * interval.value, 100 * interval.low, 100 * interval.high, f"{interval.value:.1%}"


def faults_chart(faults: Mapping[str, Mapping[str, int]], totals: Mapping[str, int]) -> Chart:
    """Bars: the share of a model's chains that have a fault; one row per fault, the base's most common one first.

    Args:
        totals: chains per model.
    """
    models = in_display_order(faults)
    shares = {model: {name: count / (totals[model] or 1) for name, count in faults[model].items()} for model in models}
    names = sorted(
        {name for model in models for name in faults[model]},
        key=lambda name: ([-shares[model].get(name, 0.0) for model in models], name),
    )
    longest = max((share for model in models for share in shares[model].values()), default=0.0) or 1.0
    return _chart(
        "Chains with a fault",
        "bars",
        (
            (
                display_name(name),
                "",
                [
                    (model, 100 * share / longest, 0.0, 0.0, f"{share:.1%}")
                    for model in models
                    for share in [shares[model].get(name, 0.0)]
                ],
            )
            for name in names
        ),
    )


def robustness_chart(robustness: Mapping[str, Mapping[str, ChangeResult]]) -> Chart:
    """Dots: accuracy on the changed problems, with a line from the accuracy on the originals; one row per change."""
    models = in_display_order(robustness)
    changes = dict.fromkeys(change for model in models for change in robustness[model])
    return _chart(
        "Accuracy on changed problems",
        "dots",
        (
            (
                display_name(change),
                "",
                [_change_mark(model, robustness[model][change]) for model in models if change in robustness[model]],
            )
            for change in changes
        ),
    )


def _change_mark(model: str, result: ChangeResult) -> MarkValues:
    before, after = 100 * result.original.value, 100 * result.changed.value
    return model, after, min(before, after), max(before, after), f"{after:.1f}%"


def seconds_chart(seconds: Mapping[str, float]) -> Chart:
    """Bars: how long each stage took, in the pipeline's order."""
    longest = max(seconds.values(), default=0.0) or 1.0
    rows = (
        (name, f"{seconds[name]:,.1f} s", [("", 100 * seconds[name] / longest, 0.0, 0.0, "")])
        for name in STAGES
        if name in seconds
    )
    return _chart("Seconds per stage", "bars", rows)


def curve(rows: Sequence[Mapping[str, float]], name: str) -> Curve | None:
    """A column of reports/curves.csv as a curve; None if fewer than two rows have it."""
    points = [(row["step"], row[name]) for row in rows if name in row]
    if len(points) < 2:
        return None
    low, high = min(y for _, y in points), max(y for _, y in points)
    first_step, last_step = points[0][0], points[-1][0]
    scaled = " ".join(
        f"{(step - first_step) / ((last_step - first_step) or 1) * CURVE_WIDTH_PX:.1f},"
        f"{CURVE_HEIGHT_PX - (y - low) / ((high - low) or 1) * CURVE_HEIGHT_PX:.1f}"
        for step, y in points
    )
    return Curve(name, scaled, points[0][1], points[-1][1], low, high, int(last_step))


def slices_by_task(slices: Iterable[str]) -> dict[str, list[str]]:
    """Task -> the slices within it, in the given order.

    >>> slices_by_task(["overall", "arithmetic", "arithmetic/seen", "entailment"])
    {'arithmetic': ['arithmetic/seen'], 'entailment': []}
    """
    tasks: dict[str, list[str]] = {}
    for name in slices:
        task, _, within = name.partition("/")
        if task != OVERALL:
            tasks.setdefault(task, [])
            if within:
                tasks[task].append(name)
    return tasks


def display_name(name: str, task: str = "") -> str:
    """The name of a slice, a fault or a change in words.

    >>> [display_name("arithmetic/steps_1", "arithmetic"), display_name("steps_12"), display_name("a/source_gsm8k")]
    ['1 step', '12 steps', 'a: source gsm8k']
    """
    name = name.removeprefix(f"{task}/") if task else name
    before, slash, within = name.rpartition("/")
    kind, _, count = within.partition("_")
    if kind == "steps" and count.isdecimal():
        within = f"{count} step{'' if count == '1' else 's'}"
    return f"{before}{': ' if slash else ''}{within.replace('_', ' ')}"


def in_display_order(models: Iterable[str]) -> list[str]:
    """Models in the order in which they are shown."""
    present = set(models)
    return [model for model in MODELS if model in present]


def _chart(title: str, kind: str, rows: Iterable[tuple[str, str, list[MarkValues]]]) -> Chart:
    """Stack rows (label, note, marks): a line for the label, a lane per mark, a gap."""
    rows_out: list[Row] = []
    top = 0.0
    for name, note, values in rows:
        first_lane_y = top + LABEL_PX + LANE_PX / 2
        marks = tuple(
            Mark(model, round(x, 2), round(low, 2), round(high, 2), first_lane_y + lane * LANE_PX, text)
            for lane, (model, x, low, high, text) in enumerate(values)
        )
        label = name if len(name) <= MAX_LABEL_CHARS else f"{name[: MAX_LABEL_CHARS - 1]}…"
        rows_out.append(Row(label, note, top + LABEL_PX - 6, marks))
        top += LABEL_PX + len(values) * LANE_PX + GAP_PX
    ticks = tuple((x, f"{x:.0f}%") for x in (0.0, 25.0, 50.0, 75.0, 100.0)) if kind == "dots" else ()
    return Chart(title, kind, tuple(rows_out), top, ticks)
