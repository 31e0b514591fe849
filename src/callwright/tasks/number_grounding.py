"""Whether a number that a call returned rests on the question's numbers.

The question's numbers are changed, and the chain's calls are executed with what its arguments are then. An answer that
stays what it was, however they change, rests on nothing that was asked. An answer that rests on a number from nowhere
as well has to change as the known solution's answer does.
"""

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from callwright.errors import CallError
from callwright.functions.numbers import format_number
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Problem, Step, StepFault
from callwright.tasks.number_flow import FAILED, READINGS, Loose, Outcome, follow, ratio_of
from callwright.tasks.question_numbers import USUAL, Change, Ratio, changes_of
from callwright.tasks.task import Executed

MAX_COMPARED = 3  # changes under which a chain is compared with the known solution

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
    if depends is False:
        message = f"{_shown(answer)} comes out whatever the numbers of the question are: it rests on none of them"
        return (StepFault("ungrounded_answer", last, message),)
    if answer in loose and answer not in USUAL:
        message = f"{_shown(answer)} is in a call, but it is no number of the question and no earlier result: a guess"
        return (StepFault("ungrounded_answer", last, message),)
    if loose and _differs(answers, problem, toolbox, changes):
        numbers = ", ".join(map(_shown, sorted(loose)))
        message = (
            f"the answer rests on {numbers}, which is no number of the question and no earlier result; with other "
            "numbers in the question the known solution gives another answer than these calls"
        )
        return (StepFault("unfaithful_call", last, message),)
    return ()


def has_numbers(problem: Problem) -> bool:
    """Whether the question holds numbers that can be changed."""
    return bool(changes_of(problem.question))


def _answers_of(executed: Executed, toolbox: Toolbox) -> _Answers:
    def answers(change: Change) -> Iterator[Outcome]:
        for sources in READINGS:
            yield from follow(executed, toolbox, change, sources)

    return answers


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


def _differs(answers: _Answers, problem: Problem, toolbox: Toolbox, changes: Sequence[Change]) -> bool:
    """Whether the known solution's answer changes otherwise than the chain's, under all changes that tell.

    A factor for all numbers does not: under it, `multiply(q, v / q)` agrees with any sum that is v. A chain that can no
    longer be executed where the solution can differs as well.
    """
    gold = _execute_solution(problem, toolbox)
    if gold is None:
        return False
    known, answer = _answers_of(gold, toolbox), ratio_of(gold.values[-1])
    compared = 0
    for change in (change for change in changes if not change.alike):
        expected = {ratio_of(one.value) for one in known(change) if one.value is not FAILED} - {answer}
        found = {ratio_of(one.value) for one in answers(change) if one.value is not FAILED}
        if not expected:
            continue
        if expected & found:
            return False
        compared += 1
        if compared == MAX_COMPARED:
            break
    return compared > 0


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
