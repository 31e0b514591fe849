"""The task entailment: whether a statement follows from premises (True, False or Unknown), graded by label."""

from callwright.records import Problem
from callwright.tasks.entailment.functions import TOOLBOX, read_truth_value
from callwright.tasks.entailment.grounding import has_formulas, premise_faults
from callwright.tasks.task import Grade, Task


def _grade(problem: Problem, answer: str) -> Grade:
    return "right" if read_truth_value(answer) == read_truth_value(problem.answer) else "wrong"


ENTAILMENT = Task(
    name="entailment",
    toolbox=TOOLBOX,
    instructions=(
        "Find out whether the statement follows from the premises. Assume every premise as a formula, then ask "
        "entails about the statement. Never decide yourself: call answer with what entails returned."
    ),
    grade=_grade,
    grounding_faults=premise_faults,
    can_check_grounding=has_formulas,
    named_in_instructions=("entails",),
    folder="callwright.tasks.entailment",
)
