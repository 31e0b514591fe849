"""Two models on one problem, step by step: where training changed the verdict."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callwright.agent.text import TEXT
from callwright.functions.function import render_call
from callwright.records import Call, CheckedChain, Problem


def message_text(message: Mapping[str, Any]) -> str:
    """A message as a person reads it: what it says, and its calls in Python syntax."""
    functions = [call["function"] for call in message.get("tool_calls", ())]
    calls = [render_call(Call(one["name"], json.loads(one["arguments"]))) for one in functions]
    return "\n".join(part for part in (message["content"], *calls) if part)


MAX_TRANSCRIPTS = 4  # of each kind
LONGEST = 2_000  # characters of a text that the page shows


@dataclass(frozen=True, slots=True)
class Turn:
    """One reply, what came of it, and what checking found wrong with it."""

    said: str
    came: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Side:
    """One model's chain."""

    correct: bool
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Transcript:
    """Base and student on one problem; `count` problems of this kind there are, of which `shown` are shown."""

    title: str
    count: int
    shown: int
    problem_id: str
    task: str
    question: str
    answer: str
    base: Side
    student: Side


def transcripts_of(
    problems: Sequence[Problem], base: Mapping[str, CheckedChain], student: Mapping[str, CheckedChain]
) -> list[Transcript]:
    """Problems on which base and student differ: where the student is right, and where it no longer is.

    Those with the longest gold chains, a task at a time, so that each task is seen.
    """
    found: list[Transcript] = []
    for title, student_right in (("Base wrong, student right", True), ("Base right, student wrong", False)):
        changed = [
            problem
            for problem in problems
            if student[problem.id].verdict.correct is student_right
            and base[problem.id].verdict.correct is not student_right
        ]
        chosen = _spread(changed)[:MAX_TRANSCRIPTS]
        found += [
            Transcript(
                title,
                len(changed),
                len(chosen),
                one.id,
                one.task,
                cut(one.question),
                cut(one.answer),
                _side(base[one.id]),
                _side(student[one.id]),
            )
            for one in chosen
        ]
    return found


def cut(text: str) -> str:
    """The beginning of a text that is too long to show, and how much there is beyond it.

    >>> cut("x" * 2_001).removeprefix("x" * 2_000)
    ' … (1 characters more)'
    """
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} … ({len(text) - LONGEST:,} characters more)"


def _spread(problems: Sequence[Problem]) -> list[Problem]:
    """The longest of each task, then the second longest of each, and so on."""
    longest = sorted(problems, key=lambda problem: (-len(problem.solution), problem.id))
    seen: dict[str, int] = {}
    places = []
    for problem in longest:
        seen[problem.task] = seen.get(problem.task, 0) + 1
        places.append(seen[problem.task])
    return [problem for _, problem in sorted(zip(places, longest, strict=True), key=lambda pair: pair[0])]


def _side(record: CheckedChain) -> Side:
    faults = record.verdict.faults
    turns = tuple(
        Turn(
            cut(TEXT.reply_message(step)["content"]),
            cut(TEXT.result_message(step)["content"]),
            tuple(
                one.fault.replace("_", " ") + (f": {cut(one.message)}" if not step.error else "")
                for one in faults
                if one.step == place
            ),
        )
        for place, step in enumerate(record.chain.steps)
    )
    return Side(record.verdict.correct, turns)
