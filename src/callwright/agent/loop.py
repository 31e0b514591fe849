"""One attempt of one model at one problem."""

from collections.abc import Callable, Iterator

from callwright.agent.call_thread import CALL_THREAD
from callwright.agent.protocol import TEXT, AgentProtocol
from callwright.chat.model import ChatModel, Message, Reply, Sampling, Tool
from callwright.errors import CallError
from callwright.functions.toolbox import ANSWER, OpenToolbox, Toolbox
from callwright.records import Call, Chain, Outcome, Problem, Step, StepError, Usage
from callwright.tasks.task import Task

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
) -> Chain:
    """Let a model solve a problem, one executed call at a time.

    A wrong reply is fed back as one line and kept as a step; it is training signal. A reply with several calls makes
    several steps. Replies are read and calls executed in a thread of their own (`CALL_THREAD`), beside the event loop.

    Args:
        chain_id: by default `<problem>/<model>/<seed>`.
        on_step: called with each step, once all calls of its reply were executed.

    Raises:
        ProviderError: the model could not be reached; there is no chain then.
        Exception: whatever a defective function raised (docs/decisions/0005).
    """
    chain_id = chain_id or f"{problem.id}/{model.name}/{sampling.seed}"
    steps: list[Step] = []
    usage = Usage()
    outcome: Outcome | None = None
    open_toolbox, prompt = await CALL_THREAD.run(_open_chain, problem, task, protocol)
    while outcome is None:
        reply = await model.reply(*prompt, sampling)
        usage += reply.usage
        steps_before = len(steps)
        outcome, prompt = await CALL_THREAD.run(
            _add_steps, problem, task, protocol, open_toolbox, steps, reply, sampling.max_steps
        )
        for step in steps[steps_before:]:
            on_step(step)
    answer = steps[-1].observation if outcome == "answered" else None
    return Chain(chain_id, problem.id, model.name, protocol.name, tuple(steps), outcome, answer, usage)


def _open_chain(problem: Problem, task: Task, protocol: AgentProtocol) -> tuple[OpenToolbox, _Prompt]:
    return task.toolbox.open(), protocol.render(task, problem.question, ())


def _add_steps(
    problem: Problem,
    task: Task,
    protocol: AgentProtocol,
    open_toolbox: OpenToolbox,
    steps: list[Step],
    reply: Reply,
    max_steps: int,
) -> tuple[Outcome | None, _Prompt]:
    """Add a reply's steps. Returns the chain's outcome, None if it goes on, and the next prompt."""
    for step in take_steps(reply, protocol, task.toolbox, open_toolbox):
        steps.append(step)
        outcome = _outcome(steps, max_steps)
        if outcome is not None:
            return outcome, ([], [])
    return None, protocol.render(task, problem.question, steps)


def take_steps(reply: Reply, protocol: AgentProtocol, toolbox: Toolbox, open_toolbox: OpenToolbox) -> Iterator[Step]:
    """Read a reply and execute its calls in order, each when it is asked for."""
    for thought, call in protocol.read(reply):
        if isinstance(call, CallError):
            yield Step(thought, None, StepError(call.fault, call.message), None)
            continue
        named = toolbox.name_arguments(call)
        if isinstance(named, CallError):
            yield Step(thought, call, StepError(named.fault, named.message), None)
        else:
            yield executed(thought, named, open_toolbox)


def executed(thought: str, call: Call, open_toolbox: OpenToolbox) -> Step:
    """A step with what executing its call gave."""
    result = open_toolbox.execute(call)
    if isinstance(result, CallError):
        return Step(thought, call, StepError(result.fault, result.message), None)
    return Step(thought, call, None, result.text)


def ends_chain(step: Step) -> bool:
    """Whether a step is an accepted answer."""
    return step.call is not None and step.call.name == ANSWER and step.error is None


def _outcome(steps: list[Step], max_steps: int) -> Outcome | None:
    """How the chain ended with its last step; None while it goes on."""
    if ends_chain(steps[-1]):
        return "answered"
    last = steps[-STUCK_AFTER:]
    if len(last) == STUCK_AFTER and last[-1].error is not None and len({_failure_key(step) for step in last}) == 1:
        return "stuck"
    return "step_limit" if len(steps) >= max_steps else None


def _failure_key(step: Step) -> tuple[str, str]:
    """What makes two failed steps the same: the call, or the text without one, and what was wrong with it."""
    return (repr(step.call) if step.call else step.thought, repr(step.error))
