"""Pairs and demonstrations: made from steps, and rendered as messages."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from callwright.agent.protocol import PROTOCOLS
from callwright.functions.toolbox import ANSWER
from callwright.records import Demonstration, Pair, Problem, Protocol, Step
from callwright.tasks.renaming import not_shown
from callwright.tasks.task import Task
from callwright.tasks.view import PLAIN, View

Messages = tuple[dict[str, Any], ...]
ExampleT = TypeVar("ExampleT", Pair, Demonstration)


def make_pair(
    problem: Problem,
    task: Task,
    protocol: Protocol,
    history: Sequence[Step],
    chosen: Sequence[Step],
    rejected: Sequence[Step],
    *,
    margin: float,
    kind: str,
) -> Pair | None:
    """A pair that prefers the steps `chosen` to the steps `rejected` after `history`; its id is the problem's.

    Returns:
        None if both sides are the same messages: a reply that was cut off right after its call has the text of that
        call.
    """
    pair = Pair(
        id=problem.id,
        problem_id=problem.id,
        prompt=(),
        chosen=(),
        rejected=(),
        tools=(),
        margin=round(margin, 6),
        kind=kind,
        task=task.name,
        question=problem.question,
        protocol=protocol,
        history=tuple(history),
        chosen_steps=tuple(chosen),
        rejected_steps=tuple(rejected),
    )
    pair = render_plain(pair, task)
    return None if pair.chosen == pair.rejected else pair


def make_demonstration(
    demonstration_id: str, problem: Problem, task: Task, protocol: Protocol, history: Sequence[Step], step: Step
) -> Demonstration:
    """A demonstration of `step` after `history`."""
    demonstration = Demonstration(
        id=demonstration_id,
        problem_id=problem.id,
        prompt=(),
        completion=(),
        tools=(),
        task=task.name,
        question=problem.question,
        protocol=protocol,
        history=tuple(history),
        steps=(step,),
    )
    return render_plain(demonstration, task)


def render_plain(example: ExampleT, task: Task) -> ExampleT:
    """The example with its messages and tools rendered from its steps, under the functions' true names."""
    return rendered(example, task, with_called_functions(PLAIN, task, [example]))


def rendered(example: ExampleT, task: Task, view: View) -> ExampleT:
    """The example with its messages and tools rendered from its steps, as the view shows its functions.

    Args:
        task: the example's task.
    """
    render = PROTOCOLS[example.protocol].render
    prompt, tools = render(task, example.question, example.history, view)

    def completion(steps: Sequence[Step]) -> Messages:
        messages, _ = render(task, example.question, (*example.history, *steps), view)
        return tuple(messages[len(prompt) : -1])  # the last message is the last result, which the model never reads

    if isinstance(example, Demonstration):
        return replace(example, prompt=tuple(prompt), tools=tuple(tools), completion=completion(example.steps))
    chosen, rejected = completion(example.chosen_steps), completion(example.rejected_steps)
    return replace(example, prompt=tuple(prompt), tools=tuple(tools), chosen=chosen, rejected=rejected)


def with_called_functions(view: View, task: Task, examples: Iterable[Pair | Demonstration]) -> View:
    """The view with those needless functions that the steps of the examples need to be shown, or to be hidden.

    A chain may call a needless function that its own view showed. Without it, a prompt would show calls of a function
    that it does not list. Another chain may have called one that its view did not show, which failed. With it, the
    prompt would list the function; so the view hides it, unless a step calls it too.
    """
    steps = [step for example in examples for step in _steps_of(example)]
    called = {step.call.name for step in steps if step.call}
    needless = task.toolbox.needless
    shown = view.functions or tuple(task.toolbox.functions)
    missing = [name for name in sorted(needless) if name in called and name not in shown]
    refused = [name for name in shown if name in needless and name not in called and _was_hidden(name, steps)]
    if not missing and not refused:
        return view
    functions = (*(name for name in shown if name not in (*refused, ANSWER)), *missing, ANSWER)
    changes = [*(f"+{name}" for name in missing), *(f"-{name}" for name in refused)]
    return replace(view, key=f"{view.key}{''.join(changes)}", functions=functions)


def _was_hidden(name: str, steps: Iterable[Step]) -> bool:
    """Whether a model called a function, or wrote its name, while its view did not show it."""
    stored = not_shown(name)
    return any((step.call is not None and step.call.name == stored) or f"{stored}(" in step.thought for step in steps)


def _steps_of(example: Pair | Demonstration) -> tuple[Step, ...]:
    if isinstance(example, Demonstration):
        return (*example.history, *example.steps)
    return (*example.history, *example.chosen_steps, *example.rejected_steps)
