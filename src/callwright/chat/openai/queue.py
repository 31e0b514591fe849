"""A first-in, first-out queue of requests for one or several endpoints: each goes to the least busy endpoint."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence

from callwright.chat.openai.rate_limiter import Limiter
from callwright.errors import EndpointUnusableError

MAX_DOWN_S = 120.0  # seconds that all endpoints may be down before the waiting requests fail


class RequestQueue:
    """Decides which request may be sent next, and to which endpoint.

    Nothing polls: a request waits on a future that is set when a slot is released or a cool-down is over.

    Args:
        max_down_s: seconds that all endpoints may be down before the waiting requests fail.
        clock: returns seconds and never goes back.
        subject: the model as error lines name it, such as `the teacher`.
    """

    def __init__(
        self,
        limiters: Sequence[Limiter],
        max_down_s: float = MAX_DOWN_S,
        clock: Callable[[], float] = time.monotonic,
        subject: str = "the model",
    ) -> None:
        self._limiters = list(limiters)
        self._max_down_s = max_down_s
        self._clock = clock
        self._subject = subject
        self._waiters: deque[asyncio.Future[tuple[Limiter, float]]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self) -> tuple[Limiter, float]:
        """Wait for a slot, to be given back with `release`.

        Returns:
            The endpoint to ask, and the start time of the request by the clock.

        Raises:
            EndpointUnusableError: every endpoint has been down for too long.
        """
        waiter: asyncio.Future[tuple[Limiter, float]] = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        self._assign_endpoints()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.release(waiter.result()[0])  # cancelled after an endpoint was assigned
            raise

    def release(self, limiter: Limiter) -> None:
        """Give a slot back, so that the next request can have it."""
        limiter.end_request()
        self._assign_endpoints()

    def _assign_endpoints(self) -> None:
        while self._waiters:
            if self._waiters[0].done():  # cancelled while it waited
                self._waiters.popleft()
                continue
            free = [limiter for limiter in self._limiters if limiter.can_send()]
            if not free:
                break
            limiter = min(free, key=_selection_key)
            self._waiters.popleft().set_result((limiter, limiter.start_request()))
        self._fail_waiting_after_deadline()
        self._schedule_wakeup()

    def _fail_waiting_after_deadline(self) -> None:
        deadline = self._deadline()
        if not self._waiters or deadline is None or self._clock() < deadline:
            return
        errors = "; ".join(limiter.error_line for limiter in self._limiters)
        line = f"no endpoint of {self._subject} has answered for {self._max_down_s:.0f} s: {errors}"
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_exception(EndpointUnusableError(line, "no endpoint answers"))

    def _deadline(self) -> float | None:
        """When the waiting requests fail; None while an endpoint is not down."""
        down_since = [limiter.down_since for limiter in self._limiters]
        if None in down_since:
            return None
        return max(time for time in down_since if time is not None) + self._max_down_s

    def _schedule_wakeup(self) -> None:
        """Wake up when the next endpoint is ready or at the deadline; a released slot wakes the queue anyway."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._waiters:
            return
        now = self._clock()
        times = [limiter.ready_at for limiter in self._limiters if limiter.ready_at > now]
        deadline = self._deadline()
        if deadline is not None:
            times.append(deadline)
        if times:
            self._timer = asyncio.get_running_loop().call_later(max(min(times) - now, 0.0), self._assign_endpoints)


def _selection_key(limiter: Limiter) -> tuple[bool, int]:
    """Fewest requests first. An endpoint that is down sorts before all: one trial request shows whether it is back."""
    return (limiter.down_since is None, limiter.in_flight)
