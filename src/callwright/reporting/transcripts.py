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
MAX_TEXT_CHARS = 2_000  # characters of a text that the page shows


@dataclass(frozen=True, slots=True)
class StepTranscript:
    """One reply, what came of it, and what checking found wrong with it."""

    said: str
    came: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChainTranscript:
    """One model's chain."""

    correct: bool
    turns: tuple[StepTranscript, ...]


@dataclass(frozen=True, slots=True)
class TranscriptPair:
    """Base and student on one problem; `count` problems of this kind there are, of which `shown` are shown."""

    title: str
    count: int
    shown: int
    problem_id: str
    task: str
    question: str
    answer: str
    base: ChainTranscript
    student: ChainTranscript


def transcripts_of(
    problems: Sequence[Problem], base: Mapping[str, CheckedChain], student: Mapping[str, CheckedChain]
) -> list[TranscriptPair]:
    """Problems on which base and student differ: where the student is right, and where it no longer is.

    Those with the longest gold chains, a task at a time, so that each task is seen.
    """
    found: list[TranscriptPair] = []
    for title, student_right in (("Base wrong, student right", True), ("Base right, student wrong", False)):
        changed = [
            problem
            for problem in problems
            if student[problem.id].verdict.correct is student_right
            and base[problem.id].verdict.correct is not student_right
        ]
        chosen = _interleave_tasks(changed)[:MAX_TRANSCRIPTS]
        found += [
            TranscriptPair(
                title,
                len(changed),
                len(chosen),
                one.id,
                one.task,
                shorten(one.question),
                shorten(one.answer),
                _chain_transcript(base[one.id]),
                _chain_transcript(student[one.id]),
            )
            for one in chosen
        ]
    return found


def shorten(text: str) -> str:
    """The beginning of a text that is too long to show, and how much there is beyond it.

    >>> shorten("x" * 2_001).removeprefix("x" * 2_000)
    ' … (1 characters more)'
    """
    return (
        text
        if len(text) <= MAX_TEXT_CHARS
        else f"{text[:MAX_TEXT_CHARS]} … ({len(text) - MAX_TEXT_CHARS:,} characters more)"
    )


def _interleave_tasks(problems: Sequence[Problem]) -> list[Problem]:
    """The longest of each task, then the second longest of each, and so on."""
    longest = sorted(problems, key=lambda problem: (-len(problem.solution), problem.id))
    seen: dict[str, int] = {}
    places = []
    for problem in longest:
        seen[problem.task] = seen.get(problem.task, 0) + 1
        places.append(seen[problem.task])
    return [problem for _, problem in sorted(zip(places, longest, strict=True), key=lambda pair: pair[0])]


def _chain_transcript(record: CheckedChain) -> ChainTranscript:
    faults = record.verdict.faults
    turns = tuple(
        StepTranscript(
            shorten(TEXT.reply_message(step)["content"]),
            shorten(TEXT.result_message(step)["content"]),
            tuple(
                one.fault.replace("_", " ") + (f": {shorten(one.message)}" if not step.error else "")
                for one in faults
                if one.step == place
            ),
        )
        for place, step in enumerate(record.chain.steps)
    )
    return ChainTranscript(record.verdict.correct, turns)
