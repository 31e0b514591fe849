"""What a problem source returns: problems, and dropped rows with their reasons."""

from collections.abc import Callable
from dataclasses import dataclass, field

from callwright.errors import RowError
from callwright.records import Problem
from callwright.surprises import Surprise, surprise_of
from callwright.text import escape_controls

_MAX_DETAIL_CHARACTERS = 300


@dataclass(frozen=True, slots=True)
class DroppedRow:
    """A row that did not become a problem.

    Attributes:
        where: the row's location ("file:line"); for a row that became a problem first, the problem's id.
        reason: short, the same for all rows with this fault, so that it can be counted.
        detail: the exact cause in this row; can be empty.
    """

    where: str
    reason: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.reason} ({self.detail})" if self.detail else f"{self.where}: {self.reason}"


@dataclass(slots=True)
class SourceResult:
    """The problems and the dropped rows of one source.

    Attributes:
        row_locations: location of the row of each problem, by the problem's id.
        surprises: unexpected exceptions, each with the location of its row; the row is in `dropped`.
    """

    problems: list[Problem] = field(default_factory=list)
    dropped: list[DroppedRow] = field(default_factory=list)
    row_locations: dict[str, str] = field(default_factory=dict)
    surprises: list[tuple[Surprise, str]] = field(default_factory=list)

    def add(self, where: str, make_problem: Callable[[], Problem]) -> Problem | None:
        """Add the problem that `make_problem` returns; if it raises, drop the row with a reason and return None."""
        try:
            problem = make_problem()
        except Exception as error:
            self.drop(where, error)
            return None
        self.problems.append(problem)
        self.row_locations[problem.id] = where
        return problem

    def check_problems(self, check: Callable[[Problem], Problem]) -> None:
        """Replace each problem by the one that `check` returns; if it raises, drop the row with a reason."""
        checked = []
        for problem in self.problems:
            try:
                checked.append(check(problem))
            except Exception as error:
                self.drop(self.row_locations.get(problem.id, problem.id), error)
        self.problems = checked

    def drop(self, where: str, error: Exception) -> None:
        """Record a row as dropped. A RowError has the reason; any other exception is a surprise."""
        if isinstance(error, RowError):
            self.dropped.append(DroppedRow(escape_controls(where), error.reason, _one_line(error.detail)))
            return
        surprise = surprise_of(error)
        self.dropped.append(DroppedRow(escape_controls(where), surprise.reason, surprise.message))
        self.surprises.append((surprise, where))


def _one_line(text: str) -> str:
    """The text on one line, cut and escaped; line breaks become spaces."""
    return escape_controls(" ".join(text[:_MAX_DETAIL_CHARACTERS].split()))
