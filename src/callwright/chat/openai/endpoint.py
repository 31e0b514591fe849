"""A chat model behind one or several OpenAI-compatible endpoints: every request is answered, or is an error."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from callwright.chat.model import Message, Reply, Sampling, Tool
from callwright.chat.openai.completions import CompletionsClient, RequestFailedError
from callwright.chat.openai.queue import RequestQueue
from callwright.chat.openai.rate_limiter import Limiter
from callwright.errors import EndpointUnusableError, ProviderError
from callwright.params import TeacherParams, address

ORACLE = address.ORACLE  # teacher.base_url of the oracle in process
_ORACLE_URL = "http://oracle.invalid/v1"  # never resolved: the app answers in process

FIRST_RETRY_S, MAX_RETRY_S = 0.5, 8.0  # doubling
TOOL_CALL_TRIES = 3  # until a model that answers without one is said to make none


class EndpointChat:
    """Chat completions over HTTP; failures are retried here, so that all requests know of them (`Limiter`, `Slots`).

    A request that fails is asked again up to `teacher.max_retries` times. One that a busy endpoint refuses waits for
    the cool-down that all share, and counts as failed only where nobody was answered in the meantime. One that finds
    an endpoint still away, on trial, does not count.

    Args:
        app: an ASGI app that answers in process, in place of the network.
        wait_for_server: whether to wait for an endpoint where nobody listens; somebody at a terminal would not.
        section: of params.yaml, which errors name.

    Attributes:
        requests: sent so far, each retry counted.
        failures: requests without a reply so far, by reason.

    Raises:
        ProviderError: the environment variable for the key is not set.
    """

    def __init__(
        self, teacher: TeacherParams, app: Any = None, wait_for_server: bool = True, section: str = "teacher"
    ) -> None:
        self.name = teacher.model
        self.requests = 0
        self.failures: Counter[str] = Counter()
        urls = [_ORACLE_URL] if app is not None else [teacher.base_url, *teacher.base_urls]
        key = "oracle" if app is not None else _key(teacher, section)
        self._max_retries = teacher.max_retries
        self._wait_for_server = wait_for_server
        self._limiters = [Limiter(url) for url in urls]
        self._slots = RequestQueue(self._limiters)
        self._servers = {url: CompletionsClient(url, key, teacher, app, section) for url in urls}

    async def probe(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), sampling: Sampling | None = None
    ) -> None:
        """Ask every endpoint once, so that a wrong address, key or model is known before the work begins.

        With tools, the model must answer with a tool call (three tries). An endpoint that fails is left out while
        another one answers.

        Args:
            messages: a prompt that the model will be asked anyway, such as a rollout's first.

        Raises:
            ProviderError: one line that says what to do.
        """
        probes = [self._probe(limiter, messages, tools, sampling or Sampling()) for limiter in self._limiters]
        errors = await asyncio.gather(*probes)
        for limiter, error in zip(self._limiters, errors, strict=True):
            if isinstance(error, EndpointUnusableError) or (error and all(errors)):
                raise error
            if error and limiter.down_since is None:
                limiter.mark_down(str(error))

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """Ask for one reply, until it comes or the retries are used up.

        Raises:
            EndpointUnusableError: no request can succeed.
            ProviderError: this one did not.
        """
        return await self._reply(self._slots, messages, tools, sampling, self._wait_for_server)

    async def close(self) -> None:
        for server in self._servers.values():
            await server.close()

    async def _reply(
        self,
        slots: RequestQueue,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        sampling: Sampling,
        wait_for_server: bool,
    ) -> Reply:
        failed = 0
        answers: dict[str, int] = {}  # of each endpoint, when it was first asked, or last lost this request
        while True:
            limiter, began = await slots.take()
            before = answers.setdefault(limiter.url, limiter.answers)
            trial = limiter.down_since is not None
            try:
                outcome = await self._ask(limiter, began, messages, tools, sampling)
            finally:
                slots.give(limiter)
            if isinstance(outcome, Reply):
                return outcome
            answers[limiter.url] = limiter.answers
            if not (trial and outcome.unreachable):  # still away: to wait for it costs no retry
                failed += not outcome.busy or before == limiter.answers
            if not outcome.retryable or failed > self._max_retries or (outcome.unreachable and not wait_for_server):
                raise outcome.error
            if not outcome.busy:  # a busy endpoint has a cool-down instead
                await asyncio.sleep(min(FIRST_RETRY_S * 2 ** (failed - 1), MAX_RETRY_S) * random.uniform(0.5, 1))

    async def _ask(
        self, limiter: Limiter, began: float, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling
    ) -> Reply | RequestFailedError:
        """One request; the limiter learns how it went."""
        self.requests += 1
        try:
            reply = await self._servers[limiter.url].ask(messages, tools, sampling)
        except RequestFailedError as lost:
            self.failures[lost.error.reason] += 1
            _record_failure(limiter, began, lost)
            return lost
        limiter.answered()
        return reply

    async def _probe(
        self, limiter: Limiter, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling
    ) -> ProviderError | None:
        slots = RequestQueue([limiter])
        try:
            for number in range(TOOL_CALL_TRIES if tools else 1):
                own = replace(sampling, seed=sampling.seed + number)
                reply = await self._reply(slots, messages, tools, own, wait_for_server=False)
                if reply.tool_calls or not tools:
                    return None
        except ProviderError as error:
            return error
        line = (
            f"teacher at {limiter.url} answered without a tool call, {TOOL_CALL_TRIES} times: "
            "set rollout.protocol: text, or serve a model with tool calls switched on"
        )
        return EndpointUnusableError(line, "no tool call")


def _record_failure(limiter: Limiter, began: float, lost: RequestFailedError) -> None:
    trouble = str(lost.error)
    if lost.busy:
        limiter.record_busy(began, lost.wait_s, trouble)
    elif lost.slow:
        limiter.record_timeout(began, trouble)
    elif lost.retryable:
        limiter.failed(began, trouble, lost.unreachable)


def _key(teacher: TeacherParams, section: str) -> str:
    """The key from the environment; it may not be in params."""
    key = os.environ.get(teacher.api_key_env, "")
    if not key:
        raise ProviderError(
            f"the key of the {section.rpartition('.')[2]} at {teacher.base_url} is missing: set {teacher.api_key_env} "
            f"(any text for a server that asks for none)"
        )
    if key != key.strip() or not (key.isascii() and key.isprintable()):
        raise ProviderError(
            f"{teacher.api_key_env} holds what no key can hold: check it for quotes, blanks and line ends"
        )
    return key
