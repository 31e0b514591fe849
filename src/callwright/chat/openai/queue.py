"""A line of requests before one or several endpoints: the oldest goes first, to whichever endpoint is freest."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence

from callwright.chat.openai.rate_limiter import Limiter
from callwright.errors import EndpointUnusableError

MAX_DOWN_S = 120.0  # with every endpoint out, until the line is told so


class RequestQueue:
    """Who may send a request, and where to.

    Nothing polls: a request waits on a future that is set when a slot is given back or a cool-down is over.
    """

    def __init__(
        self,
        limiters: Sequence[Limiter],
        max_down_s: float = MAX_DOWN_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limiters = list(limiters)
        self._max_down_s = max_down_s
        self._clock = clock
        self._queue: deque[asyncio.Future[tuple[Limiter, float]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def take(self) -> tuple[Limiter, float]:
        """Wait for a slot; returns the endpoint to ask and when the request began. Give the slot back with `give`.

        Raises:
            EndpointUnusableError: every endpoint has been out for too long.
        """
        turn: asyncio.Future[tuple[Limiter, float]] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._assign_endpoints()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:  # it came too late
                self.give(turn.result()[0])
            raise

    def give(self, limiter: Limiter) -> None:
        limiter.ended()
        self._assign_endpoints()

    def _assign_endpoints(self) -> None:
        while self._queue:
            if self._queue[0].done():  # cancelled while it waited
                self._queue.popleft()
                continue
            free = [limiter for limiter in self._limiters if limiter.can_send()]
            if not free:
                break
            freest = min(free, key=_selection_key)
            self._queue.popleft().set_result((freest, freest.began()))
        self._fail_waiting_after_deadline()
        self._schedule_wakeup()

    def _fail_waiting_after_deadline(self) -> None:
        deadline = self._deadline()
        if not self._queue or deadline is None or self._clock() < deadline:
            return
        troubles = "; ".join(limiter.trouble for limiter in self._limiters)
        line = f"no teacher endpoint has answered for {self._max_down_s:.0f} s: {troubles}"
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_exception(EndpointUnusableError(line, "no endpoint answers"))

    def _deadline(self) -> float | None:
        """When patience ends; None while an endpoint is in use."""
        since = [limiter.down_since for limiter in self._limiters]
        return None if None in since else max(time for time in since if time is not None) + self._max_down_s

    def _schedule_wakeup(self) -> None:
        """Wake up when the next endpoint is ready or patience ends; slots that are given back wake the line anyway."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._queue:
            return
        now = self._clock()
        moments = [limiter.ready_at for limiter in self._limiters if limiter.ready_at > now]
        deadline = self._deadline()
        if deadline is not None:
            moments.append(deadline)
        if moments:
            self._timer = asyncio.get_running_loop().call_later(max(min(moments) - now, 0.0), self._assign_endpoints)


def _selection_key(limiter: Limiter) -> tuple[bool, int]:
    """Fewest requests first; a trial of an endpoint that is out comes before, it is one request and tells much."""
    return (limiter.down_since is None, limiter.in_flight)
