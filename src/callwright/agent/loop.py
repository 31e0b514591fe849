"""One attempt of one model at one problem."""

from callwright.agent.protocol import TEXT, TextProtocol
from callwright.chat.model import ChatModel, Reply, Sampling
from callwright.errors import CallError
from callwright.functions.toolbox import ANSWER, OpenToolbox, Toolbox
from callwright.records import Call, Chain, Outcome, Problem, Step, StepError, Usage
from callwright.tasks.task import Task

STUCK_AFTER = 3  # the same failing reply this many times in a row ends the chain


async def solve(
    problem: Problem,
    task: Task,
    model: ChatModel,
    sampling: Sampling,
    protocol: TextProtocol = TEXT,
    chain_id: str | None = None,
) -> Chain:
    """Let a model solve a problem, one executed call at a time.

    A wrong reply is fed back as one line and kept as a step; it is training signal.

    Args:
        chain_id: by default `<problem>/<model>/<seed>`.

    Raises:
        ProviderError: the model could not be reached; there is no chain then.
    """
    chain_id = chain_id or f"{problem.id}/{model.name}/{sampling.seed}"
    tools = task.toolbox.open()
    steps: list[Step] = []
    usage = Usage()
    outcome: Outcome = "step_limit"
    while len(steps) < sampling.max_steps:
        messages, schemas = protocol.render(task, problem.question, steps)
        reply = await model.reply(messages, schemas, sampling)
        usage += reply.usage
        steps.append(take_step(reply, protocol, task.toolbox, tools))
        if ends_chain(steps[-1]):
            outcome = "answered"
            break
        if _stuck(steps):
            outcome = "stuck"
            break
    answer = steps[-1].observation if outcome == "answered" else None
    return Chain(chain_id, problem.id, model.name, "text", tuple(steps), outcome, answer, usage)


def take_step(reply: Reply, protocol: TextProtocol, toolbox: Toolbox, tools: OpenToolbox) -> Step:
    """Read a reply and execute its call."""
    thought, call = protocol.read(reply)
    if isinstance(call, CallError):
        return Step(thought, None, StepError(call.fault, call.message), None)
    named = toolbox.name_arguments(call)
    if isinstance(named, CallError):
        return Step(thought, call, StepError(named.fault, named.message), None)
    return executed(thought, named, tools)


def executed(thought: str, call: Call, tools: OpenToolbox) -> Step:
    """A step with what executing its call gave."""
    result = tools.execute(call)
    if isinstance(result, CallError):
        return Step(thought, call, StepError(result.fault, result.message), None)
    return Step(thought, call, None, result.text)


def ends_chain(step: Step) -> bool:
    """Whether a step is an accepted answer."""
    return step.call is not None and step.call.name == ANSWER and step.error is None


def _stuck(steps: list[Step]) -> bool:
    last = steps[-STUCK_AFTER:]
    return len(last) == STUCK_AFTER and last[-1].error is not None and all(step == last[0] for step in last)
