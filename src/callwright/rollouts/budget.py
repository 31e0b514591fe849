"""How much a rollout may spend, and how much it has spent."""

import asyncio
import time
from collections.abc import Callable, Sequence

from callwright.chat.model import ChatModel, Message, Reply, Sampling, Tool
from callwright.errors import CallwrightError, EndpointUnusableError
from callwright.params import BudgetParams, Prices
from callwright.records import Usage

TOKENS_PER_PRICE = 1_000_000
_TOKEN_LIMITS = ("tokens", "cost")  # the limits that depend on the server's token counts


class BudgetError(CallwrightError):
    """A budget is used up. Finished attempts are in the journal."""


def cost(usage: Usage, prices: Prices) -> float:
    """The cost of tokens, in the unit of the prices.

    >>> cost(Usage(3_000_000, 500_000, cached_tokens=1_000_000), Prices(prompt=2.0, cached=0.5, completion=8.0))
    8.5
    """
    uncached = usage.prompt_tokens - usage.cached_tokens
    total = uncached * prices.prompt + usage.cached_tokens * prices.cached + usage.completion_tokens * prices.completion
    return total / TOKENS_PER_PRICE


class Meter:
    """Counts the requests and tokens of one run, and compares them with its budget.

    An attempt starts only if it would fit beside the running ones, going by the mean of the finished ones. So chains
    are rarely cut off, and a small budget is never spread over many chains of which none gets finished. The limit
    itself applies to every request: none is sent at or above it. Requests in flight count as the mean of the answered.

    Args:
        budget: None: no limits.
        clock: returns seconds and never goes back.

    Attributes:
        requests: number of requests that were answered or failed.
        usage: tokens of all replies.
        limit_reached: the limit that ended the run, as text; None if none did.
    """

    def __init__(
        self,
        budget: BudgetParams | None = None,
        prices: Prices | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._prices = prices
        self._clock = clock
        self._limits = budget.limits() if budget else {}
        self._start = clock()
        self._changed = asyncio.Condition()
        self._requests_in_flight = self._running_attempts = self._finished_attempts = 0
        self._finished_amounts = dict.fromkeys(self._limits, 0.0)  # spent by the finished attempts
        self.requests = 0
        self._replies_with_usage = self._replies_without_usage = 0
        self.usage = Usage()
        self.limit_reached: str | None = None

    def seconds(self) -> float:
        """Seconds since the run began."""
        return self._clock() - self._start

    def cost(self) -> float | None:
        """The cost so far, in the unit of the prices; None without prices."""
        return cost(self.usage, self._prices) if self._prices else None

    async def admit_attempt(self) -> bool:
        """Whether one more attempt may start. Waits while running attempts may still leave room for it.

        After True, call `finish_attempt` when the attempt is over.
        """
        if self._limits:
            async with self._changed:
                await self._changed.wait_for(lambda: self._running_attempts == 0 or not self._limit_for_next_attempt())
                if limit_text := self._limit_for_next_attempt():
                    self.limit_reached = self.limit_reached or limit_text
                    return False
        self._running_attempts += 1
        return True

    async def finish_attempt(self, chat: "MeteredChat | None") -> None:
        """Record that an attempt is over.

        Args:
            chat: the chat model that the attempt used; None if its chain was not finished.
        """
        self._running_attempts -= 1
        if not self._limits:
            return
        if chat is not None:
            self._finished_attempts += 1
            amounts = self._amounts(len(chat.request_s), chat.usage, chat.seconds())
            self._finished_amounts = {name: total + amounts[name] for name, total in self._finished_amounts.items()}
        async with self._changed:
            self._changed.notify_all()

    def seconds_left(self) -> float | None:
        """Seconds until the limit on seconds; None if there is no such limit."""
        limit = self._limits.get("seconds")
        return None if limit is None else limit - self.seconds()

    def time_limit_error(self) -> BudgetError:
        """The error for a request that the limit on seconds ended; sets `limit_reached`."""
        self.limit_reached = self._limit_text("seconds", self.seconds())
        return BudgetError(self.limit_reached)

    def unenforceable_limit(self) -> str | None:
        """A limit that cannot be enforced, because no reply so far had a token count."""
        if self.usage != Usage():
            return None
        return next((name for name in _TOKEN_LIMITS if name in self._limits), None)

    def begin_request(self) -> None:
        """Count a request as in flight.

        Raises:
            BudgetError: no more requests may be sent.
        """
        if limit_text := self._limit_for_next_request():
            self.limit_reached = limit_text
            raise BudgetError(limit_text)
        self._requests_in_flight += 1

    def end_request(self, usage: Usage | None) -> None:
        """Count a request as no longer in flight, and add its tokens.

        Args:
            usage: None if the request failed; all zero if the server reports no tokens.
        """
        self._requests_in_flight -= 1
        self.requests += 1
        if usage is not None:
            self.usage += usage
            self._replies_with_usage += usage != Usage()
            self._replies_without_usage += usage == Usage()

    def _limit_for_next_attempt(self) -> str | None:
        """The limit that one more attempt would exceed if it takes the mean of the finished ones; None if it fits."""
        spent = self._spent_so_far()
        for name, limit in self._limits.items():
            mean = self._finished_amounts[name] / self._finished_attempts if self._finished_attempts else 0.0
            if name == "seconds":
                fits = spent[name] + mean < limit  # concurrent attempts take no longer than one
            elif self._finished_attempts:
                projected = max(mean * (self._finished_attempts + self._running_attempts), spent[name])
                fits = projected + mean <= limit
            else:  # the first attempt runs alone, to show how much one takes
                fits = self._running_attempts == 0 and spent[name] < limit
            if not fits:
                return self._limit_text(name, spent[name])
        return None

    def _limit_for_next_request(self) -> str | None:
        """The limit that one more request would exceed if those in flight take the mean; None if it fits."""
        if not self._limits:
            return None
        spent = self._spent_so_far()
        for name, limit in self._limits.items():
            mean = {"requests": 1.0, "seconds": 0.0}.get(name, spent[name] / max(self.requests, 1))
            if spent[name] + mean * self._requests_in_flight >= limit:
                return self._limit_text(name, spent[name])
        return None

    def _spent_so_far(self) -> dict[str, float]:
        """The amounts of the whole run. A reply without a token count is estimated as the mean of the others."""
        spent = self._amounts(self.requests, self.usage, self.seconds())
        share_with_usage = (
            self._replies_with_usage / (self._replies_with_usage + self._replies_without_usage)
            if self._replies_with_usage
            else 1.0
        )
        return {name: amount / share_with_usage if name in _TOKEN_LIMITS else amount for name, amount in spent.items()}

    def _amounts(self, requests: int, usage: Usage, seconds: float) -> dict[str, float]:
        return {
            "requests": float(requests),
            "tokens": float(usage.prompt_tokens + usage.completion_tokens),
            "cost": cost(usage, self._prices) if self._prices else 0.0,
            "seconds": seconds,
        }

    def _limit_text(self, name: str, spent: float) -> str:
        digits = 2 if name == "cost" else 0
        return f"rollout.budget.{name}: {spent:,.{digits}f} of {self._limits[name]:,.{digits}f}"


class MeteredChat:
    """The chat model of one attempt. Every request is counted and timed.

    Attributes:
        request_s: seconds that each answered request took, including retries and waiting for the endpoint.
        request_usage: tokens of each answered request.
        usage: tokens of all answered requests.
    """

    def __init__(self, model: ChatModel, meter: Meter) -> None:
        self.name = model.name
        self.request_s: list[float] = []
        self.request_usage: list[Usage] = []
        self.usage = Usage()
        self._model = model
        self._meter = meter
        self._start = time.monotonic()

    def seconds(self) -> float:
        """Seconds since the attempt began."""
        return time.monotonic() - self._start

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """The model's reply.

        Raises:
            ProviderError: there is no reply.
            EndpointUnusableError: the budget limits tokens, but the server reports none.
            BudgetError: the request may not be sent, or the limit on seconds was reached.
        """
        self._meter.begin_request()
        start = time.monotonic()
        usage: Usage | None = None
        limit = asyncio.timeout(self._meter.seconds_left())
        try:
            async with limit:
                reply = await self._model.reply(messages, tools, sampling)
            usage = reply.usage
        except TimeoutError:
            if limit.expired():
                raise self._meter.time_limit_error() from None
            raise
        finally:
            self._meter.end_request(usage)
        if unenforceable_limit := self._meter.unenforceable_limit():
            raise EndpointUnusableError(
                f"the model {self.name} does not report the tokens of its replies, "
                f"so rollout.budget.{unenforceable_limit} cannot be enforced: limit requests or seconds instead"
            )
        self.request_s.append(round(time.monotonic() - start, 3))
        self.request_usage.append(reply.usage)
        self.usage += reply.usage
        return reply
