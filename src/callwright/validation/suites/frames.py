"""Problems and checked lines as tables: one column a property that a suite bounds."""

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


def line_frame(rows: Sequence[LineRow]) -> "pd.DataFrame":
    """A row per line of the chain files; columns as in `Row`, None where a line has no such property."""
    import pandas as pd

    return pd.DataFrame(rows, columns=LineRow._fields)


def chain_frame(lines: "pd.DataFrame") -> "pd.DataFrame":
    """The lines that hold a usable chain, without the columns of complaints, each column in its type."""
    types = {
        **dict.fromkeys(TEXT_COLUMNS, "str"),
        **dict.fromkeys(NUMBER_COLUMNS, "int64"),
        **dict.fromkeys(FLAG_COLUMNS, "bool"),
    }
    return lines[list(types)].astype(types)


def task_frame(chains: "pd.DataFrame") -> "pd.DataFrame":
    """A row per task, its `id`: chains (count), correct and answered (shares), fault (the commonest), fault_share."""
    import pandas as pd

    rows = []
    for task, own in chains.groupby("task", sort=True):
        faults = own["first_fault"][own["first_fault"] != NO_FAULT].value_counts()
        rows.append(
            {
                "id": str(task),
                "chains": len(own),
                "correct": float(own["correct"].mean()),
                "answered": float(own["answered"].mean()),
                "fault": str(faults.index[0]) if len(faults) else NO_FAULT,
                "fault_share": float(faults.iloc[0] / len(own)) if len(faults) else 0.0,
            }
        )
    return pd.DataFrame(rows)


def problem_frame(problems: Sequence[Problem]) -> "pd.DataFrame":
    """A row per problem: id, task, split, question, answer, question_characters, and `leak`.

    `leak` names the test problem that asks the same, where the problem is of another split; None without.
    """
    import pandas as pd

    tests = {normalise(problem.question): problem.id for problem in problems if problem.split == "test"}
    rows = [
        {
            "id": problem.id,
            "task": problem.task,
            "split": problem.split,
            "question": problem.question.strip() or None,
            "answer": problem.answer.strip() or None,
            "question_characters": len(problem.question),
            "leak": None if problem.split == "test" else tests.get(normalise(problem.question)),
        }
        for problem in problems
    ]
    return pd.DataFrame(rows)


def label_frame(problems: "pd.DataFrame") -> "pd.DataFrame":
    """A row per task, its `id`: problems (count), label (the commonest answer) and label_share."""
    import pandas as pd

    rows = []
    for task, own in problems.groupby("task", sort=True):
        counts = own["answer"].value_counts()
        share = float(counts.iloc[0] / len(own)) if len(counts) else 0.0
        label = str(counts.index[0]) if len(counts) else NO_FAULT
        rows.append({"id": str(task), "problems": len(own), "label": label, "label_share": share})
    return pd.DataFrame(rows)
