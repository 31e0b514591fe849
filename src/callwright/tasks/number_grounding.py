"""Whether a number that a call returned rests on the question's numbers.

The question's numbers are changed, and the chain's calls are executed with what its arguments are then. An answer that
stays what it was, however they change, rests on nothing that was asked. An answer that rests on a number from nowhere
as well has to change as the known solution's answer does. Known solutions are people's work, some of it done in the
head: a chain is not blamed for what its problem's solution does as well.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from callwright.errors import CallError
from callwright.functions.numbers import format_number
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Problem, Step, StepFault
from callwright.tasks.changed_numbers import Change, changes_of
from callwright.tasks.number_flow import FAILED, Loose, Outcome, ratio_of, readings
from callwright.tasks.number_forms import Ratio
from callwright.tasks.question_numbers import USUAL
from callwright.tasks.task import Executed

MIN_AGREED = 2  # changes under which a chain has to come to what the known solution comes to
UNITS = frozenset((number, 1) for number in (0, 1, 2, 7, 12, 24, 30, 31, 52, 60, 100, 365, 1000))
"""Of the usual numbers those that are no quantities: a solution that calculates in the head cannot refute them."""

_NONE: Loose = frozenset()
_Answers = Callable[[Change], Iterator[Outcome]]


def number_faults(problem: Problem, executed: Executed, toolbox: Toolbox) -> Sequence[StepFault]:
    """At most one fault: the answer does not depend on the question, or it rests on a number from nowhere.

    A question without readable numbers, and a chain that can be executed under none of the changes, are not judged.
    Source: the idea of testing for dependence by changing inputs is metamorphic testing, Chen et al., 1998.
    """
    answer = ratio_of(executed.values[-1])
    changes = changes_of(problem.question)
    if not changes or answer is None:
        return ()
    last = len(executed.steps) - 1
    answers = _answers_of(executed, toolbox)
    depends, loose = _dependence(answers, changes, answer)
    if depends and not loose:
        return ()
    known = _known(problem, toolbox, changes)
    if depends is False and not _is_as_free(loose, known):
        message = f"{_shown(answer)} comes out whatever the numbers of the question are: it rests on none of them"
        return (StepFault("ungrounded_answer", last, message),)
    differs = _differs(answers, loose, known, changes) if loose and known else None
    taken = (USUAL if depends is not False else _NONE) | (known.loose if known else _NONE)
    if answer in loose and answer not in taken and differs is not False:
        message = f"{_shown(answer)} is in a call, but it is no number of the question and no earlier result: a guess"
        return (StepFault("ungrounded_answer", last, message),)
    if differs and known and not (loose <= UNITS and not known.loose <= USUAL):
        numbers = ", ".join(map(_shown, sorted(loose)))
        message = (
            f"the answer rests on {numbers}, which is no number of the question and no earlier result; with other "
            "numbers in the question the known solution gives another answer than these calls"
        )
        return (StepFault("unfaithful_call", last, message),)
    return ()


@dataclass(frozen=True, slots=True)
class _Known:
    """The known solution: how its answer changes, whether it does, and its own numbers from nowhere."""

    answers: _Answers
    answer: Ratio | None
    depends: bool | None
    loose: Loose


def _known(problem: Problem, toolbox: Toolbox, changes: Sequence[Change]) -> _Known | None:
    executed = _execute_solution(problem, toolbox)
    answer = ratio_of(executed.values[-1]) if executed else None
    if executed is None or answer is None:
        return None
    answers = _answers_of(executed, toolbox)
    return _Known(answers, answer, *_dependence(answers, changes, answer))


def _is_as_free(loose: Loose, known: _Known | None) -> bool:
    """Whether a chain that does not depend on the question cannot be blamed for it, as the known solution does not.

    Then either the chain has no other numbers from nowhere than the solution, or both have none but those that
    everybody knows: the numbers that could be read in the question have no part in it.
    """
    return known is not None and not known.depends and (loose <= known.loose or loose | known.loose <= USUAL)


def has_numbers(problem: Problem) -> bool:
    """Whether the question holds numbers that can be changed."""
    return bool(changes_of(problem.question))


def _answers_of(executed: Executed, toolbox: Toolbox) -> _Answers:
    return partial(readings, executed, toolbox)


def _dependence(answers: _Answers, changes: Sequence[Change], answer: Ratio) -> tuple[bool | None, Loose]:
    """Whether the answer changes with the question's numbers, and the numbers from nowhere that it rests on.

    None instead of whether: no call returned the answer, or no change could be executed.
    """
    executed = False
    loose: list[Loose] = []
    for change in changes:
        moved: list[Loose] = []
        for outcome in answers(change):
            loose.append(outcome.loose)
            if outcome.value is FAILED:
                continue
            executed = True
            if ratio_of(outcome.value) != answer:
                if not outcome.loose:
                    return True, outcome.loose
                moved.append(outcome.loose)
        if moved:
            return True, min(moved, key=len)
    return (False if executed else None), min(loose, key=len, default=frozenset())


def _differs(answers: _Answers, loose: Loose, known: _Known, changes: Sequence[Change]) -> bool | None:
    """Whether the known solution's answer changes otherwise than the chain's, under all that tell; None if none does.

    A factor for all numbers does not tell: under it, `multiply(q, v / q)` agrees with any sum that is v. Two changes
    have to agree, as numbers of the chain's own may make it agree by chance; one if it has none but units, as rounding
    up and rounding agree now and then only. A chain that can no longer be executed where the solution can
    differs as well.
    """
    compared = agreed = 0
    wanted = 1 if loose <= UNITS else MIN_AGREED
    for change in (change for change in changes if not change.alike):
        as_usual = (one for one in known.answers(change) if one.value is not FAILED and one.loose <= known.loose)
        expected = {ratio_of(one.value) for one in as_usual} - {known.answer}
        if not expected:
            continue
        compared += 1
        agreed += any(one.value is not FAILED and ratio_of(one.value) in expected for one in answers(change))
        if agreed == wanted:
            return False
    return agreed < min(compared, wanted) if compared else None


def _shown(number: Ratio) -> str:
    return format_number(Fraction(*number))


def _execute_solution(problem: Problem, toolbox: Toolbox) -> Executed | None:
    """The known solution executed; None if there is none, or it does not end with an answer."""
    steps, values = [], []
    tools = toolbox.open()
    for call in problem.solution:
        named = toolbox.name_arguments(call)
        result = named if isinstance(named, CallError) else tools.execute(named)
        if isinstance(named, CallError) or isinstance(result, CallError):
            return None
        steps.append(Step("", named, None, result.text))
        values.append(result.value)
    if not steps or steps[-1].call is None or steps[-1].call.name != ANSWER:
        return None
    return Executed(tuple(steps), tuple(values))
