"""The agent's loop: one attempt of one model at one problem.

Validation executes steps again by the same `execute_step`, so that the two cannot disagree.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from callwright.agent.call_thread import CALL_THREAD
from callwright.agent.parsing.syntax_faults import with_toolbox_example
from callwright.agent.protocol import TEXT, AgentProtocol
from callwright.chat.model import ChatModel, Message, Reply, Sampling, Tool
from callwright.errors import CallError
from callwright.functions.toolbox import ANSWER, OpenToolbox, Toolbox
from callwright.records import Call, Chain, Outcome, Problem, Step, StepError, Usage
from callwright.tasks.task import Task
from callwright.tasks.view import PLAIN, View


@dataclass(frozen=True, slots=True)
class ExecutedStep:
    """A step with its observation or error.

    Attributes:
        value: what the function returned, of which the observation is the text; None if the call failed.
    """

    step: Step
    value: Any = None


def execute_step(thought: str, call: Call, toolbox: Toolbox, open_toolbox: OpenToolbox) -> ExecutedStep:
    """Name a call's arguments, execute it, and return the step with its observation or error.

    The step has the call with named arguments; if they cannot be named, the call as it was written.

    Args:
        open_toolbox: `toolbox`, opened for the chain that the step belongs to.

    Raises:
        Exception: whatever a defective function raised (docs/decisions/0005).
    """
    named_call = toolbox.name_arguments(call)
    if isinstance(named_call, CallError):
        return ExecutedStep(failed_step(thought, call, named_call))
    result = open_toolbox.execute(named_call)
    if isinstance(result, CallError):
        return ExecutedStep(failed_step(thought, named_call, result))
    return ExecutedStep(Step(thought, named_call, None, result.text), result.value)


def failed_step(thought: str, call: Call | None, error: CallError) -> Step:
    """A step without an observation; `call` is None if the reply could not be read."""
    return Step(thought, call, StepError(error.fault, error.message), None)


_Prompt = tuple[list[Message], list[Tool]]

STUCK_AFTER = 3  # the same failing call this many times in a row ends the chain


async def solve(
    problem: Problem,
    task: Task,
    model: ChatModel,
    sampling: Sampling,
    protocol: AgentProtocol = TEXT,
    chain_id: str | None = None,
    on_step: Callable[[Step], None] = lambda step: None,
    view: View = PLAIN,
) -> Chain:
    """Let a model solve a problem, one executed call at a time.

    A wrong reply is answered with one line that says what is wrong, and kept as a step because it is training signal.
    A reply with several calls makes several steps. Replies are read and calls executed in `CALL_THREAD`, not in the
    event loop.

    Args:
        chain_id: by default `<problem>/<model>/<seed>`.
        on_step: called with each step after all calls of its reply were executed.
        view: how the model is shown the functions. The chain has their true names.

    Raises:
        ProviderError: the model could not be reached; no chain is returned.
        Exception: whatever a defective function raised (docs/decisions/0005).
    """
    chain_id = chain_id or f"{problem.id}/{model.name}/{sampling.seed}"
    steps: list[Step] = []
    usage = Usage()
    outcome: Outcome | None = None
    open_toolbox, prompt = await CALL_THREAD.run(_open_chain, problem, task, protocol, view)
    while outcome is None:
        reply = await model.reply(*prompt, sampling)
        usage += reply.usage
        steps_before = len(steps)
        outcome, prompt = await CALL_THREAD.run(
            _add_steps, problem, task, protocol, view, open_toolbox, steps, reply, sampling.max_steps
        )
        for step in steps[steps_before:]:
            on_step(step)
    answer = steps[-1].observation if outcome == "answered" else None
    return Chain(chain_id, problem.id, model.name, protocol.name, tuple(steps), outcome, answer, usage, view.key)


def _open_chain(problem: Problem, task: Task, protocol: AgentProtocol, view: View) -> tuple[OpenToolbox, _Prompt]:
    return task.toolbox.open(), protocol.render(task, problem.question, (), view)


def _add_steps(
    problem: Problem,
    task: Task,
    protocol: AgentProtocol,
    view: View,
    open_toolbox: OpenToolbox,
    steps: list[Step],
    reply: Reply,
    max_steps: int,
) -> tuple[Outcome | None, _Prompt]:
    """Add a reply's steps. Returns the chain's outcome, None if it continues, and the next prompt."""
    for step in take_steps(reply, protocol, task.toolbox, open_toolbox, view):
        steps.append(step)
        outcome = _outcome(steps, max_steps)
        if outcome is not None:
            return outcome, ([], [])
    return None, protocol.render(task, problem.question, steps, view)


def take_steps(
    reply: Reply, protocol: AgentProtocol, toolbox: Toolbox, open_toolbox: OpenToolbox, view: View = PLAIN
) -> Iterator[Step]:
    """Read a reply and yield its steps in order. Each call is executed lazily, when its step is requested."""
    for shown_thought, call in protocol.read(reply):
        thought = view.read_text(shown_thought, toolbox)
        if isinstance(call, CallError):
            error = view.read_error(call, shown_thought, toolbox)
            yield failed_step(thought, None, with_toolbox_example(error, toolbox))
        else:
            yield execute_step(thought, view.read_call(call, toolbox), toolbox, open_toolbox).step


def ends_chain(step: Step) -> bool:
    """Whether a step is an accepted answer."""
    return step.call is not None and step.call.name == ANSWER and step.error is None


def _outcome(steps: list[Step], max_steps: int) -> Outcome | None:
    """How the last step ended the chain; None if the chain continues."""
    if ends_chain(steps[-1]):
        return "answered"
    last_steps = steps[-STUCK_AFTER:]
    failed = len(last_steps) == STUCK_AFTER and last_steps[-1].error is not None
    if failed and len({_failure_key(step) for step in last_steps}) == 1:
        return "stuck"
    return "step_limit" if len(steps) >= max_steps else None


def _failure_key(step: Step) -> tuple[str, str]:
    """Two failed steps are the same if these are equal: the call (or the thought if there is none), and the error."""
    return (repr(step.call) if step.call else step.thought, repr(step.error))
