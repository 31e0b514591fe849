"""Compare the chains with the data's previous version.

The history file is not one of the pipeline's outputs, because DVC deletes those before a stage runs. It has the latest
version and the one before. So validating the same data again compares with the same version and gives the same report:
neither a forced run nor DVC's run cache changes what later stages read.
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
    """A version of the data.

    Attributes:
        data: SHA-256 hex digest of the chains.
        shares: compared column -> value -> share.
    """

    data: str
    shares: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class History:
    """The latest recorded version, and the version that it was compared with."""

    latest: Version
    before: Version | None


def describe_version(chains: "pd.DataFrame", lines: Iterable[bytes]) -> Version:
    """Describe kept chains as a version of the data.

    Args:
        chains: one row per chain, with the compared columns.
        lines: the chains' JSON lines, without line ends.
    """
    data = hashlib.sha256()
    for line in lines:
        data.update(line + b"\n")
    shares = {
        column: chains[column].astype(str).value_counts(normalize=True, sort=False) for column in COMPARED_COLUMNS
    }
    return Version(data.hexdigest(), {column: dict(sorted(counts.items())) for column, counts in shares.items()})


def previous_version(path: Path, version: Version) -> Version | None:
    """The version before this one; None if this is the first.

    Raises:
        DataError: the history cannot be read.
    """
    history = _read_history(path)
    if history is None:
        return None
    return history.before if history.latest.data == version.data else history.latest


def record(path: Path, version: Version) -> None:
    """Write this version to the history as the latest, unless it already is."""
    history = _read_history(path)
    if history is None or history.latest.data != version.data:
        write_text(path, dumps(History(version, history.latest if history else None)).decode() + "\n")


def drift_expectations(previous: Version, bound: float) -> list[expectations.Expectation]:
    """Each compared column is distributed as in the previous version.

    Args:
        bound: maximum Kullback-Leibler divergence, in nats.
    """
    return [
        expectations.distribution_near(
            column, previous.shares[column], bound, f"{column} is distributed as in the data's previous version"
        )
        for column in COMPARED_COLUMNS
        if column in previous.shares
    ]


def _read_history(path: Path) -> History | None:
    """The history; None if there is no file.

    Raises:
        DataError: the file cannot be read or parsed.
    """
    try:
        text = path.read_bytes()

    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    return loads(History, text, f"{path} (delete it to begin anew)")
