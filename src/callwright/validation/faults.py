"""Find the faults of a chain. Pure functions; each fault has a message for people."""

from collections import Counter
from collections.abc import Iterator

from callwright.agent.loop import ends_chain
from callwright.functions.guard import LIMIT_REACHED
from callwright.functions.toolbox import Toolbox
from callwright.records import Chain, Problem, Step, StepFault, Verdict
from callwright.tasks.task import ExecutedSteps, Task
from callwright.validation.execution import execute_again, returned_texts

DISQUALIFYING_FAULTS = frozenset(
    {"ungrounded_answer", "unfaithful_call", "wrong_answer", "no_answer", "undecided", "replay_mismatch"}
)
"""Faults that make a chain incorrect; the others are mistakes that a chain can recover from."""

GROUNDING_FAULTS = frozenset({"ungrounded_answer", "unfaithful_call"})
"""Faults of an answer that does not depend on the problem."""


def judge(chain: Chain, problem: Problem, task: Task, replayed: ExecutedSteps) -> Verdict:
    """The verdict on a chain.

    Args:
        task: the task whose toolbox and prompt the chain used.
        replayed: the chain with every call executed again (see `callwright.validation.execution`).
    """
    replay_faults = list(_replay_faults(chain, replayed.steps, task.toolbox))
    unordered = [
        *_step_errors(chain),
        *replay_faults,
        *_end_mismatch(chain),
        *_repeated_calls(chain, task.toolbox),
        *_no_answer(chain),
        *_grade_faults(chain, problem, task),
        *_grounding_faults(chain, problem, replayed, task, replay_matches=not replay_faults),
    ]
    faults = _sort_by_step(unordered)
    correct = not any(fault.fault in DISQUALIFYING_FAULTS for fault in faults)
    return Verdict(chain.id, correct, faults, faults[0].step if faults else None)


def faults_without_grading(chain: Chain, problem: Problem, task: Task) -> tuple[StepFault, ...]:
    """The faults of a chain executed in this process that can be found without the problem's answer.

    The answer is not graded: an answer without faults can be wrong.
    """
    return _sort_by_step(
        [
            *_step_errors(chain),
            *_repeated_calls(chain, task.toolbox),
            *_no_answer(chain),
            *_grounding_faults(chain, problem, execute_again(chain.steps, task.toolbox), task, replay_matches=True),
        ]
    )


def _sort_by_step(faults: list[StepFault]) -> tuple[StepFault, ...]:
    return tuple(sorted(faults, key=lambda fault: fault.step))


def _step_errors(chain: Chain) -> Iterator[StepFault]:
    for index, step in enumerate(chain.steps):
        if step.error:
            yield StepFault(step.error.fault, index, step.error.message)


def _replay_faults(chain: Chain, replayed: tuple[Step, ...], toolbox: Toolbox) -> Iterator[StepFault]:
    """Steps whose recorded result differs from the result of the replay.

    If a step reached the solver's limits, in the recording or in the replay, its recorded result cannot be judged, nor
    those of later steps that use the same state. Two errors of this kind count as equal, even if their texts differ.
    """
    state_is_limited = False
    for index, (recorded, repeated) in enumerate(zip(chain.steps, replayed, strict=True)):
        was_limited, is_limited = _reached_limit(recorded), _reached_limit(repeated)
        if recorded == repeated or (was_limited and is_limited):
            continue
        if was_limited != is_limited:
            state_is_limited = True
            when = "when the chain was made, and not now" if was_limited else "now, and not when the chain was made"
            yield StepFault("undecided", index, f"the solver reached its limits {when}")
        elif not (state_is_limited and _is_stateful(recorded, toolbox)):
            recorded_result, result = _describe_result(recorded), _describe_result(repeated)
            yield StepFault(
                "replay_mismatch", index, f"recorded {recorded_result}, but executing the call again gives {result}"
            )


def _reached_limit(step: Step) -> bool:
    return step.error is not None and step.error.message.startswith(LIMIT_REACHED)


def _is_stateful(step: Step, toolbox: Toolbox) -> bool:
    function = toolbox.functions.get(step.call.name) if step.call else None
    return function is not None and function.stateful


def _end_mismatch(chain: Chain) -> Iterator[StepFault]:
    """An answer or an outcome that contradicts the last step."""
    index = _last_index(chain)
    last_step = chain.steps[-1] if chain.steps else None
    answer = last_step.observation if last_step is not None and ends_chain(last_step) else None
    if chain.answer != answer:
        yield StepFault(
            "replay_mismatch", index, f"recorded answer {chain.answer!r}, but the last step gave {answer!r}"
        )
    elif (chain.outcome == "answered") != (answer is not None):
        ended = "an answer" if answer is not None else "no answer"
        yield StepFault("replay_mismatch", index, f"recorded outcome {chain.outcome}, but the last step gave {ended}")


def _describe_result(step: Step) -> str:
    return f"the error {step.error.fault}" if step.error else repr(step.observation)


def _repeated_calls(chain: Chain, toolbox: Toolbox) -> Iterator[StepFault]:
    first_index_of: dict[str, int] = {}
    counts = Counter(step.call.name for step in chain.steps if step.call is not None)
    for index, step in enumerate(chain.steps):
        if step.call is None or counts[step.call.name] == 1:
            continue
        canonical = toolbox.canonical(step.call)
        if canonical in first_index_of:
            yield StepFault(
                "repeated_call", index, f"{canonical} was called at step {first_index_of[canonical] + 1} already"
            )
        first_index_of.setdefault(canonical, index)


def _no_answer(chain: Chain) -> Iterator[StepFault]:
    if chain.answer is None:
        yield StepFault("no_answer", _last_index(chain), f"no answer after {len(chain.steps)} steps ({chain.outcome})")


def _grade_faults(chain: Chain, problem: Problem, task: Task) -> Iterator[StepFault]:
    if chain.answer is None:
        return
    grade = task.grade(problem, chain.answer)
    if grade == "wrong":
        yield StepFault("wrong_answer", _last_index(chain), f"answered {chain.answer}, the answer is {problem.answer}")
    if grade == "undecided":
        yield StepFault("undecided", _last_index(chain), f"whether {chain.answer} is right could not be decided")


def _grounding_faults(
    chain: Chain, problem: Problem, replayed: ExecutedSteps, task: Task, *, replay_matches: bool
) -> Iterator[StepFault]:
    """Faults of an answer that no call returned, or that does not depend on the problem.

    Args:
        replay_matches: whether the replay gave what was recorded; if not, only the first of the two is checked.
    """

    if chain.answer is None:
        return
    if chain.answer not in returned_texts(chain.steps, replayed.values):
        message = f"{chain.answer} was returned by no call: it was guessed"
        yield StepFault("ungrounded_answer", _last_index(chain), message)
    elif replay_matches and ends_chain(replayed.steps[-1]):
        yield from task.grounding_faults(problem, replayed, task.toolbox)


def _last_index(chain: Chain) -> int:
    return max(len(chain.steps) - 1, 0)
