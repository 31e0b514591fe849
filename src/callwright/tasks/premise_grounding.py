"""Whether an entailment chain assumed the problem's premises and asked about its statement, under names of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from callwright.errors import CallError
from callwright.functions.formula import Formula, format_formula, parse_formula
from callwright.functions.formula_matching import Argument, says_the_same, unmatched
from callwright.functions.toolbox import Toolbox
from callwright.records import Problem, StepFault
from callwright.tasks.task import Executed

ASSUME, ENTAILS = "assume", "entails"
REMEMBERED = 512  # known arguments: chains of one problem stand together


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call of `entails` that returned the answer: at which step, and what was assumed then."""

    step: int
    argument: Argument


def premise_faults(problem: Problem, executed: Executed, toolbox: Toolbox) -> Sequence[StepFault]:
    """At most one fault: no call that returned the answer asked what the problem asks.

    True and False may rest on some of the premises; Unknown needs all, as more could still prove or refute what is
    unknown so far. A problem whose solution has no formulas is not judged.
    """
    known = known_argument(problem)
    if known is None:
        return ()
    last, answer = len(executed.steps) - 1, executed.steps[-1].observation
    faults: list[StepFault] = []
    for asked in _asked(executed, toolbox):
        found = says_the_same(asked.argument, known, whole=answer == "Unknown")
        if found == "yes":
            return ()
        if found == "undecided":
            message = "whether the problem's premises were assumed, and its statement asked, could not be decided"
            faults.append(StepFault("undecided", asked.step, message))
        else:
            faults.append(StepFault("unfaithful_call", asked.step, _difference(asked.argument, known, answer)))
    if not faults:
        message = f"{answer} was returned by no call of {ENTAILS}"
        return (StepFault("ungrounded_answer", last, message),)
    return (next((fault for fault in faults if fault.fault == "undecided"), faults[0]),)


def has_formulas(problem: Problem) -> bool:
    """Whether the problem's solution says what its premises and its statement are."""
    return known_argument(problem) is not None


def known_argument(problem: Problem) -> Argument | None:
    """The premises and the statement of a problem's solution; None where it has none."""
    premises = tuple(str(call.arguments.get("formula")) for call in problem.solution if call.name == ASSUME)
    asked = [str(call.arguments.get("formula")) for call in problem.solution if call.name == ENTAILS]
    return _read(premises, asked[-1]) if asked else None


@lru_cache(maxsize=REMEMBERED)
def _read(premises: tuple[str, ...], statement: str) -> Argument | None:
    try:
        return Argument(tuple(map(parse_formula, premises)), parse_formula(statement))
    except CallError:
        return None


def _asked(executed: Executed, toolbox: Toolbox) -> Iterator[_Asked]:
    """The calls of `entails` that returned the answer, the latest first."""
    tools = toolbox.open()
    answer = executed.steps[-1].observation
    found: list[_Asked] = []
    for place, step in enumerate(executed.steps):
        if step.call is None or step.call.name not in (ASSUME, ENTAILS):
            continue
        if step.error is not None and step.error.fault != "execution_error":
            continue  # was not executed; with other names of functions it may name one that is not offered
        tools.execute(step.call)  # a contradiction takes an assumption back
        if step.call.name == ENTAILS and step.observation == answer:
            statement = parse_formula(str(step.call.arguments.get("formula")))
            assumed: list[Formula] = tools.state
            found.append(_Asked(place, Argument(tuple(assumed), statement)))
    return reversed(found)


def _difference(given: Argument, known: Argument, answer: str | None) -> str:
    strange = unmatched(given, known)
    if strange is not None and strange == given.statement:
        return (
            f"{format_formula(strange)} was asked about, which is not the statement {format_formula(known.statement)}"
        )
    if strange is not None:
        return f"{format_formula(strange)} was assumed, which is none of the premises"
    assumed, premises = len(set(given.premises)), len(set(known.premises))
    if answer == "Unknown" and assumed < premises:
        return f"Unknown was answered from {assumed} of {premises} premises"
    return "what was assumed and asked is not what the premises and the statement say, whatever its names stand for"
