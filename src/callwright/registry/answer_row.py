"""The row with which the registered model answers one question; it always has the same columns."""

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from callwright.records import Chain, Problem

if TYPE_CHECKING:
    from callwright.tasks.task import Task

ERROR_OUTCOME = "error"  # the outcome of a row that has no chain


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """The columns of one row.

    Attributes:
        answer: empty if there is none.
        outcome: how the chain ended, or ERROR_OUTCOME.
        grounded: whether a call returned the answer.
        valid: whether every call could be parsed and executed.
        faults: names of the faults that can be found without knowing the right answer.
        chain: the chain as JSON; empty in a row with an error.
        error: one line that says why the question was not answered; empty in every other row.
    """

    answer: str = ""
    outcome: str = ERROR_OUTCOME
    grounded: bool = False
    valid: bool = False
    faults: list[str] = field(default_factory=list)
    chain: str = ""
    error: str = ""


def answer_row(chain: Chain, problem: Problem, task: "Task") -> AnswerRow:
    """The row of a finished chain; `task` is what it was solved with."""
    from callwright.validation.faults import faults_without_grading

    faults = sorted({fault.fault for fault in faults_without_grading(chain, problem, task)})
    return AnswerRow(
        answer=_escape_surrogates(chain.answer or ""),
        outcome=chain.outcome,
        grounded=chain.answer is not None and "ungrounded_answer" not in faults,
        valid=all(step.error is None for step in chain.steps),
        faults=faults,
        chain=_escape_surrogates(json.dumps(asdict(chain), ensure_ascii=False)),
    )


def input_error(question: object, task: object, tasks: list[str]) -> str:
    """One line that says why a row cannot be answered and what to send instead; empty if the row is valid.

    Args:
        tasks: known task names.
    """
    for name, value in (("question", question), ("task", task)):
        if not isinstance(value, str):
            return f"{name} is not a text but {type(value).__name__}: send a string"
        if value != _escape_surrogates(value):
            return f"{name} has half a character (a lone surrogate): send valid Unicode"
    assert isinstance(question, str) and isinstance(task, str)
    if not question.strip():
        return "question is empty: send the text of a problem"
    if task not in tasks:
        return f"unknown task {task[:60]!r}; the tasks are {', '.join(tasks)}"
    return ""


def _escape_surrogates(text: str) -> str:
    r"""A text that UTF-8 can encode: lone surrogates become escapes, which mean the same within JSON.

    >>> print(_escape_surrogates("so \ud83d"))
    so \ud83d
    """
    return text.encode("utf-8", "backslashreplace").decode()
