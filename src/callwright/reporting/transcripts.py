"""Transcripts: messages and chains as a person reads them; base and student side by side."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from callwright.agent.text import TEXT
from callwright.functions.function import render_call
from callwright.records import Call, CheckedChain, Problem

MAX_TRANSCRIPTS = 4  # of each kind
MAX_TEXT_CHARS = 2_000  # a longer text is cut


@dataclass(frozen=True, slots=True)
class StepTranscript:
    """One step: the model's reply, the result that it was shown, and the faults of the step."""

    reply: str
    result: str
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ChainTranscript:
    """One model's chain."""

    correct: bool
    steps: tuple[StepTranscript, ...]


@dataclass(frozen=True, slots=True)
class TranscriptPair:
    """Base and student on one problem.

    Attributes:
        title: the kind of problem: which of the two models is right.
        count: problems of this kind.
        shown: how many of them the page shows.
    """

    title: str
    count: int
    shown: int
    problem_id: str
    task: str
    question: str
    answer: str
    base: ChainTranscript
    student: ChainTranscript


def message_text(message: Mapping[str, Any]) -> str:
    """A message as a person reads it: its content, then its calls in Python syntax."""
    functions = [call["function"] for call in message.get("tool_calls", ())]
    calls = [render_call(Call(function["name"], json.loads(function["arguments"]))) for function in functions]
    return "\n".join(part for part in (message["content"], *calls) if part)


def transcripts_of(
    problems: Sequence[Problem], base: Mapping[str, CheckedChain], student: Mapping[str, CheckedChain]
) -> list[TranscriptPair]:
    """Problems on which only one of base and student is right, up to MAX_TRANSCRIPTS of each kind.

    Problems with the longest gold solutions are selected, alternating between the tasks so that each is shown.

    Args:
        base, student: checked chains by problem id.
    """
    pairs: list[TranscriptPair] = []
    for title, student_right in (("Base wrong, student right", True), ("Base right, student wrong", False)):
        changed = [
            problem
            for problem in problems
            if student[problem.id].verdict.correct is student_right
            and base[problem.id].verdict.correct is not student_right
        ]
        selected = _interleave_tasks(changed)[:MAX_TRANSCRIPTS]
        pairs += [
            TranscriptPair(
                title,
                len(changed),
                len(selected),
                problem.id,
                problem.task,
                shorten(problem.question),
                shorten(problem.answer),
                _chain_transcript(base[problem.id]),
                _chain_transcript(student[problem.id]),
            )
            for problem in selected
        ]
    return pairs


def shorten(text: str) -> str:
    """Cut a text after MAX_TEXT_CHARS, and say how much is missing.

    >>> shorten("x" * 2_001).removeprefix("x" * 2_000)
    ' … (1 characters more)'
    """
    return (
        text
        if len(text) <= MAX_TEXT_CHARS
        else f"{text[:MAX_TEXT_CHARS]} … ({len(text) - MAX_TEXT_CHARS:,} characters more)"
    )


def _interleave_tasks(problems: Sequence[Problem]) -> list[Problem]:
    """The problem with the longest gold solution of each task, then the second longest of each, and so on."""
    longest_first = sorted(problems, key=lambda problem: (-len(problem.solution), problem.id))
    count_by_task: dict[str, int] = {}
    ranks = []
    for problem in longest_first:
        count_by_task[problem.task] = count_by_task.get(problem.task, 0) + 1
        ranks.append(count_by_task[problem.task])
    return [problem for _, problem in sorted(zip(ranks, longest_first, strict=True), key=lambda pair: pair[0])]


def _chain_transcript(checked: CheckedChain) -> ChainTranscript:
    steps = tuple(
        StepTranscript(
            shorten(TEXT.reply_message(step)["content"]),
            shorten(TEXT.result_message(step)["content"]),
            tuple(
                fault.fault.replace("_", " ") + (f": {shorten(fault.message)}" if not step.error else "")
                for fault in checked.verdict.faults
                if fault.step == step_index
            ),
        )
        for step_index, step in enumerate(checked.chain.steps)
    )
    return ChainTranscript(checked.verdict.correct, steps)
