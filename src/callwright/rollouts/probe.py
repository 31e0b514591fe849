"""Check before a rollout that the model's server can be used, with prompts that the rollout needs anyway."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice

from callwright.agent.protocol import PROTOCOLS
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import EndpointUnusableError, ProviderError
from callwright.rollouts.journal import JournalEntry
from callwright.rollouts.plan import Attempt
from callwright.rollouts.sample import LASTING_REASONS
from callwright.storage.journal import Journal
from callwright.tasks import TASKS

MAX_PROMPTS = 3  # tried at most, as a single one may be filtered, too long, or answered without a call
_REASONS_OF_THE_SERVER = ("unreachable", "timed out", "connection lost")


async def probe(model: EndpointChat, attempts: Sequence[Attempt], journal: Journal[JournalEntry]) -> None:
    """Ask for one reply, so that a wrong address, key or model is known before the work begins.

    A fault of one prompt or its reply costs its attempt later but does not stop the run here. So up to MAX_PROMPTS
    prompts are tried: some that are to be asked anyway, and then one that was answered before.

    Args:
        attempts: at least one.

    Raises:
        EndpointUnusableError: no request can succeed.
        ProviderError: no prompt was answered, and the prompts are not the cause.
    """
    errors: list[ProviderError] = []
    for attempt in islice(_one_attempt_per_problem(attempts, journal), MAX_PROMPTS):
        prompt, tools = PROTOCOLS[attempt.protocol].render(TASKS[attempt.problem.task], attempt.problem.question, ())
        try:
            await model.probe(prompt, tools, attempt.sampling)
            return
        except ProviderError as error:
            unusable = isinstance(error, EndpointUnusableError) and error.reason != "no tool call"
            if unusable or error.reason in _REASONS_OF_THE_SERVER:
                raise
            errors.append(error)
    of_the_server = next((error for error in errors if error.reason not in LASTING_REASONS), None)
    if of_the_server is not None:
        raise of_the_server


def _one_attempt_per_problem(attempts: Sequence[Attempt], journal: Journal[JournalEntry]) -> Iterator[Attempt]:
    """One attempt per problem: some that are still to be made, those that were answered before, then the others."""
    made = [attempt for attempt in attempts if attempt.journaled_key(journal) is not None]
    made_ids = {attempt.id for attempt in made}
    missing = [attempt for attempt in attempts if attempt.id not in made_ids]
    problem_ids: set[str] = set()
    for attempt in chain(_first_attempts(missing, MAX_PROMPTS - 1), made, missing):
        if attempt.problem.id not in problem_ids:
            problem_ids.add(attempt.problem.id)
            yield attempt


def _first_attempts(attempts: Sequence[Attempt], count: int) -> list[Attempt]:
    """The first attempt at each of the first `count` problems."""
    by_problem: dict[str, Attempt] = {}
    for attempt in attempts:
        if len(by_problem) == count:
            break
        by_problem.setdefault(attempt.problem.id, attempt)
    return list(by_problem.values())
