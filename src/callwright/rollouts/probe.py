"""Before a rollout: can the model's server be used at all? It is asked prompts that it will be asked anyway."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from callwright.agent.protocol import PROTOCOLS
from callwright.chat.endpoint import EndpointChat
from callwright.errors import EndpointUnusable, ProviderError
from callwright.rollouts.journal import Journaled
from callwright.rollouts.plan import Attempt
from callwright.rollouts.sample import LASTING
from callwright.storage import Journal
from callwright.tasks import TASKS

PROMPTS = 3  # that are tried: one of them may be filtered, too long, or answered without a call
_SAME_FOR_ALL = ("unreachable", "timed out", "connection lost")


async def probe(model: EndpointChat, attempts: Sequence[Attempt], journal: Journal[Journaled]) -> None:
    """Ask for one reply, so that a wrong address, key or model is known before the work begins.

    What is wrong with one prompt, or with the reply to it, costs its attempt later and stops nothing here: up to
    PROMPTS prompts are tried, first those to which the journal has a chain.

    Args:
        attempts: at least one.

    Raises:
        EndpointUnusable: no request can succeed.
        ProviderError: no prompt was answered, and not for reasons of the prompts.
    """
    errors: list[ProviderError] = []
    for attempt in islice(_of_different_problems(attempts, journal), PROMPTS):
        prompt, tools = PROTOCOLS[attempt.protocol].render(TASKS[attempt.problem.task], attempt.problem.question, ())
        try:
            await model.probe(prompt, tools, attempt.sampling)
            return
        except ProviderError as error:
            unusable = isinstance(error, EndpointUnusable) and error.reason != "no tool call"
            if unusable or error.reason in _SAME_FOR_ALL:
                raise
            errors.append(error)
    of_the_server = next((error for error in errors if error.reason not in LASTING), None)
    if of_the_server is not None:
        raise of_the_server


def _of_different_problems(attempts: Sequence[Attempt], journal: Journal[Journaled]) -> Iterator[Attempt]:
    """An attempt at each problem, first those that were made."""
    seen: set[str] = set()
    made = (attempt for attempt in attempts if attempt.kept_in(journal) is not None)
    for attempt in chain(made, attempts):
        if attempt.problem.id not in seen:
            seen.add(attempt.problem.id)
            yield attempt
