"""What a problem source is, and what it gives: problems, and dropped rows with their reasons."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from callwright.errors import CallError, RowError
from callwright.params.section import Section
from callwright.records import Call, Problem, Split
from callwright.surprises import Surprise, surprise_of
from callwright.tasks.task import Task
from callwright.text import escape_controls

ParseCall = Callable[[str], Call | CallError]

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


def _unchecked(problem: Problem) -> Problem:
    return problem


@dataclass(slots=True)
class SourceResult:
    """The problems and the dropped rows of one source.

    Attributes:
        check: checks each problem as soon as it is read, while the solver's results for it are cached; returns the
            problem to keep, or raises.
        row_locations: location of the row of each problem, by the problem's id.
        without_split: ids of the problems whose row has no split; `Source.assign_splits` gives them one.
        surprises: unexpected exceptions, each with the location of its row; the row is in `dropped`.
    """

    check: Callable[[Problem], Problem] = _unchecked
    dropped: list[DroppedRow] = field(default_factory=list, init=False)
    row_locations: dict[str, str] = field(default_factory=dict, init=False)
    without_split: set[str] = field(default_factory=set, init=False)
    surprises: list[tuple[Surprise, str]] = field(default_factory=list, init=False)
    _problems: list[Problem] = field(default_factory=list, init=False)

    @property
    def problems(self) -> Sequence[Problem]:
        """The problems, in the order in which they were added. `add` is the only way in, so all were checked."""
        return self._problems

    def add(self, where: str, make_problem: Callable[[], Problem]) -> Problem | None:
        """Check and add the problem that `make_problem` returns.

        Args:
            where: the row's location, for people.

        Returns:
            The problem; None if it could not be made, fails its check or has the id of an earlier problem. Its row is
            then dropped with a reason.
        """
        try:
            problem = self.check(make_problem())
            if problem.id in self.row_locations:
                raise RowError("id is used twice", problem.id)
        except Exception as error:
            self.drop(where, error)
            return None
        self._problems.append(problem)
        self.row_locations[problem.id] = where
        return problem

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


@dataclass(frozen=True, slots=True)
class SourceInputs:
    """What a source can read problems from, besides its own params.

    Attributes:
        path: the source's files: `problems.path`, or in a mix what `Source.entry` names in that folder.
        parse_call: parses a call of a solution that is written as text.
    """

    path: Path
    seed: int
    tasks: Mapping[str, Task]
    parse_call: ParseCall


ParamsT = TypeVar("ParamsT", bound=Section)


class Source(ABC, Generic[ParamsT]):
    """A source of problems, chosen by `problems.source` or `problems.mix`, and listed in `callwright.problems.sources`.

    Attributes:
        name: its value of `problems.source`, and `Problem.source` of its problems.
        description: what its problems are, on one line, for the docs.
        section: the key under `problems` in params.yaml that has its params; sources can share one.
        params_type: the model of that section.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    section: ClassVar[str]
    params_type: ClassVar[type[Section]]

    def __init__(self, params: ParamsT) -> None:
        self.params = params

    @classmethod
    def section_type(cls, _tasks: Mapping[str, Task]) -> type[Section]:
        """The model of the section; overridden if its keys depend on the tasks."""
        return cls.params_type

    @classmethod
    def entry(cls) -> str:
        """In a mix, the name of the source's files in the folder `problems.path`."""
        return cls.name

    @classmethod
    def describe_path(cls) -> str:
        """What `problems.path` names for this source, for the docs."""
        return "not read"

    @abstractmethod
    def read(self, inputs: SourceInputs, result: SourceResult) -> None:
        """Read all problems and add each with `result.add`, which executes its solution and checks its answer.

        Raises:
            DataError: a file cannot be read.
        """

    def assign_splits(self, result: SourceResult, _seed: int) -> Sequence[Problem]:
        """The problems of the result, in order, each in its final split. By default they stay in theirs."""
        return result.problems

    def limit_splits(self, splits: Mapping[Split, list[Problem]], _seed: int) -> Mapping[Split, list[Problem]]:
        """The problems to use. By default all."""
        return splits


AnySource = Source[Any]
