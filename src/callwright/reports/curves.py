"""Read reports/curves.csv: the metrics that training logged, one row per logged step."""

import csv
import io
import math
from pathlib import Path

from callwright import paths
from callwright.errors import DataError
from callwright.storage.files import read_bytes

_ADVICE = "run dvc repro, which writes the file again"


def load_curves(path: Path = paths.CURVES) -> list[dict[str, float]]:
    """The rows of the file: each has `step` and the metrics that were logged at this step.

    Raises:
        DataError: the file is missing or unreadable, has no rows, or has a row without a step or with a cell that is
            not a number.
    """
    table = csv.DictReader(io.StringIO(read_bytes(path).decode(errors="replace"), newline=""), restkey="")
    try:
        rows = [{name: float(cell) for name, cell in row.items() if cell} for row in table]
    except (ValueError, TypeError, csv.Error):  # TypeError: the row has more cells than the header, as a list
        raise DataError(f"{path}:{table.line_num} is not a row of numbers: {_ADVICE}") from None
    if not rows or not all(math.isfinite(row.get("step", math.nan)) for row in rows):
        raise DataError(f"{path} has no rows, or one without a step: {_ADVICE}")
    return rows
