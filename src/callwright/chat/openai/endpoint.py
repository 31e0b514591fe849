"""A chat model behind one or several OpenAI-compatible endpoints. A request ends with a reply or an error."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from callwright.chat.model import Message, Reply, Sampling, Tool
from callwright.chat.openai.completions import CompletionsClient, RequestFailedError
from callwright.chat.openai.label import EndpointLabel
from callwright.chat.openai.queue import RequestQueue
from callwright.chat.openai.rate_limiter import Limiter
from callwright.errors import EndpointUnusableError, ProviderError
from callwright.params import EndpointParams

_ORACLE_URL = "http://oracle.invalid/v1"  # never resolved: the app answers in process

FIRST_RETRY_S, MAX_RETRY_S = 0.5, 8.0  # the wait before a retry doubles each time
TOOL_CALL_TRIES = 3  # replies without a tool call until the model counts as making none


class EndpointChat:
    """Chat completions over HTTP. Retries happen here, so that all requests share what is known about each endpoint.

    A request that fails is retried up to `max_retries` times. If a busy endpoint refuses it, it waits for the
    cool-down that all requests share, and this counts as a retry only if the endpoint answered no request in the
    meantime. A failed trial of an unreachable endpoint does not count as a retry.

    Args:
        app: an ASGI app that answers in process, instead of a server.
        wait_for_server: whether to wait for an endpoint that is unreachable; False for interactive use.
        section: the endpoint's section of params.yaml, which error lines name; empty: it has none.

    Attributes:
        name: the model's name in chains.
        requests: number of requests sent so far, retries included.
        failures: number of requests that failed so far, by reason.

    Raises:
        ProviderError: the environment variable for the key is not set.
    """

    def __init__(
        self, params: EndpointParams, app: Any = None, wait_for_server: bool = True, section: str = ""
    ) -> None:
        self.name = params.model
        self.requests = 0
        self.failures: Counter[str] = Counter()
        self._label = EndpointLabel(section)
        urls = [_ORACLE_URL] if app is not None else [params.base_url, *params.base_urls]
        key = "oracle" if app is not None else _key(params, self._label)
        self._max_retries = params.max_retries
        self._wait_for_server = wait_for_server
        self._limiters = [Limiter(url, label=self._label) for url in urls]
        self._queue = RequestQueue(self._limiters, subject=self._label.subject)
        self._servers = {url: CompletionsClient(url, key, params, app, self._label) for url in urls}

    async def probe(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), sampling: Sampling | None = None
    ) -> None:
        """Ask every endpoint once, so that a wrong address, key or model is known before the work begins.

        With tools, the model must answer with a tool call (TOOL_CALL_TRIES tries). An endpoint that fails is marked as
        down if another one answers.

        Args:
            messages: a prompt that the model will be asked anyway, such as the first of a rollout.

        Raises:
            ProviderError: all endpoints failed.
            EndpointUnusableError: no request to one of the endpoints can succeed.
        """
        probes = [self._probe(limiter, messages, tools, sampling or Sampling()) for limiter in self._limiters]
        errors = await asyncio.gather(*probes)
        for limiter, error in zip(self._limiters, errors, strict=True):
            if isinstance(error, EndpointUnusableError) or (error and all(errors)):
                raise error
            if error and limiter.down_since is None:
                limiter.mark_down(str(error))

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """The model's reply, after retries if necessary.

        Raises:
            EndpointUnusableError: no request can succeed.
            ProviderError: this request failed, and so did its retries.
        """
        return await self._reply(self._queue, messages, tools, sampling, self._wait_for_server)

    async def close(self) -> None:
        """Close all connections."""
        for server in self._servers.values():
            await server.close()

    async def _reply(
        self,
        queue: RequestQueue,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        sampling: Sampling,
        wait_for_server: bool,
    ) -> Reply:
        failures = 0
        answers: dict[str, int] = {}  # answers of each endpoint when it was first asked, or last failed this request
        while True:
            limiter, started_at = await queue.acquire()
            answers_before = answers.setdefault(limiter.url, limiter.answers)
            is_trial = limiter.down_since is not None
            try:
                outcome = await self._ask(limiter, started_at, messages, tools, sampling)
            finally:
                queue.release(limiter)
            if isinstance(outcome, Reply):
                return outcome
            answers[limiter.url] = limiter.answers
            if not (is_trial and outcome.unreachable):
                failures += not outcome.busy or answers_before == limiter.answers
            if not outcome.retryable or failures > self._max_retries or (outcome.unreachable and not wait_for_server):
                raise outcome.error
            if not outcome.busy:  # a busy endpoint has a cool-down instead
                await asyncio.sleep(min(FIRST_RETRY_S * 2 ** (failures - 1), MAX_RETRY_S) * random.uniform(0.5, 1))

    async def _ask(
        self,
        limiter: Limiter,
        started_at: float,
        messages: Sequence[Message],
        tools: Sequence[Tool],
        sampling: Sampling,
    ) -> Reply | RequestFailedError:
        """Send one request, and record its result in the limiter."""
        self.requests += 1
        try:
            reply = await self._servers[limiter.url].ask(messages, tools, sampling)
        except RequestFailedError as failure:
            self.failures[failure.error.reason] += 1
            _record_failure(limiter, started_at, failure)
            return failure
        limiter.record_answer()
        return reply

    async def _probe(
        self, limiter: Limiter, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling
    ) -> ProviderError | None:
        queue = RequestQueue([limiter], subject=self._label.subject)
        try:
            for number in range(TOOL_CALL_TRIES if tools else 1):
                retry_sampling = replace(sampling, seed=sampling.seed + number)
                reply = await self._reply(queue, messages, tools, retry_sampling, wait_for_server=False)
                if reply.tool_calls or not tools:
                    return None
        except ProviderError as error:
            return error
        line = (
            f"{self._label.at(limiter.url)} answered without a tool call, {TOOL_CALL_TRIES} times: "
            "set rollout.protocol: text, or serve a model with tool calls switched on"
        )
        return EndpointUnusableError(line, "no tool call")


def _record_failure(limiter: Limiter, started_at: float, failure: RequestFailedError) -> None:
    error_line = str(failure.error)
    if failure.busy:
        limiter.record_busy(started_at, failure.wait_s, error_line)
    elif failure.slow:
        limiter.record_timeout(started_at, error_line)
    elif failure.retryable:
        limiter.record_failure(started_at, error_line, failure.unreachable)


def _key(params: EndpointParams, label: EndpointLabel) -> str:
    """The key, which is only ever read from the environment."""
    key = os.environ.get(params.api_key_env, "")
    if not key:
        raise ProviderError(
            f"the key of {label.subject} at {params.base_url} is missing: set {params.api_key_env} "
            "(any text if the server needs no key)"
        )
    if key != key.strip() or not (key.isascii() and key.isprintable()):
        raise ProviderError(f"{params.api_key_env} cannot be a key: check it for quotes, blanks and line ends")
    return key
