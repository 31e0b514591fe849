"""What a problem source hands over."""

from dataclasses import dataclass, field

from callwright.records import Problem


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A row that did not become a problem: where it stood ("file:line") and why (a short, countable reason)."""

    where: str
    reason: str


@dataclass(slots=True)
class Sourced:
    """Problems read from one source, and what was left out of it."""

    problems: list[Problem] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
