"""What a rollout may spend, and what it has spent."""

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
    """A budget is used up; what was finished is in the journal."""


def cost(usage: Usage, prices: Prices) -> float:
    """What tokens cost, in the unit of the prices.

    >>> cost(Usage(3_000_000, 500_000, cached_tokens=1_000_000), Prices(prompt=2.0, cached=0.5, completion=8.0))
    8.5
    """
    fresh = usage.prompt_tokens - usage.cached_tokens
    total = fresh * prices.prompt + usage.cached_tokens * prices.cached + usage.completion_tokens * prices.completion
    return total / TOKENS_PER_PRICE


class Meter:
    """Counts the requests and tokens of one run, and holds them against its budget.

    No attempt begins that would not fit beside those under way, going by what the finished ones took; so chains are
    rarely cut off, and a small budget is never spread over many chains of which none gets finished. The limit itself
    holds for every request: none is sent at or above it, counting those on the way at the average of the answered.

    Args:
        budget: None: no limits.
        clock: seconds that never go back.
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
        self._began = clock()
        self._changed = asyncio.Condition()
        self._requests_in_flight = self._running_attempts = self._finished_attempts = 0  # requests; attempts; attempts
        self._finished_amounts = dict.fromkeys(self._limits, 0.0)  # by the finished attempts
        self.requests = 0  # answered or lost
        self._replies_with_usage = self._replies_without_usage = 0  # replies with and without a token count
        self.usage = Usage()
        self.reached: str | None = None  # the limit that ended the run

    def seconds(self) -> float:
        return self._clock() - self._began

    def cost(self) -> float | None:
        """So far; None without prices."""
        return cost(self.usage, self._prices) if self._prices else None

    async def admit(self) -> bool:
        """Whether one more attempt may begin; waits where those under way have yet to show it. Then `finish` it."""
        if self._limits:
            async with self._changed:
                await self._changed.wait_for(lambda: self._running_attempts == 0 or not self._limit_for_next_attempt())
                if over := self._limit_for_next_attempt():
                    self.reached = self.reached or over
                    return False
        self._running_attempts += 1
        return True

    async def finish(self, attempt: "MeteredChat | None") -> None:
        """An attempt is over; None: its chain was not finished."""
        self._running_attempts -= 1
        if not self._limits:
            return
        if attempt is not None:
            self._finished_attempts += 1
            own = self._amounts(len(attempt.request_s), attempt.usage, attempt.seconds())
            self._finished_amounts = {name: taken + own[name] for name, taken in self._finished_amounts.items()}
        async with self._changed:
            self._changed.notify_all()

    def seconds_left(self) -> float | None:
        """Until the limit on seconds; None: there is none."""
        limit = self._limits.get("seconds")
        return None if limit is None else limit - self.seconds()

    def time_limit_error(self) -> BudgetError:
        """The error for a request that the limit on seconds ended."""
        self.reached = self._limit_text("seconds", self.seconds())
        return BudgetError(self.reached)

    def unenforceable_limit(self) -> str | None:
        """A limit that cannot be kept, as no answer so far told its tokens."""
        if self.usage != Usage():
            return None
        return next((name for name in _TOKEN_LIMITS if name in self._limits), None)

    def begin_request(self) -> None:
        """Count a request in.

        Raises:
            BudgetError: no request may be sent any more.
        """
        if over := self._limit_for_next_request():
            self.reached = over
            raise BudgetError(over)
        self._requests_in_flight += 1

    def end_request(self, usage: Usage | None) -> None:
        """Remove a request from the counts.

        Args:
            usage: None: it was lost; all zero: the server did not tell the tokens.
        """
        self._requests_in_flight -= 1
        self.requests += 1
        if usage is not None:
            self.usage += usage
            self._replies_with_usage += usage != Usage()
            self._replies_without_usage += usage == Usage()

    def _limit_for_next_attempt(self) -> str | None:
        """The limit that one more attempt would overstep, going by the mean of the finished ones."""
        spent = self._spent_so_far()
        for name, limit in self._limits.items():
            mean = self._finished_amounts[name] / self._finished_attempts if self._finished_attempts else 0.0
            if name == "seconds":
                fits = spent[name] + mean < limit  # attempts side by side take no longer than one
            elif self._finished_attempts:
                under_way = max(mean * (self._finished_attempts + self._running_attempts), spent[name])
                fits = under_way + mean <= limit
            else:
                fits = self._running_attempts == 0 and spent[name] < limit  # the first one shows what an attempt takes
            if not fits:
                return self._limit_text(name, spent[name])
        return None

    def _limit_for_next_request(self) -> str | None:
        """The limit that one more request would overstep, with those on the way at the mean of the others."""
        if not self._limits:
            return None
        spent = self._spent_so_far()
        for name, limit in self._limits.items():
            mean = {"requests": 1.0, "seconds": 0.0}.get(name, spent[name] / max(self.requests, 1))
            if spent[name] + mean * self._requests_in_flight >= limit:
                return self._limit_text(name, spent[name])
        return None

    def _spent_so_far(self) -> dict[str, float]:
        """The whole run's amounts. A reply without a token count is estimated as the mean of the others."""
        spent = self._amounts(self.requests, self.usage, self.seconds())
        share_told = (
            self._replies_with_usage / (self._replies_with_usage + self._replies_without_usage)
            if self._replies_with_usage
            else 1.0
        )
        return {name: amount / share_told if name in _TOKEN_LIMITS else amount for name, amount in spent.items()}

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
    """A chat model as one attempt uses it: every request is counted and timed.

    Attributes:
        request_s: seconds that each answered request took, retries and waiting for the endpoint included.
        request_usage: tokens of each answered request.
    """

    def __init__(self, model: ChatModel, meter: Meter) -> None:
        self.name = model.name
        self.request_s: list[float] = []
        self.request_usage: list[Usage] = []
        self.usage = Usage()
        self._model = model
        self._meter = meter
        self._began = time.monotonic()

    def seconds(self) -> float:
        return time.monotonic() - self._began

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """The model's reply.

        Raises:
            ProviderError: there is none.
            EndpointUnusableError: the server does not tell the tokens that the budget limits.
            BudgetError: the request may not be sent, or the seconds are over.
        """
        self._meter.begin_request()
        began = time.monotonic()
        used: Usage | None = None
        limit = asyncio.timeout(self._meter.seconds_left())
        try:
            async with limit:
                reply = await self._model.reply(messages, tools, sampling)
            used = reply.usage
        except TimeoutError:
            if limit.expired():
                raise self._meter.time_limit_error() from None
            raise
        finally:
            self._meter.end_request(used)
        if unenforceable_limit := self._meter.unenforceable_limit():
            raise EndpointUnusableError(
                f"teacher {self.name} does not tell the tokens of its replies, "
                f"so rollout.budget.{unenforceable_limit} cannot be kept: limit requests or seconds instead"
            )
        self.request_s.append(round(time.monotonic() - began, 3))
        self.request_usage.append(reply.usage)
        self.usage += reply.usage
        return reply
