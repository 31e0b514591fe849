"""Tables of problems and checked lines, with one column for each property that a suite checks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from callwright.problems.decontaminate import normalise
from callwright.records import Problem
from callwright.validation.lines import NO_FAULT, LineRow

if TYPE_CHECKING:
    import pandas as pd

NUMBER_COLUMNS = ("steps", "prompt_tokens", "completion_tokens", "longest_reply")
FLAG_COLUMNS = ("answered", "correct")
TEXT_COLUMNS = ("id", "problem_id", "model", "protocol", "outcome", "task", "split", "first_fault")
NO_LABEL = "none"  # `label` of a task without answers


def line_frame(rows: Sequence[LineRow]) -> "pd.DataFrame":
    """One row per line of the chain files; the columns are the fields of `LineRow`."""
    import pandas as pd

    return pd.DataFrame(rows, columns=LineRow._fields)


def chain_frame(lines: "pd.DataFrame") -> "pd.DataFrame":
    """One row per usable chain: TEXT_COLUMNS (str), NUMBER_COLUMNS (int64) and FLAG_COLUMNS (bool)."""
    types = {
        **dict.fromkeys(TEXT_COLUMNS, "str"),
        **dict.fromkeys(NUMBER_COLUMNS, "int64"),
        **dict.fromkeys(FLAG_COLUMNS, "bool"),
    }
    return lines[list(types)].astype(types)


def task_frame(chains: "pd.DataFrame") -> "pd.DataFrame":
    """One row per task.

    Columns: id (the task), chains (count), correct and answered (shares), fault (the most common first fault, or
    "none"), fault_share (its share of the chains).
    """
    import pandas as pd

    rows = []
    for task, task_chains in chains.groupby("task", sort=True):
        faults = task_chains["first_fault"][task_chains["first_fault"] != NO_FAULT].value_counts()
        rows.append(
            {
                "id": str(task),
                "chains": len(task_chains),
                "correct": float(task_chains["correct"].mean()),
                "answered": float(task_chains["answered"].mean()),
                "fault": str(faults.index[0]) if len(faults) else NO_FAULT,
                "fault_share": float(faults.iloc[0] / len(task_chains)) if len(faults) else 0.0,
            }
        )
    return pd.DataFrame(rows)


def problem_frame(problems: Sequence[Problem]) -> "pd.DataFrame":
    """One row per problem.

    Columns: id, task, split, question and answer (None if empty), question_characters, and leak: the id of the test
    problem with the same question, for a problem of another split; otherwise None.
    """
    import pandas as pd

    test_ids = {normalise(problem.question): problem.id for problem in problems if problem.split == "test"}
    rows = [
        {
            "id": problem.id,
            "task": problem.task,
            "split": problem.split,
            "question": problem.question.strip() or None,
            "answer": problem.answer.strip() or None,
            "question_characters": len(problem.question),
            "leak": None if problem.split == "test" else test_ids.get(normalise(problem.question)),
        }
        for problem in problems
    ]
    return pd.DataFrame(rows)


def label_frame(problems: "pd.DataFrame") -> "pd.DataFrame":
    """One row per task: id (the task), problems (count), label (the most common answer) and label_share (its share)."""
    import pandas as pd

    rows = []
    for task, task_problems in problems.groupby("task", sort=True):
        counts = task_problems["answer"].value_counts()
        share = float(counts.iloc[0] / len(task_problems)) if len(counts) else 0.0
        label = str(counts.index[0]) if len(counts) else NO_LABEL
        rows.append({"id": str(task), "problems": len(task_problems), "label": label, "label_share": share})

    return pd.DataFrame(rows)
