"""Premises and a statement, which is True, False or Unknown; graded by label."""

from collections.abc import Sequence

from callwright.functions.assumptions import TOOLBOX, read_truth_value
from callwright.records import Problem, Step
from callwright.tasks.task import Grade, Task


def _grade(problem: Problem, answer: str) -> Grade:
    return "right" if read_truth_value(answer) == read_truth_value(problem.answer) else "wrong"


def _lacks_ground(problem: Problem, steps: Sequence[Step]) -> str:
    """More premises could still prove or refute what is unknown so far, so Unknown needs all of them."""
    premises = sum(call.name == "assume" for call in problem.solution)
    assumed = {
        TOOLBOX.canonical(step.call)
        for step in steps
        if step.call is not None and step.call.name == "assume" and step.error is None
    }
    answer = steps[-1].observation if steps else None
    if answer != "Unknown" or len(assumed) >= premises:
        return ""
    return f"Unknown was answered from {len(assumed)} of {premises} premises"


ENTAILMENT = Task(
    name="entailment",
    toolbox=TOOLBOX,
    instructions=(
        "Find out whether the statement follows from the premises. Assume every premise as a formula, then ask "
        "entails about the statement. Never decide yourself: call answer with what entails returned."
    ),
    grade=_grade,
    lacks_ground=_lacks_ground,
)
