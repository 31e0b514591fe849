"""Report on a problem source: reports/problems.json, and the lines that the stage problems prints."""

from collections import Counter
from typing import Any

from callwright.problems.load import LoadedProblems

MAX_EXAMPLES = 20  # dropped rows that the report lists
MAX_PRINTED_REASONS = 10
PERCENT_NOTE = "answers in percent (25 and 0.25 are both right for 25%)"


def report_of(loaded: LoadedProblems) -> dict[str, Any]:
    """The report: the number of rows read, of rows dropped for each reason, and of problems in each split.

    The counts add up unless `problems.public` limits the splits.
    """
    return {
        "read": loaded.rows_read,
        "left_out": dict(sorted(loaded.reasons.items())),
        "examples": [str(row) for row in loaded.dropped[:MAX_EXAMPLES]],
        "notes": _notes(loaded),
        "splits": {
            split: {
                "problems": len(problems),
                "groups": len({problem.group for problem in problems}),
                "steps": dict(sorted(Counter(str(len(p.solution) - 1) for p in problems if p.solution).items())),
            }
            for split, problems in loaded.splits.items()
        },
    }


def format_report(loaded: LoadedProblems) -> list[str]:
    """The report as lines of text: the number of problems, and one line for each reason why rows were dropped."""
    counts = ", ".join(f"{len(problems):,} {split}" for split, problems in loaded.splits.items())
    lines = [f"problems: {counts}; {len(loaded.dropped):,} left out"]
    first_row_by_reason = {row.reason: row.where for row in reversed(loaded.dropped)}
    reasons = loaded.reasons.most_common()
    lines += [
        f"  {count:,} left out: {reason}; the first is {first_row_by_reason[reason]}"
        for reason, count in reasons[:MAX_PRINTED_REASONS]
    ]
    if len(reasons) > MAX_PRINTED_REASONS:
        lines.append(f"  and for {len(reasons) - MAX_PRINTED_REASONS:,} other reasons")
    return [*lines, *(f"  {count:,} {note}" for note, count in _notes(loaded).items())]


def _notes(loaded: LoadedProblems) -> dict[str, int]:
    """Counts of answers that users should check."""
    percent = sum(
        problem.task == "arithmetic" and problem.answer.endswith("%")
        for problems in loaded.splits.values()
        for problem in problems
    )
    return {PERCENT_NOTE: percent} if percent else {}
