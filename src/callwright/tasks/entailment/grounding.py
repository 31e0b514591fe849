"""Check that an entailment chain assumed the problem's premises and asked about its statement, under any names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from callwright.errors import CallError
from callwright.functions.formulas.formula import Formula, format_formula, parse_formula
from callwright.functions.formulas.matching import compare_arguments, find_unmatched_formula
from callwright.functions.formulas.nodes import LogicArgument
from callwright.functions.toolbox import Toolbox
from callwright.records import Problem, StepFault
from callwright.tasks.task import ExecutedSteps

ASSUME, ENTAILS = "assume", "entails"
CACHE_SIZE = 512  # cached known arguments; consecutive chains belong to the same problem


@dataclass(frozen=True, slots=True)
class _EntailsCall:
    """A call of `entails` that returned the answer: its step index, the assumptions then, and the statement."""

    step: int
    argument: LogicArgument


def premise_faults(problem: Problem, executed: ExecutedSteps, toolbox: Toolbox) -> Sequence[StepFault]:
    """At most one fault: no call returned the answer to the question that the problem asks.

    Predicates and constants may have other names, if the renaming is consistent. True and False may follow from some
    of the premises. Unknown needs all of them, as another premise could still prove or refute the statement. A problem
    whose solution has no formulas is not judged.
    """
    known = known_argument(problem)
    if known is None:
        return ()
    last_step, answer = len(executed.steps) - 1, executed.steps[-1].observation
    faults: list[StepFault] = []
    for entails_call in _entails_calls(executed, toolbox):
        match = compare_arguments(entails_call.argument, known, require_all_premises=answer == "Unknown")
        if match == "yes":
            return ()
        if match == "undecided":
            message = "whether the problem's premises were assumed, and its statement asked, could not be decided"
            faults.append(StepFault("undecided", entails_call.step, message))
        else:
            message = _describe_difference(entails_call.argument, known, answer)
            faults.append(StepFault("unfaithful_call", entails_call.step, message))
    if not faults:
        message = f"{answer} was returned by no call of {ENTAILS}"
        return (StepFault("ungrounded_answer", last_step, message),)
    return (next((fault for fault in faults if fault.fault == "undecided"), faults[0]),)


def has_formulas(problem: Problem) -> bool:
    """Whether the problem's solution contains its premises and its statement as formulas."""
    return known_argument(problem) is not None


def known_argument(problem: Problem) -> LogicArgument | None:
    """The premises and the statement of a problem's solution; None if it has no readable statement."""
    premises = tuple(str(call.arguments.get("formula")) for call in problem.solution if call.name == ASSUME)
    statements = [str(call.arguments.get("formula")) for call in problem.solution if call.name == ENTAILS]
    return _parse_argument(premises, statements[-1]) if statements else None


@lru_cache(maxsize=CACHE_SIZE)
def _parse_argument(premises: tuple[str, ...], statement: str) -> LogicArgument | None:
    try:
        return LogicArgument(tuple(map(parse_formula, premises)), parse_formula(statement))
    except CallError:
        return None


def _entails_calls(executed: ExecutedSteps, toolbox: Toolbox) -> Iterator[_EntailsCall]:
    """The calls of `entails` that returned the answer, the last one first."""
    tools = toolbox.open()
    answer = executed.steps[-1].observation
    entails_calls: list[_EntailsCall] = []
    for index, step in enumerate(executed.steps):
        if step.call is None or step.call.name not in (ASSUME, ENTAILS):
            continue
        if step.error is not None and step.error.fault != "execution_error":
            continue  # the call was not executed; it may name a function that the toolbox does not have
        tools.execute(step.call)  # `entails` too, as it withdraws an assumption in case of a contradiction
        if step.call.name == ENTAILS and step.observation == answer:
            statement = parse_formula(str(step.call.arguments.get("formula")))
            assumed: list[Formula] = tools.state
            entails_calls.append(_EntailsCall(index, LogicArgument(tuple(assumed), statement)))
    return reversed(entails_calls)


def _describe_difference(given: LogicArgument, known: LogicArgument, answer: str | None) -> str:
    unmatched = find_unmatched_formula(given, known)
    if unmatched is not None and unmatched == given.statement:
        return (
            f"{format_formula(unmatched)} was asked about, which is not the statement {format_formula(known.statement)}"
        )
    if unmatched is not None:
        return f"{format_formula(unmatched)} was assumed, which is none of the premises"
    assumed, premises = len(set(given.premises)), len(set(known.premises))
    if answer == "Unknown" and assumed < premises:
        return f"Unknown was answered from {assumed} of {premises} premises"
    return "the assumptions and the query do not match the premises and the statement under any renaming"
