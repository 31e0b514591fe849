"""Limits how many requests one endpoint gets at once, and when, from its answers and failures."""

import logging
import math
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from callwright.chat.openai.label import NO_SECTION, EndpointLabel

log = logging.getLogger("callwright")

DECREASE_FACTOR = 0.7  # the new limit, as a share of the requests in flight
FIRST_COOL_DOWN_S, MAX_COOL_DOWN_S = 1.0, 60.0  # doubles each time, if the endpoint does not say how long
MAX_WAIT_S = 3600.0  # the longest wait that an endpoint may ask for
_MAX_HEADER_CHARACTERS = 64  # characters; a longer Retry-After is ignored
MIN_LOGGED_WAIT_S = 5.0
FAILURES_UNTIL_DOWN = 10  # in a row, without an answer; failures of concurrent requests count once
UNREACHABLE_WEIGHT = 5  # failures that an unreachable endpoint counts for
FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 30.0  # doubles each time, between trials of an endpoint that is down


class Limiter:
    """The state of one endpoint: how many requests it may get at once, its cool-down, and whether it is down.

    At first `max_in_flight` is infinite (callers limit the requests in flight). When the endpoint is busy or slow, it
    falls to a share of the requests in flight, and it grows by one with every `max_in_flight` answers: additive
    increase, multiplicative decrease (as in RFC 5681). Failures of requests that began before the last decrease do not
    decrease it again.

    Methods that take `started_at` need the time that `start_request` returned.

    Args:
        url: for the log.
        clock: returns seconds and never goes back.
        label: how the log names the endpoint.

    Attributes:
        ready_at: no request is sent before this time of the clock.
        down_since: when the endpoint was marked as down; None if it is not down.
        error_line: the line of the latest failure.
    """

    def __init__(
        self, url: str, clock: Callable[[], float] = time.monotonic, label: EndpointLabel = NO_SECTION
    ) -> None:
        self.url = url
        self.max_in_flight = math.inf
        self.in_flight = 0
        self.answers = 0
        self.ready_at = 0.0
        self.down_since: float | None = None
        self.error_line = ""
        self._clock = clock
        self._server = label.at(url)
        self._decreased_at = self._failure_counted_at = -math.inf
        self._decreases_in_a_row = self._failures_in_a_row = self._pauses_in_a_row = 0  # in a row, without an answer

    def can_send(self) -> bool:
        """Whether a request may be sent now. An endpoint that is down gets one request at a time, as a trial."""
        allowed = 1 if self.down_since is not None else self.max_in_flight
        return self.in_flight < allowed and self._clock() >= self.ready_at

    def start_request(self) -> float:
        """Count a request as in flight; returns its start time by the clock."""
        self.in_flight += 1
        return self._clock()

    def end_request(self) -> None:
        """Count a request as no longer in flight."""
        self.in_flight -= 1

    def record_answer(self) -> None:
        """The endpoint answered a request, so it is up."""
        self.answers += 1
        self.max_in_flight += 1 / self.max_in_flight
        self._decreases_in_a_row = self._failures_in_a_row = self._pauses_in_a_row = 0
        if self.down_since is not None:
            self.down_since = None
            log.warning("%s answers again", self._server)

    def record_busy(self, started_at: float, wait_s: float | None, error_line: str) -> None:
        """The endpoint refused a request (429, 503): it gets fewer at once, and none until the wait is over.

        Args:
            wait_s: the wait that it asked for; None if it did not say.
        """
        if started_at > self._decreased_at:
            self._decrease_limit()
            self._decreases_in_a_row += 1
            if wait_s is None:
                doubled = FIRST_COOL_DOWN_S * 2 ** min(self._decreases_in_a_row - 1, 16)
                wait_s = min(doubled, MAX_COOL_DOWN_S) * random.uniform(0.75, 1)
        wait_s = min(wait_s or 0.0, MAX_WAIT_S)
        if wait_s >= MIN_LOGGED_WAIT_S and self.ready_at < self._clock() + wait_s / 2:
            log.warning("%s is busy: no request for %.0f s", self._server, wait_s)
        self._delay_requests(wait_s)
        self._count_failure(started_at, 1, error_line)

    def record_timeout(self, started_at: float, error_line: str) -> None:
        """A request reached the time limit."""
        if started_at > self._decreased_at:
            self._decrease_limit()
        self._count_failure(started_at, 1, error_line)

    def record_failure(self, started_at: float, error_line: str, unreachable: bool = False) -> None:
        """A request failed for another reason; `unreachable`: nothing listens at the address."""
        self._count_failure(started_at, UNREACHABLE_WEIGHT if unreachable else 1, error_line)

    def mark_down(self, error_line: str) -> None:
        """Send no request until a pause is over, then one as a trial. Each trial that fails doubles the pause."""
        self.error_line = error_line
        pause_s = min(FIRST_PAUSE_S * 2 ** min(self._pauses_in_a_row, 16), MAX_PAUSE_S)
        self._pauses_in_a_row += 1
        if self.down_since is None:
            self.down_since = self._clock()
            log.warning("%s; it gets only a trial request from time to time", error_line)
        self._delay_requests(pause_s)

    def _decrease_limit(self) -> None:
        self._decreased_at = self._clock()
        self.max_in_flight = max(1.0, DECREASE_FACTOR * min(self.max_in_flight, self.in_flight))

    def _count_failure(self, started_at: float, count: int, error_line: str) -> None:
        self.error_line = error_line
        if started_at <= self._failure_counted_at:
            return
        self._failure_counted_at = self._clock()
        self._failures_in_a_row += count
        if self.down_since is not None or self._failures_in_a_row >= FAILURES_UNTIL_DOWN:
            self.mark_down(error_line)

    def _delay_requests(self, seconds: float) -> None:
        self.ready_at = max(self.ready_at, self._clock() + seconds)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait according to Retry-After, at most MAX_WAIT_S; None if the headers give no usable time.

    It is a number of seconds or an HTTP date (RFC 9110, 10.2.3). Some servers send milliseconds in `retry-after-ms`.
    """
    wait_s = _seconds(headers.get("retry-after-ms", ""), 0.001)
    if wait_s is None:
        wait_s = _seconds(headers.get("retry-after", ""), 1.0)
    if wait_s is None:
        wait_s = _seconds_until(headers.get("retry-after", ""))
    return min(wait_s, MAX_WAIT_S) if wait_s is not None and wait_s > 0 else None


def _seconds(value: str, unit_s: float) -> float | None:
    """A number of seconds, which may be negative; None if the value is not a number."""
    if len(value) > _MAX_HEADER_CHARACTERS:
        return None
    try:
        seconds = float(value) * unit_s
    except ValueError:
        return None
    return 0.0 if math.isnan(seconds) or math.isinf(seconds) else seconds


def _seconds_until(date: str) -> float | None:
    if len(date) > _MAX_HEADER_CHARACTERS:
        return None
    try:
        until = parsedate_to_datetime(date)
        return (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):  # not a date, or out of range
        return None
