"""A chain's answer after the question's numbers changed, and the unexplained numbers that it depends on.

An unexplained number is neither in the question nor an earlier result.
"""

from collections.abc import Iterator

from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.tasks.arithmetic.changed_numbers import NumberChange
from callwright.tasks.arithmetic.changed_run import ChangedResult, ChangedRun, SourceChoice, to_ratio
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
