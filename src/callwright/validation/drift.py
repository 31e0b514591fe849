"""Whether this version of the data looks like the one before it.

The history lies outside the pipeline's outputs, which DVC deletes before a stage runs. It keeps the latest version and
the one before: validating the same data again compares with the same version again and reports the same, so that
neither a forced run nor the run-cache changes what later stages see.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from callwright.errors import DataError
from callwright.storage.files import write_text
from callwright.storage.jsonl import dumps, loads
from callwright.validation.suites import expectations

if TYPE_CHECKING:
    import pandas as pd

COMPARED_COLUMNS = ("task", "model", "correct", "first_fault", "steps")


@dataclass(frozen=True, slots=True)
class Version:
    """The shares of every value in the compared columns, and the hash of the data that has them."""

    data: str
    shares: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class History:
    """The version recorded last, and the one that it was compared with."""

    latest: Version
    before: Version | None


def describe_version(chains: "pd.DataFrame", lines: Iterable[bytes]) -> Version:
    """The version that kept chains are.

    Args:
        chains: a table with the compared columns.
        lines: the chains as they are written.
    """
    data = hashlib.sha256()
    for line in lines:
        data.update(line + b"\n")
    shares = {
        column: chains[column].astype(str).value_counts(normalize=True, sort=False) for column in COMPARED_COLUMNS
    }
    return Version(data.hexdigest(), {column: dict(sorted(own.items())) for column, own in shares.items()})


def previous_version(path: Path, version: Version) -> Version | None:
    """The version before this one; None where this is the first.

    Raises:
        DataError: the history cannot be read.
    """
    history = _read_history(path)
    if history is None:
        return None
    return history.before if history.latest.data == version.data else history.latest


def record(path: Path, version: Version) -> None:
    """Make this version the latest; a version that is the latest already changes nothing."""
    history = _read_history(path)
    if history is None or history.latest.data != version.data:
        write_text(path, dumps(History(version, history.latest if history else None)).decode() + "\n")


def drift_expectations(before: Version, bound: float) -> list[expectations.Expectation]:
    """Every compared column is distributed about as before."""
    return [
        expectations.near(
            column, before.shares[column], bound, f"{column} is distributed as in the data's previous version"
        )
        for column in COMPARED_COLUMNS
        if column in before.shares
    ]


def _read_history(path: Path) -> History | None:
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    return loads(History, text, f"{path} (delete it to begin anew)")
