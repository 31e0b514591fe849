"""reports/seconds: how long the last real run of each stage took, one file per stage."""

from callwright import paths
from callwright.reports.report import Report
from callwright.reports.values import Amount, ByName


class StageSeconds(ByName[Amount], Report):
    """Stage -> seconds (wall clock); one stage in each file."""


def save_seconds(stage: str, seconds: float) -> None:
    """Write a stage's file. DataError if it cannot be written."""
    StageSeconds({stage: seconds}).save(paths.seconds(stage))


def load_seconds() -> dict[str, float]:
    """The seconds of all stages that have run, in the order of the files' names.

    Raises:
        DataError: a file is malformed.
    """
    seconds: dict[str, float] = {}
    for path in sorted(paths.SECONDS.glob("*.json")):
        seconds |= StageSeconds.load(path)
    return seconds
