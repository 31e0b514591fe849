"""Whether a formula that a call returned was built by calls, from its atoms up, and not written into one."""

from collections.abc import Sequence

from callwright.errors import CallError
from callwright.functions import logic
from callwright.functions.formula import Atom, Formula, format_formula, parse_formula
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Problem, StepFault
from callwright.tasks.task import Executed

_BUILDING = {one.name for one in logic.ALL if one.name != ANSWER}
_OPERANDS = ("body", "left", "right")


def building_faults(_problem: Problem, executed: Executed, _toolbox: Toolbox) -> Sequence[StepFault]:
    """At most one fault: a part of the answer that is more than an atom was returned by no call.

    Results of other functions than those that build formulas count as built.
    """
    built: set[str] = set()
    written: dict[str, StepFault] = {}  # a result -> the part of it that no call built
    for place, step in enumerate(executed.steps[:-1]):
        if step.call is None or step.observation is None:
            continue
        operands = _operands(step.call)
        lacking = next(
            (one for one in operands if not isinstance(one, Atom) and format_formula(one) not in built), None
        )
        if lacking is None:
            built.add(step.observation)
            continue
        text = format_formula(lacking)
        before = written.get(text)
        message = f"{text} was built by no call: it was written into one"
        written.setdefault(step.observation, before or StepFault("ungrounded_answer", place, message))
    answer = executed.steps[-1].observation
    return () if answer is None or answer in built or answer not in written else (written[answer],)


def _operands(call: Call) -> list[Formula]:
    if call.name not in _BUILDING:
        return []
    found = []
    for name in _OPERANDS:
        try:
            found += [parse_formula(str(call.arguments[name]))] if name in call.arguments else []
        except CallError:
            continue  # what a call was refused for; it has no observation
    return found
