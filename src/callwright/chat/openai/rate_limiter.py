"""How many requests one endpoint gets at once, and when: what it says and how it fails decide."""

import logging
import math
import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

log = logging.getLogger("callwright")

CUT = 0.7  # of what was in flight, when the endpoint is busy: multiplicative decrease
FIRST_COOL_DOWN_S, LONGEST_COOL_DOWN_S = 1.0, 60.0  # doubling, where the endpoint does not say how long
LONGEST_WAIT_S = 3600.0  # that an endpoint may ask for
_LONGEST_HEADER = 64  # characters; a longer Retry-After is ignored
WAIT_WORTH_A_LINE_S = 5.0
OUT_AFTER, UNREACHABLE_COUNTS = 10, 5  # rounds in a row without an answer; nobody listening counts as five
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0  # doubling, between trials of an endpoint that is out


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
        self.out_since: float | None = None
        self.trouble = ""  # the line of the latest failure
        self._clock = clock
        self._cut_at = self._struck_at = -math.inf
        self._cuts = self._strikes = self._pauses = 0  # in a row, without an answer

    def has_room(self) -> bool:
        """Whether a request may be sent now; to an endpoint that is out, one at a time as a trial."""
        most = 1 if self.out_since is not None else self.width
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
        self._cuts = self._strikes = self._pauses = 0
        if self.out_since is not None:
            self.out_since = None
            log.warning("teacher at %s answers again", self.url)

    def was_busy(self, began: float, wait_s: float | None, trouble: str) -> None:
        """The endpoint refused a request (429, 503): it gets fewer at once, and none before the wait is over.

        Args:
            wait_s: what it asked for; None: it did not say.
        """
        if began > self._cut_at:
            self._cut()
            self._cuts += 1
            if wait_s is None:
                doubled = FIRST_COOL_DOWN_S * 2 ** min(self._cuts - 1, 16)
                wait_s = min(doubled, LONGEST_COOL_DOWN_S) * random.uniform(0.75, 1)
        wait_s = min(wait_s or 0.0, LONGEST_WAIT_S)
        if wait_s >= WAIT_WORTH_A_LINE_S and self.ready_at < self._clock() + wait_s / 2:
            log.warning("teacher at %s is busy: no request for %.0f s", self.url, wait_s)
        self._wait(wait_s)
        self._strike(began, 1, trouble)

    def was_slow(self, began: float, trouble: str) -> None:
        """A request ran into the time limit."""
        if began > self._cut_at:
            self._cut()
        self._strike(began, 1, trouble)

    def failed(self, began: float, trouble: str, unreachable: bool = False) -> None:
        """A request was lost for another reason; `unreachable`: nobody listens there."""
        self._strike(began, UNREACHABLE_COUNTS if unreachable else 1, trouble)

    def take_out(self, trouble: str) -> None:
        """No request until a pause is over, then one as a trial; each trial that fails doubles the pause."""
        self.trouble = trouble
        pause_s = min(FIRST_PAUSE_S * 2 ** min(self._pauses, 16), LONGEST_PAUSE_S)
        self._pauses += 1
        if self.out_since is None:
            self.out_since = self._clock()
            log.warning("%s; it is left out, and tried again from time to time", trouble)
        self._wait(pause_s)

    def _cut(self) -> None:
        self._cut_at = self._clock()
        self.width = max(1.0, CUT * min(self.width, self.in_flight))

    def _strike(self, began: float, count: int, trouble: str) -> None:
        self.trouble = trouble
        if began <= self._struck_at:
            return
        self._struck_at = self._clock()
        self._strikes += count
        if self.out_since is not None or self._strikes >= OUT_AFTER:
            self.take_out(trouble)

    def _wait(self, seconds: float) -> None:
        self.ready_at = max(self.ready_at, self._clock() + seconds)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait by an answer's Retry-After, at most LONGEST_WAIT_S; None if it names no usable time.

    It may be a number of seconds or an HTTP date (RFC 9110, 10.2.3), or `retry-after-ms` as some servers send it.
    """
    wait_s = _seconds(headers.get("retry-after-ms", ""), 0.001)
    if wait_s is None:
        wait_s = _seconds(headers.get("retry-after", ""), 1.0)
    if wait_s is None:
        wait_s = _seconds_until(headers.get("retry-after", ""))
    return min(wait_s, LONGEST_WAIT_S) if wait_s is not None and wait_s > 0 else None


def _seconds(value: str, unit_s: float) -> float | None:
    """A number of seconds, which may be negative; None if the value is not a number."""
    if len(value) > _LONGEST_HEADER:
        return None
    try:
        seconds = float(value) * unit_s
    except ValueError:
        return None
    return 0.0 if math.isnan(seconds) or math.isinf(seconds) else seconds


def _seconds_until(date: str) -> float | None:
    if len(date) > _LONGEST_HEADER:
        return None
    try:
        until = parsedate_to_datetime(date)
        return (until.replace(tzinfo=until.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):  # no date, or none that a clock can show
        return None
