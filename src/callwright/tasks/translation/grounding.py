"""Check that calls built the answer's formula from its atoms, and that no part was written directly into a call."""

from collections.abc import Sequence

from callwright.errors import CallError
from callwright.functions.formulas.formula import Atom, Formula, format_formula, parse_formula
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Problem, StepFault
from callwright.tasks.task import ExecutedSteps
from callwright.tasks.translation import functions

_FORMULA_BUILDERS = {function.name for function in functions.ALL if function.name != ANSWER}
_OPERANDS = ("body", "left", "right")


def formula_faults(_problem: Problem, executed: ExecutedSteps, _toolbox: Toolbox) -> Sequence[StepFault]:
    """At most one fault: a part of the answer, other than an atom, was returned by no call.

    Results of functions that do not build formulas count as built.
    """
    built: set[str] = set()
    unbuilt: dict[str, StepFault] = {}  # result -> the fault of its part that no call built
    for index, step in enumerate(executed.steps[:-1]):
        if step.call is None or step.observation is None:
            continue
        operands = _operands(step.call)
        unbuilt_operand = next(
            (operand for operand in operands if not isinstance(operand, Atom) and format_formula(operand) not in built),
            None,
        )
        if unbuilt_operand is None:
            built.add(step.observation)
            continue
        text = format_formula(unbuilt_operand)
        earlier_fault = unbuilt.get(text)
        message = f"{text} was written into a call, not built by one"
        unbuilt.setdefault(step.observation, earlier_fault or StepFault("ungrounded_answer", index, message))
    answer = executed.steps[-1].observation
    return () if answer is None or answer in built or answer not in unbuilt else (unbuilt[answer],)


def _operands(call: Call) -> list[Formula]:
    if call.name not in _FORMULA_BUILDERS:
        return []
    operands = []
    for name in _OPERANDS:
        try:
            operands += [parse_formula(str(call.arguments[name]))] if name in call.arguments else []
        except CallError:
            continue  # the call was refused because of this operand
    return operands
