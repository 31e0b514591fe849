"""Charts as data: what stands where, in pixels down and per cent across. The page's templates draw them as SVG."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MODELS = ("base", "student", "teacher", "champion")  # in this order wherever they stand together
STAGES = ("problems", "base", "rollout", "validate", "pairs", "train", "evaluate", "promote")
LANE_PX, LABEL_PX, GAP_PX = 14.0, 20.0, 16.0  # pixels: between two models of a row, above a row's lanes, below them
MAX_LABEL_CHARS = 32  # characters that a phone has room for
CURVE_WIDTH_PX, CURVE_HEIGHT_PX = 300.0, 120.0
_OVERALL = "overall"


@dataclass(frozen=True, slots=True)
class Mark:
    """One model's value in a row: `at`, and its interval, in per cent of the width; `y` in pixels."""

    model: str
    at: float
    low: float
    high: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A labelled row of a chart; `note` stands at its right end, `y` is the baseline of both."""

    label: str
    note: str
    y: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Rows below each other, `height` pixels in all. Of `dots` kind: values on a scale; `bars`: amounts from 0."""

    title: str
    kind: str
    rows: tuple[Row, ...]
    height: float
    ticks: tuple[tuple[float, str], ...]

    @property
    def models(self) -> list[str]:
        """The models that have a mark, in their order."""
        there = {mark.model for row in self.rows for mark in row.marks}
        return [model for model in MODELS if model in there]


@dataclass(frozen=True, slots=True)
class Curve:
    """A number over training steps: `points` of an SVG polyline in a box of CURVE_WIDTH_PX x CURVE_HEIGHT_PX."""

    name: str
    points: str
    first: float
    last: float
    low: float
    high: float
    steps: int


def accuracy_chart(
    title: str, accuracy: Mapping[str, Mapping[str, Mapping[str, float]]], slices: Sequence[str], task: str = ""
) -> Chart:
    """Dots with intervals on 0 to 100 %, a row per slice.

    Args:
        accuracy: of the metrics: model -> slice -> value, low, high, n.
        task: within whose section the rows stand, so that their labels leave it out.
    """
    return _chart(
        title,
        "dots",
        (
            (
                label(name, task),
                f"n = {accuracy[models[0]][name]['n']:,}",
                [
                    (model, 100 * one["value"], 100 * one["low"], 100 * one["high"], f"{one['value']:.1%}")
                    for model in models
                    for one in [accuracy[model][name]]
                ],
            )
            for name in slices
            if (models := in_display_order(model for model in accuracy if name in accuracy[model]))
        ),
    )


def faults_chart(faults: Mapping[str, Mapping[str, int]], totals: Mapping[str, int]) -> Chart:
    """Bars: the share of a model's chains that have a fault, a row per fault, the commonest of the base first.

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
                label(name),
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


def robustness_chart(robustness: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Chart:
    """Dots: accuracy on the changed problems, each with a line from that on the original ones; a row per change."""
    models = in_display_order(robustness)
    changes = dict.fromkeys(change for model in models for change in robustness[model])
    return _chart(
        "Accuracy on changed problems",
        "dots",
        (
            (
                label(change),
                "",
                [
                    (model, after, min(before, after), max(before, after), f"{after:.1f}%")
                    for model in models
                    if change in robustness[model]
                    for one in [robustness[model][change]]
                    for before, after in [(100 * one["original"]["value"], 100 * one["changed"]["value"])]
                ],
            )
            for change in changes
        ),
    )


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
    """A column of reports/curves.csv; None where fewer than two rows have it."""
    points = [(row["step"], row[name]) for row in rows if name in row]
    if len(points) < 2:
        return None
    low, high = min(y for _, y in points), max(y for _, y in points)
    left, right = points[0][0], points[-1][0]
    scaled = " ".join(
        f"{(x - left) / ((right - left) or 1) * CURVE_WIDTH_PX:.1f},"
        f"{CURVE_HEIGHT_PX - (y - low) / ((high - low) or 1) * CURVE_HEIGHT_PX:.1f}"
        for x, y in points
    )
    return Curve(name, scaled, points[0][1], points[-1][1], low, high, int(right))


def slices_by_task(slices: Iterable[str]) -> dict[str, list[str]]:
    """Task -> the slices within it, in their order.

    >>> slices_by_task(["overall", "arithmetic", "arithmetic/seen", "entailment"])
    {'arithmetic': ['arithmetic/seen'], 'entailment': []}
    """
    tasks: dict[str, list[str]] = {}
    for name in slices:
        task, _, within = name.partition("/")
        if task != _OVERALL:
            tasks.setdefault(task, [])
            if within:
                tasks[task].append(name)
    return tasks


def label(name: str, task: str = "") -> str:
    """A slice or fault in words.

    >>> [label("arithmetic/steps_1", "arithmetic"), label("steps_12"), label("wrong_answer"), label("a/source_gsm8k")]
    ['1 step', '12 steps', 'wrong answer', 'a: source gsm8k']
    """
    name = name.removeprefix(f"{task}/") if task else name
    before, slash, within = name.rpartition("/")
    kind, _, count = within.partition("_")
    if kind == "steps" and count.isdecimal():
        within = f"{count} step{'' if count == '1' else 's'}"
    return f"{before}{': ' if slash else ''}{within.replace('_', ' ')}"


def in_display_order(models: Iterable[str]) -> list[str]:
    """Models in the order in which they are shown."""
    there = list(models)
    return [model for model in MODELS if model in there]


def _chart(title: str, kind: str, rows: Iterable[tuple[str, str, list[tuple[str, float, float, float, str]]]]) -> Chart:
    """Stack rows: a label, a lane per mark, a gap."""
    placed: list[Row] = []
    top = 0.0
    for name, note, marks in rows:
        lanes = top + LABEL_PX + LANE_PX / 2
        drawn = tuple(
            Mark(model, round(at, 2), round(low, 2), round(high, 2), lanes + place * LANE_PX, text)
            for place, (model, at, low, high, text) in enumerate(marks)
        )
        short = name if len(name) <= MAX_LABEL_CHARS else f"{name[: MAX_LABEL_CHARS - 1]}…"
        placed.append(Row(short, note, top + LABEL_PX - 6, drawn))
        top += LABEL_PX + len(marks) * LANE_PX + GAP_PX
    ticks = tuple((share, f"{share:.0f}%") for share in (0.0, 25.0, 50.0, 75.0, 100.0)) if kind == "dots" else ()
    return Chart(title, kind, tuple(placed), top, ticks)
