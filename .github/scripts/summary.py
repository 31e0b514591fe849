"""A run as Markdown for a job's summary: the gate's decision, accuracies, training curves, what changed.

In the project's folder, after the pipeline: python .github/scripts/summary.py REVISION
"""

import csv
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

MODELS = ("base", "student", "champion", "teacher")
POINTS = 60  # of a curve: more are not visible at this size


def decision(registry: dict[str, Any]) -> list[str]:
    """A heading, and a refusal's reasons."""
    if registry["decision"] == "promoted":
        return [f"## Promoted: {registry['model']} version {registry['version']} ({', '.join(registry['aliases'])})"]
    return ["## Refused", "", *(f"- {reason}" for reason in registry["reasons"])]


def accuracies(accuracy: dict[str, Any]) -> list[str]:
    """A table and a bar chart of each model's accuracy on all test problems."""
    overall = {model: accuracy[model]["overall"] for model in MODELS if model in accuracy}
    rows = [
        f"| {model} | {one['value']:.1%} | {one['low']:.1%} to {one['high']:.1%} | {one['n']:,} |"
        for model, one in overall.items()
    ]
    bars = ", ".join(f"{100 * one['value']:.1f}" for one in overall.values())
    return [
        *("| model | accuracy | interval | problems |", "|---|---|---|---|", *rows, ""),
        *chart("Accuracy, %", f"x-axis [{', '.join(overall)}]", 'y-axis "%" 0 --> 100', f"bar [{bars}]"),
    ]


def curve(rows: list[dict[str, str]], name: str) -> list[str]:
    """A line chart of one column of reports/curves.csv over the steps, thinned out."""
    points = [(float(row["step"]), float(row[name])) for row in rows if row.get(name)]
    points = points[:: 1 + len(points) // POINTS]
    if len(points) < 2:
        return []
    values = ", ".join(f"{value:.4g}" for _, value in points)
    steps = f'x-axis "step" {points[0][0]:g} --> {points[-1][0]:g}'
    return chart(f"Training: {name}", steps, f'y-axis "{name}"', f"line [{values}]")


def chart(title: str, *lines: str) -> list[str]:
    """A chart that GitHub draws: no picture can be shown in a summary."""
    return ["```mermaid", "xychart-beta", f'    title "{title}"', *(f"    {line}" for line in lines), "```", ""]


def changed(revision: str) -> list[str]:
    """The metrics that differ from those of a revision."""
    command = ["dvc", "metrics", "diff", "--md", revision]
    table = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
    if len(table.splitlines()) <= 2:  # only its head
        return ["No metric changed."]
    return ["<details><summary>Changed metrics</summary>", "", table, "", "</details>"]


def main(revision: str) -> None:
    metrics = json.loads(Path("reports/metrics.json").read_text())
    with Path("reports/curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    lines = [
        *(*decision(json.loads(Path("models/registry.json").read_text())), ""),
        *accuracies(metrics["accuracy"]),
        *curve(rows, "loss"),
        *curve(rows, "margin"),
        *changed(revision),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
