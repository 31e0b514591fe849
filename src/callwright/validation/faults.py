"""The named ways in which a chain is wrong, found by pure functions, each with a sentence a person understands."""

from collections.abc import Iterator, Mapping

from callwright.agent.loop import ends_chain
from callwright.functions.toolbox import Toolbox
from callwright.records import Chain, Problem, Step, StepFault, Verdict
from callwright.tasks import TASKS
from callwright.tasks.task import Task

BREAKING = frozenset({"ungrounded_answer", "wrong_answer", "no_answer", "undecided", "replay_mismatch"})
"""Faults that make a chain incorrect; the others are mistakes that a chain can recover from."""

MEANINGS: Mapping[str, str] = {
    "syntax": "The reply holds no call that could be read.",
    "unknown_function": "The call names a function that does not exist.",
    "bad_arguments": "The function does not take these arguments.",
    "execution_error": "The call was fine, but it could not be executed.",
    "repeated_call": "The same call was made before, so it told nothing new.",
    "ungrounded_answer": "The answer was returned by no call: it was guessed, right or wrong.",
    "wrong_answer": "The answer is not the problem's.",
    "no_answer": "The chain ended without an answer.",
    "undecided": "Whether the answer is right could not be decided.",
    "replay_mismatch": "Executing the calls again does not give what was recorded.",
}
"""What each fault means, for people; the fault of a step says what it was there."""


def judge(chain: Chain, problem: Problem, replayed: tuple[Step, ...], task: Task | None = None) -> Verdict:
    """The verdict on a chain.

    Args:
        replayed: the chain's steps with every call executed again (see `callwright.validation.replay`).
        task: what the chain was asked with, where that is not the problem's own task.
    """
    task = task or TASKS[problem.task]
    found = [
        *_step_errors(chain),
        *_replay_mismatches(chain, replayed),
        *_end_mismatch(chain),
        *_repeated_calls(chain, task.toolbox),
        *_no_answer(chain),
        *_grade_faults(chain, problem, task),
        *_ground_faults(chain, problem, task),
    ]
    faults = _in_order(found)
    correct = not any(fault.fault in BREAKING for fault in faults)
    return Verdict(chain.id, correct, faults, faults[0].step if faults else None)


def evident_faults(chain: Chain, problem: Problem) -> tuple[StepFault, ...]:
    """The faults that show without the problem's answer, of a chain that was executed just now.

    Whether an answer is right is not among them: a grounded answer can be wrong.
    """
    task = TASKS[problem.task]
    return _in_order(
        [
            *_step_errors(chain),
            *_repeated_calls(chain, task.toolbox),
            *_no_answer(chain),
            *_ground_faults(chain, problem, task),
        ]
    )


def _in_order(found: list[StepFault]) -> tuple[StepFault, ...]:
    return tuple(sorted(found, key=lambda fault: fault.step))


def _step_errors(chain: Chain) -> Iterator[StepFault]:
    for place, step in enumerate(chain.steps):
        if step.error:
            yield StepFault(step.error.fault, place, step.error.message)


def _replay_mismatches(chain: Chain, replayed: tuple[Step, ...]) -> Iterator[StepFault]:
    for place, (recorded, again) in enumerate(zip(chain.steps, replayed, strict=True)):
        if recorded != again:
            was, now = _came_of(recorded), _came_of(again)
            yield StepFault("replay_mismatch", place, f"recorded {was}, but executing the call again gives {now}")


def _end_mismatch(chain: Chain) -> Iterator[StepFault]:
    """An answer or an outcome that is not what the last step came to."""
    place = max(len(chain.steps) - 1, 0)
    last = chain.steps[-1] if chain.steps else None
    given = last.observation if last is not None and ends_chain(last) else None
    if chain.answer != given:
        yield StepFault("replay_mismatch", place, f"recorded answer {chain.answer!r}, but the last step gave {given!r}")
    elif (chain.outcome == "answered") != (given is not None):
        ended = "an answer" if given is not None else "no answer"
        yield StepFault("replay_mismatch", place, f"recorded outcome {chain.outcome}, but the last step gave {ended}")


def _came_of(step: Step) -> str:
    return f"the error {step.error.fault}" if step.error else repr(step.observation)


def _repeated_calls(chain: Chain, toolbox: Toolbox) -> Iterator[StepFault]:
    seen: dict[str, int] = {}
    for place, step in enumerate(chain.steps):
        if step.call is None:
            continue
        canonical = toolbox.canonical(step.call)
        if canonical in seen:
            yield StepFault("repeated_call", place, f"{canonical} was called at step {seen[canonical] + 1} already")
        seen.setdefault(canonical, place)


def _no_answer(chain: Chain) -> Iterator[StepFault]:
    if chain.answer is None:
        yield StepFault("no_answer", _last(chain), f"no answer after {len(chain.steps)} steps ({chain.outcome})")


def _grade_faults(chain: Chain, problem: Problem, task: Task) -> Iterator[StepFault]:
    if chain.answer is None:
        return
    grade = task.grade(problem, chain.answer)
    if grade == "wrong":
        yield StepFault("wrong_answer", _last(chain), f"answered {chain.answer}, the answer is {problem.answer}")
    if grade == "undecided":
        yield StepFault("undecided", _last(chain), f"whether {chain.answer} is right could not be decided")


def _ground_faults(chain: Chain, problem: Problem, task: Task) -> Iterator[StepFault]:
    if chain.answer is None:
        return
    last = _last(chain)
    returned = {text for step in chain.steps if not ends_chain(step) for text in _returned(step)}
    lacking = task.lacks_ground(problem, chain.steps)
    if chain.answer not in returned:
        yield StepFault("ungrounded_answer", last, f"{chain.answer} was returned by no call: it was guessed")
    elif lacking:
        yield StepFault("ungrounded_answer", last, lacking)


def _last(chain: Chain) -> int:
    return max(len(chain.steps) - 1, 0)


def _returned(step: Step) -> Iterator[str]:
    """What a call gave: its observation, and of a list each item."""
    if step.observation is None:
        return
    yield step.observation
    if step.observation.startswith("[") and step.observation.endswith("]"):
        yield from (item.strip() for item in step.observation[1:-1].split(","))
