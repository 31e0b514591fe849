"""Check before a rollout that the model's server can be used, with prompts that the rollout needs anyway."""

import itertools
from collections.abc import Iterator, Sequence

from callwright.agent.protocol import PROTOCOLS
from callwright.chat.model import ProbedChatModel
from callwright.errors import EndpointUnusableError, ProviderError
from callwright.rollouts.journal import JournalEntry
from callwright.rollouts.plan import Attempt
from callwright.rollouts.sample import LASTING_REASONS
from callwright.storage.journal import Journal

MAX_PROMPTS = 3  # more than one, because one may be filtered, too long, or answered without a call
_REASONS_OF_THE_SERVER = ("unreachable", "timed out", "connection lost")


async def probe_endpoints(model: ProbedChatModel, attempts: Sequence[Attempt], journal: Journal[JournalEntry]) -> None:
    """Ask for one reply, so that a wrong address, key or model is known before the work begins.

    A prompt that fails alone does not stop the run. So up to MAX_PROMPTS prompts are tried: first some whose attempts
    are not done yet, then one that was answered before.

    Args:
        attempts: at least one.

    Raises:
        EndpointUnusableError: no request can succeed.
        ProviderError: no prompt was answered, and not only because of the prompts.
    """
    errors: list[ProviderError] = []
    for attempt in itertools.islice(_one_attempt_per_problem(attempts, journal), MAX_PROMPTS):
        prompt, tools = PROTOCOLS[attempt.protocol].render(attempt.task, attempt.problem.question, (), attempt.view)
        try:
            await model.probe(prompt, tools, attempt.sampling)
            return
        except ProviderError as error:
            unusable = isinstance(error, EndpointUnusableError) and error.reason != "no tool call"
            if unusable or error.reason in _REASONS_OF_THE_SERVER:
                raise
            errors.append(error)
    server_error = next((error for error in errors if error.reason not in LASTING_REASONS), None)
    if server_error is not None:
        raise server_error


def _one_attempt_per_problem(attempts: Sequence[Attempt], journal: Journal[JournalEntry]) -> Iterator[Attempt]:
    """One attempt per problem: first some that are not done, then those that are done, then the others."""
    done = [attempt for attempt in attempts if attempt.journaled_key(journal) is not None]
    done_ids = {attempt.id for attempt in done}
    unfinished = [attempt for attempt in attempts if attempt.id not in done_ids]
    problem_ids: set[str] = set()
    for attempt in itertools.chain(_first_attempts(unfinished, MAX_PROMPTS - 1), done, unfinished):
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
