"""Check that an entailment chain assumed the problem's premises and asked about its statement, names apart."""

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
CACHE_SIZE = 512  # cached known arguments; chains of one problem follow each other


@dataclass(frozen=True, slots=True)
class _EntailsCall:
    """A call of `entails` that returned the answer: its step, and the assumptions at that step."""

    step: int
    argument: LogicArgument


def premise_faults(problem: Problem, executed: ExecutedSteps, toolbox: Toolbox) -> Sequence[StepFault]:
    """At most one fault: no call asked what the problem asks and returned the answer.

    True and False may follow from some of the premises. Unknown needs all of them, as a further premise could still
    prove or refute the statement. A problem whose solution has no formulas is not judged.
    """
    known = known_argument(problem)
    if known is None:
        return ()
    last_step, answer = len(executed.steps) - 1, executed.steps[-1].observation
    faults: list[StepFault] = []
    for question in _entails_calls(executed, toolbox):
        match = compare_arguments(question.argument, known, require_all_premises=answer == "Unknown")
        if match == "yes":
            return ()
        if match == "undecided":
            message = "whether the problem's premises were assumed, and its statement asked, could not be decided"
            faults.append(StepFault("undecided", question.step, message))
        else:
            faults.append(
                StepFault("unfaithful_call", question.step, _describe_difference(question.argument, known, answer))
            )
    if not faults:
        message = f"{answer} was returned by no call of {ENTAILS}"
        return (StepFault("ungrounded_answer", last_step, message),)
    return (next((fault for fault in faults if fault.fault == "undecided"), faults[0]),)


def has_formulas(problem: Problem) -> bool:
    """Whether the problem's solution says what its premises and its statement are."""
    return known_argument(problem) is not None


def known_argument(problem: Problem) -> LogicArgument | None:
    """The premises and the statement of a problem's solution; None where it has none."""
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
    """The calls of `entails` that returned the answer, the latest first."""
    tools = toolbox.open()
    answer = executed.steps[-1].observation
    questions: list[_EntailsCall] = []
    for index, step in enumerate(executed.steps):
        if step.call is None or step.call.name not in (ASSUME, ENTAILS):
            continue
        if step.error is not None and step.error.fault != "execution_error":
            continue  # was not executed; it may name a function that is not offered
        tools.execute(step.call)  # executed, as a contradiction withdraws an assumption
        if step.call.name == ENTAILS and step.observation == answer:
            statement = parse_formula(str(step.call.arguments.get("formula")))
            assumed: list[Formula] = tools.state
            questions.append(_EntailsCall(index, LogicArgument(tuple(assumed), statement)))
    return reversed(questions)


def _describe_difference(given: LogicArgument, known: LogicArgument, answer: str | None) -> str:
    strange = find_unmatched_formula(given, known)
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
