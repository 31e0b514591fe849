"""How many requests one endpoint gets at once, and when: what it says and how it fails decide."""

import logging
import math
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

log = logging.getLogger("callwright")

DECREASE_FACTOR = 0.7  # of what was in flight, when the endpoint is busy: multiplicative decrease
FIRST_COOL_DOWN_S, MAX_COOL_DOWN_S = 1.0, 60.0  # doubling, where the endpoint does not say how long
MAX_WAIT_S = 3600.0  # that an endpoint may ask for
_MAX_HEADER_CHARACTERS = 64  # characters; a longer Retry-After is ignored
MIN_LOGGED_WAIT_S = 5.0
FAILURES_UNTIL_DOWN, UNREACHABLE_WEIGHT = 10, 5  # rounds in a row without an answer; nobody listening counts as five
FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 30.0  # doubling, between trials of an endpoint that is out


class Limiter:
    """The state of one endpoint: its width (requests at once), its cool-down, and whether it is out.

    The width starts without a bound (callers bound what is in flight), falls to a share of what was in flight when the
    endpoint is busy or slow, and grows by one with every `width` answers. Requests that were under way when it fell
    tell nothing new: they do not make it fall again.

    Args:
        url: for the log.
        clock: seconds that never go back.
    """

    def __init__(self, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.url = url
        self.width = math.inf
        self.in_flight = 0
        self.answers = 0
        self.ready_at = 0.0  # no request before
        self.down_since: float | None = None
        self.trouble = ""  # the line of the latest failure
        self._clock = clock
        self._decreased_at = self._failure_counted_at = -math.inf
        self._decreases_in_a_row = self._failures_in_a_row = self._pauses_in_a_row = 0  # in a row, without an answer

    def can_send(self) -> bool:
        """Whether a request may be sent now; to an endpoint that is out, one at a time as a trial."""
        most = 1 if self.down_since is not None else self.width
        return self.in_flight < most and self._clock() >= self.ready_at

    def began(self) -> float:
        """Count a request in; returns when it began, which the reports of how it went need."""
        self.in_flight += 1
        return self._clock()

    def ended(self) -> None:
        self.in_flight -= 1

    def answered(self) -> None:
        self.answers += 1
        self.width += 1 / self.width
        self._decreases_in_a_row = self._failures_in_a_row = self._pauses_in_a_row = 0
        if self.down_since is not None:
            self.down_since = None
            log.warning("teacher at %s answers again", self.url)

    def record_busy(self, began: float, wait_s: float | None, trouble: str) -> None:
        """The endpoint refused a request (429, 503): it gets fewer at once, and none before the wait is over.

        Args:
            wait_s: what it asked for; None: it did not say.
        """
        if began > self._decreased_at:
            self._decrease_limit()
            self._decreases_in_a_row += 1
            if wait_s is None:
                doubled = FIRST_COOL_DOWN_S * 2 ** min(self._decreases_in_a_row - 1, 16)
                wait_s = min(doubled, MAX_COOL_DOWN_S) * random.uniform(0.75, 1)
        wait_s = min(wait_s or 0.0, MAX_WAIT_S)
        if wait_s >= MIN_LOGGED_WAIT_S and self.ready_at < self._clock() + wait_s / 2:
            log.warning("teacher at %s is busy: no request for %.0f s", self.url, wait_s)
        self._delay_requests(wait_s)
        self._count_failure(began, 1, trouble)

    def record_timeout(self, began: float, trouble: str) -> None:
        """A request ran into the time limit."""
        if began > self._decreased_at:
            self._decrease_limit()
        self._count_failure(began, 1, trouble)

    def failed(self, began: float, trouble: str, unreachable: bool = False) -> None:
        """A request was lost for another reason; `unreachable`: nobody listens there."""
        self._count_failure(began, UNREACHABLE_WEIGHT if unreachable else 1, trouble)

    def mark_down(self, trouble: str) -> None:
        """No request until a pause is over, then one as a trial; each trial that fails doubles the pause."""
        self.trouble = trouble
        pause_s = min(FIRST_PAUSE_S * 2 ** min(self._pauses_in_a_row, 16), MAX_PAUSE_S)
        self._pauses_in_a_row += 1
        if self.down_since is None:
            self.down_since = self._clock()
            log.warning("%s; it is left out, and tried again from time to time", trouble)
        self._delay_requests(pause_s)

    def _decrease_limit(self) -> None:
        self._decreased_at = self._clock()
        self.width = max(1.0, DECREASE_FACTOR * min(self.width, self.in_flight))

    def _count_failure(self, began: float, count: int, trouble: str) -> None:
        self.trouble = trouble
        if began <= self._failure_counted_at:
            return
        self._failure_counted_at = self._clock()
        self._failures_in_a_row += count
        if self.down_since is not None or self._failures_in_a_row >= FAILURES_UNTIL_DOWN:
            self.mark_down(trouble)

    def _delay_requests(self, seconds: float) -> None:
        self.ready_at = max(self.ready_at, self._clock() + seconds)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by an answer's Retry-After, at most MAX_WAIT_S; None if it names no usable time.

    It may be a number of seconds or an HTTP date (RFC 9110, 10.2.3), or `retry-after-ms` as some servers send it.
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
    except (ValueError, OverflowError):  # no date, or none that a clock can show
        return None
