"""Check that a number that a call returned depends on the question's numbers.

The check changes the question's numbers and executes the chain's calls again with the changed arguments. If the answer
never changes, it does not depend on the question. If it depends on an unexplained number (neither in the question nor
an earlier result), it has to change as the known solution's answer does. People wrote the known solutions and did some
steps in their heads, so a chain is not blamed for what its problem's solution does too.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from callwright.errors import CallError
from callwright.functions.numbers import format_number
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Problem, Step, StepFault
from callwright.tasks.arithmetic.changed_numbers import NumberChange, number_changes
from callwright.tasks.arithmetic.changed_run import (
    FAILED,
    NO_NUMBERS,
    ChangedResult,
    ChangedRun,
    NumberSet,
    SourceChoice,
    to_ratio,
)
from callwright.tasks.arithmetic.number_forms import Ratio
from callwright.tasks.arithmetic.question_numbers import COMMON_NUMBERS
from callwright.tasks.task import ExecutedSteps

MAX_SECOND_SOURCES = 6  # how many arguments with several sources are each tried with their second source

_SOURCE_CHOICES = (
    SourceChoice(),
    SourceChoice(question_first=True),
    SourceChoice(different_per_argument=True),
    SourceChoice(question_first=True, different_per_argument=True),
    *(
        SourceChoice(question_first, False, index)
        for index in range(MAX_SECOND_SOURCES)
        for question_first in (False, True)
    ),
)


def answers_after_change(executed: ExecutedSteps, toolbox: Toolbox, change: NumberChange) -> Iterator[ChangedResult]:
    """Every result that equals the chain's answer, recomputed with the changed numbers (see `ChangedRun`).

    The latest result comes first. If arguments have several sources, the results are repeated for each of the other 15
    choices of sources that matters.

    Args:
        executed: ends with an accepted answer.
    """
    ambiguous_count = 0
    for sources in _SOURCE_CHOICES:
        matters = ambiguous_count > 0 and sources.second_source_index < ambiguous_count
        if sources != _SOURCE_CHOICES[0] and not matters:
            continue
        run = ChangedRun(toolbox, change, sources)
        for step, value in zip(executed.steps, executed.values, strict=True):
            if step.call is not None and step.observation is not None and step.call.name != ANSWER:
                run.rerun_call(step.call, value)
        ambiguous_count = max(ambiguous_count, run.ambiguous_count)
        yield from reversed(run.results.get(to_ratio(executed.values[-1]), ()))


MIN_AGREEING_CHANGES = 2  # changes under which a chain's answer has to equal the known solution's
UNIT_FACTORS = frozenset((number, 1) for number in (0, 1, 2, 7, 12, 24, 30, 31, 52, 60, 100, 365, 1000))
"""Common numbers that convert units. A known solution without the conversions cannot show whether they are right."""

_AnswerFunction = Callable[[NumberChange], Iterator[ChangedResult]]


def number_faults(problem: Problem, executed: ExecutedSteps, toolbox: Toolbox) -> Sequence[StepFault]:
    """At most one fault: the answer does not depend on the question, or it depends on an unexplained number.

    A question without readable numbers, and a chain that fails under every change, are not judged.

    Source: testing for dependence by changing inputs is metamorphic testing, Chen et al., 1998.
    """
    answer = to_ratio(executed.values[-1])
    changes = number_changes(problem.question)
    if not changes or answer is None:
        return ()
    last_step = len(executed.steps) - 1
    answers = _answer_function(executed, toolbox)
    depends, unexplained = _dependence(answers, changes, answer)
    if depends and not unexplained:
        return ()
    known = _known_solution(problem, toolbox, changes)
    if depends is False and not _is_excused(unexplained, known):
        message = f"{_format(answer)} stays the same when the question's numbers change, so it does not depend on them"
        return (StepFault("ungrounded_answer", last_step, message),)
    differs = _answers_differ(answers, unexplained, known, changes) if unexplained and known else None
    accepted = (COMMON_NUMBERS if depends is not False else NO_NUMBERS) | (known.unexplained if known else NO_NUMBERS)
    if answer in unexplained and answer not in accepted and differs is not False:
        message = f"{_format(answer)} is in a call, but it is neither in the question nor an earlier result: a guess"
        return (StepFault("ungrounded_answer", last_step, message),)
    if differs and known and not (unexplained <= UNIT_FACTORS and not known.unexplained <= COMMON_NUMBERS):
        numbers = ", ".join(map(_format, sorted(unexplained)))
        message = (
            f"the answer depends on {numbers}, which is neither in the question nor an earlier result; with other "
            "numbers in the question these calls give another answer than the known solution"
        )
        return (StepFault("unfaithful_call", last_step, message),)
    return ()


@dataclass(frozen=True, slots=True)
class _KnownSolution:
    """The known solution of a problem.

    Attributes:
        answers: its answers under a change.
        depends, unexplained: see `_dependence`.
    """

    answers: _AnswerFunction
    answer: Ratio | None
    depends: bool | None
    unexplained: NumberSet


def _known_solution(problem: Problem, toolbox: Toolbox, changes: Sequence[NumberChange]) -> _KnownSolution | None:
    executed = _execute_solution(problem, toolbox)
    answer = to_ratio(executed.values[-1]) if executed else None
    if executed is None or answer is None:
        return None
    answers = _answer_function(executed, toolbox)
    return _KnownSolution(answers, answer, *_dependence(answers, changes, answer))


def _is_excused(unexplained: NumberSet, known: _KnownSolution | None) -> bool:
    """Whether the known solution does not depend on the question either, so that the chain is not to blame.

    The chain's unexplained numbers must also be in the solution, or those of both must be common numbers.
    """
    return (
        known is not None
        and not known.depends
        and (unexplained <= known.unexplained or unexplained | known.unexplained <= COMMON_NUMBERS)
    )


def has_numbers(problem: Problem) -> bool:
    """Whether the question has numbers that can be changed."""
    return bool(number_changes(problem.question))


def _answer_function(executed: ExecutedSteps, toolbox: Toolbox) -> _AnswerFunction:
    return partial(answers_after_change, executed, toolbox)


def _dependence(
    answers: _AnswerFunction, changes: Sequence[NumberChange], answer: Ratio
) -> tuple[bool | None, NumberSet]:
    """Whether the answer changes with the question's numbers, and the unexplained numbers that it depends on.

    The first is None if no call returned the answer, or if the calls failed under every change.
    """
    executed = False
    unexplained: list[NumberSet] = []
    for change in changes:
        of_changed_answers: list[NumberSet] = []
        for result in answers(change):
            unexplained.append(result.unexplained)
            if result.value is FAILED:
                continue
            executed = True
            if to_ratio(result.value) != answer:
                if not result.unexplained:
                    return True, result.unexplained
                of_changed_answers.append(result.unexplained)
        if of_changed_answers:
            return True, min(of_changed_answers, key=len)
    return (False if executed else None), min(unexplained, key=len, default=NO_NUMBERS)


def _answers_differ(
    answers: _AnswerFunction, unexplained: NumberSet, known: _KnownSolution, changes: Sequence[NumberChange]
) -> bool | None:
    """Whether the chain's answer changes in another way than the known solution's; None if no change can tell.

    One factor for all numbers cannot tell: under it, `multiply(q, v / q)` agrees with any sum that is v. Two changes
    have to agree, as a chain with unexplained numbers may agree once by chance. One is enough if these convert units,
    as rounding up and rounding rarely agree. A chain that fails under a change where the solution does not fail
    counts as different.
    """
    compared = agreed = 0
    required = 1 if unexplained <= UNIT_FACTORS else MIN_AGREEING_CHANGES
    for change in (change for change in changes if not change.same_for_all):
        known_results = (
            result
            for result in known.answers(change)
            if result.value is not FAILED and result.unexplained <= known.unexplained
        )
        expected = {to_ratio(result.value) for result in known_results} - {known.answer}
        if not expected:
            continue
        compared += 1
        agreed += any(result.value is not FAILED and to_ratio(result.value) in expected for result in answers(change))
        if agreed == required:
            return False
    return agreed < min(compared, required) if compared else None


def _format(number: Ratio) -> str:
    return format_number(Fraction(*number))


def _execute_solution(problem: Problem, toolbox: Toolbox) -> ExecutedSteps | None:
    """The known solution executed; None if there is none, or it does not end with an answer."""
    steps, values = [], []
    tools = toolbox.open()
    for call in problem.solution:
        named_call = toolbox.name_arguments(call)
        result = named_call if isinstance(named_call, CallError) else tools.execute(named_call)
        if isinstance(named_call, CallError) or isinstance(result, CallError):
            return None
        steps.append(Step("", named_call, None, result.text))
        values.append(result.value)
    if not steps or steps[-1].call is None or steps[-1].call.name != ANSWER:
        return None
    return ExecutedSteps(tuple(steps), tuple(values))
