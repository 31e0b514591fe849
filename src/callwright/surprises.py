"""Unexpected exceptions. Each costs one attempt, one line or one row, and none is hidden.

A surprise is a defect in Callwright, a library or a user's function. The code that catches it counts it by its reason,
records what was lost, and prints a summary: the number of surprises, and the file that has their tracebacks.
"""

import sysconfig
import traceback
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from callwright import paths
from callwright.redaction import redacted, redacted_line
from callwright.storage.files import write_text
from callwright.text import escape_controls

_PACKAGE_FOLDER = Path(__file__).parent
_LIBRARY_FOLDERS = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_MAX_MESSAGE_CHARACTERS = 200
_MAX_TRACEBACKS = 20  # in a log, one for each reason


UNEXPECTED = (Exception, SystemExit)
"""What is caught as a surprise. SystemExit too: raised by a user's function, it would end the stage without a word."""


@dataclass(frozen=True, slots=True)
class Surprise:
    """An unexpected exception as plain data, so that it can be pickled.

    Attributes:
        exception_type: the name of the exception's class.
        location: file and line, such as `agent/parsing/parse.py:71`; in a library only if no other code was involved.
        message: one line of its text.
        traceback_text: the whole traceback, redacted, with control characters escaped.
    """

    exception_type: str
    location: str
    message: str
    traceback_text: str

    @property
    def reason(self) -> str:
        """The text by which surprises are counted."""
        return f"unexpected {self.exception_type} in {self.location}"

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}" if self.message else self.reason


def surprise_of(error: BaseException) -> Surprise:
    """Convert an exception to a Surprise; its text is redacted and safe to print and to write."""
    message = redacted_line(_exception_text(error), _MAX_MESSAGE_CHARACTERS)
    traceback_text = escape_controls(redacted("".join(traceback.format_exception(error))))
    return Surprise(type(error).__name__, _find_location(error), message, traceback_text)


def _exception_text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as failure:  # a user's class can have a broken __str__
        return f"its text cannot be made ({type(failure).__name__})"


def _find_location(error: BaseException) -> str:
    """The innermost line outside libraries, in Callwright or in a user's module; else the innermost line."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "an unknown place"
    frame = next((frame for frame in reversed(frames) if not _is_library(Path(frame.filename))), frames[-1])
    file = Path(frame.filename)
    return f"{file.relative_to(_PACKAGE_FOLDER) if file.is_relative_to(_PACKAGE_FOLDER) else file.name}:{frame.lineno}"


def _is_library(file: Path) -> bool:
    return not file.is_relative_to(_PACKAGE_FOLDER) and any(file.is_relative_to(folder) for folder in _LIBRARY_FOLDERS)


class SurpriseLog:
    """Counts the surprises of one stage or server, and writes the first traceback of each reason to a file.

    Args:
        name: the stage's name, which is also the file's.
    """

    def __init__(self, name: str) -> None:
        self.path = paths.surprises(name)
        self.counts: Counter[str] = Counter()
        self._tracebacks: list[str] = []

    def add(self, surprise: Surprise, subject: str) -> None:
        """Count one surprise.

        Args:
            subject: what was lost, such as an attempt's id.

        Raises:
            DataError: the file cannot be written.
        """
        self.counts[surprise.reason] += 1
        if self.counts[surprise.reason] == 1 and len(self._tracebacks) < _MAX_TRACEBACKS:
            self._tracebacks.append(f"{escape_controls(subject)}: {surprise}\n{surprise.traceback_text}")
            write_text(self.path, "\n".join(self._tracebacks))

    def summary(self) -> str | None:
        """One line: the number of surprises, the most common reason, and the file with tracebacks; None without any."""
        if not self.counts:
            return None
        reason, count = self.counts.most_common(1)[0]
        total = self.counts.total()
        noun = "surprise" if total == 1 else "surprises"
        most_common = reason if total == 1 else f"{count:,} times {reason}"
        return f"{total:,} {noun}, {most_common}; this is a defect, please report it with {self.path}"
