"""reports/index.html: one self-contained page that loads nothing from the network. Model text is always escaped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callwright.agent.protocol import TEXT
from callwright.records import CheckedChain, Problem
from callwright.storage import write_text

TEMPLATE = Path(__file__).with_name("report.html.jinja")
MAX_TRANSCRIPTS = 4
CHART_WIDTH, CHART_HEIGHT = 640, 160


@dataclass(frozen=True, slots=True)
class Transcript:
    """Two models on one problem."""

    title: str
    question: str
    answer: str
    base: list[tuple[str, str]]
    student: list[tuple[str, str]]


def write_report(
    path: Path,
    *,
    metrics: Mapping[str, Any],
    decision: Mapping[str, Any],
    quality: Mapping[str, Any],
    training: Mapping[str, Any],
    curves: Sequence[Mapping[str, float]],
    transcripts: Sequence[Transcript],
) -> None:
    """Render the page.

    Args:
        metrics: reports/metrics.json; every number on the page that it has comes from it.
        decision: models/registry.json.
        quality, training: reports/quality.json and reports/train.json.
        curves: rows of reports/curves.csv.
    """
    from jinja2 import Environment, StrictUndefined, select_autoescape

    environment = Environment(
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = lambda share: f"{share:.1%}"
    page = environment.from_string(TEMPLATE.read_text()).render(
        metrics=metrics,
        decision=decision,
        quality=quality,
        training=training,
        lines=[_line(curves, name) for name in ("loss", "margin", "preferred")],
        transcripts=transcripts,
        width=CHART_WIDTH,
        height=CHART_HEIGHT,
    )
    write_text(path, page)


def transcripts_of(
    problems: Sequence[Problem], base: Mapping[str, CheckedChain], student: Mapping[str, CheckedChain]
) -> list[Transcript]:
    """Problems on which base and student differ: where the student is right, and where it no longer is."""
    found: list[Transcript] = []
    for title, student_right in (
        ("the base wrong, the student right", True),
        ("the base right, the student wrong", False),
    ):
        changed = [
            problem
            for problem in problems
            if student[problem.id].verdict.correct is student_right
            and base[problem.id].verdict.correct is not student_right
        ]
        longest = sorted(changed, key=lambda problem: (-len(problem.solution), problem.id))
        found += [
            Transcript(title, one.question, one.answer, _turns(base[one.id]), _turns(student[one.id]))
            for one in longest[:MAX_TRANSCRIPTS]
        ]
    return found


def _turns(record: CheckedChain) -> list[tuple[str, str]]:
    """Reply and result, step by step."""
    return [(TEXT.reply_message(step)["content"], TEXT.result_message(step)["content"]) for step in record.chain.steps]


def _line(curves: Sequence[Mapping[str, float]], name: str) -> dict[str, Any]:
    """A curve as points of an SVG polyline, with its first and last value."""
    points = [(row["step"], row[name]) for row in curves if name in row]
    if not points:
        return {"name": name, "points": "", "first": 0.0, "last": 0.0}
    low, high = min(y for _, y in points), max(y for _, y in points)
    left, right = points[0][0], points[-1][0]
    scaled = " ".join(
        f"{(x - left) / ((right - left) or 1) * CHART_WIDTH:.1f},"
        f"{CHART_HEIGHT - (y - low) / ((high - low) or 1) * CHART_HEIGHT:.1f}"
        for x, y in points
    )
    return {"name": name, "points": scaled, "first": points[0][1], "last": points[-1][1]}
