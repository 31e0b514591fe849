"""Checked chains as a table: one row a chain, one column a property that the quality suite bounds."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from callwright.agent.protocol import TEXT
from callwright.records import CheckedChain, Problem

if TYPE_CHECKING:
    import pandas as pd

NONE = "none"  # first fault of a chain without one


def frame_of(checked: Sequence[CheckedChain], problems: Mapping[str, Problem]) -> "pd.DataFrame":
    """A row per chain.

    Columns: id, problem_id, model, task, split, protocol, outcome (text); answered, correct, replayed (bool);
    steps, prompt_tokens, completion_tokens, longest_reply (characters) (int); first_fault (text, "none" without).
    """
    import pandas as pd

    rows = []
    for record in checked:
        chain, verdict = record.chain, record.verdict
        problem = problems[chain.problem_id]
        replies = [TEXT.reply_message(step)["content"] for step in chain.steps]
        rows.append(
            {
                "id": chain.id,
                "problem_id": chain.problem_id,
                "model": chain.model,
                "task": problem.task,
                "split": problem.split,
                "protocol": chain.protocol,
                "outcome": chain.outcome,
                "answered": chain.answer is not None,
                "correct": verdict.correct,
                "replayed": all(fault.fault != "replay_mismatch" for fault in verdict.faults),
                "steps": len(chain.steps),
                "prompt_tokens": chain.usage.prompt_tokens,
                "completion_tokens": chain.usage.completion_tokens,
                "longest_reply": max((len(reply) for reply in replies), default=0),
                "first_fault": verdict.faults[0].fault if verdict.faults else NONE,
            }
        )
    return pd.DataFrame(rows)
