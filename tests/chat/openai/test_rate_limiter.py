import math
from email.utils import format_datetime

import pytest

from callwright.chat.openai.label import EndpointLabel
from callwright.chat.openai.rate_limiter import Limiter, retry_after_s


class Clock:
    """A clock that moves only when a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(clock) -> Limiter:
    return Limiter("http://a/v1", clock, EndpointLabel("teacher"))


def begin(limiter: Limiter, clock: Clock, count: int) -> list[float]:
    """Start requests one second apart; returns their start times."""
    times = []
    for _ in range(count):
        clock.now += 1
        times.append(limiter.start_request())
    return times


def test_at_first_there_is_no_limit(limiter, clock):
    begin(limiter, clock, 1000)
    assert limiter.can_send()
    assert limiter.max_in_flight == math.inf


def test_a_busy_endpoint_gets_fewer_requests_and_none_for_as_long_as_it_asked(limiter, clock):
    started_at = begin(limiter, clock, 10)
    limiter.record_busy(started_at[0], wait_s=5, error_line="busy")
    assert limiter.max_in_flight == pytest.approx(7)  # 0.7 of 10
    for _ in range(4):
        limiter.end_request()  # 6 remain
    assert not limiter.can_send()
    clock.now += 4.9
    assert not limiter.can_send()
    clock.now += 0.1
    assert limiter.can_send()
    limiter.start_request()  # the seventh
    assert not limiter.can_send()


def test_refusals_of_one_burst_decrease_the_limit_once_and_the_longest_wait_counts(limiter, clock):
    burst = begin(limiter, clock, 10)
    for started_at, wait_s in zip(burst, [1, 3, 2, *[1] * 7], strict=True):
        limiter.record_busy(started_at, wait_s, "busy")
        limiter.end_request()
    assert limiter.max_in_flight == pytest.approx(7)
    assert limiter.ready_at == clock.now + 3
    later = begin(limiter, clock, 5)
    limiter.record_busy(later[0], 1, "busy")
    assert limiter.max_in_flight == pytest.approx(3.5)  # 0.7 of 5


def test_a_long_wait_is_logged_once(limiter, clock, caplog):
    for started_at in begin(limiter, clock, 3):
        limiter.record_busy(started_at, 600, "busy")
    assert [record.getMessage() for record in caplog.records] == [
        "teacher at http://a/v1 is busy: no request for 600 s"
    ]


def test_the_limit_is_at_least_one(limiter, clock):
    for _ in range(5):
        (started_at,) = begin(limiter, clock, 1)
        limiter.record_busy(started_at, 0.001, "busy")
        limiter.end_request()
    assert limiter.max_in_flight == 1


def test_the_limit_grows_by_about_one_with_as_many_answers_as_the_limit(limiter, clock):
    started_at = begin(limiter, clock, 10)
    limiter.record_timeout(started_at[0], "slow")
    assert limiter.max_in_flight == pytest.approx(7)
    for _ in range(7):
        limiter.record_answer()
    assert 7.9 < limiter.max_in_flight < 8  # 1/7 + 1/7.14 + ..., seven times


def test_without_retry_after_the_cool_down_doubles_and_an_answer_resets_it(limiter, clock):
    waits = []
    for _ in range(4):
        (started_at,) = begin(limiter, clock, 1)
        limiter.record_busy(started_at, None, "busy")
        limiter.end_request()
        waits.append(limiter.ready_at - clock.now)
        clock.now = limiter.ready_at
    assert [0.75 * base <= wait <= base for base, wait in zip([1, 2, 4, 8], waits, strict=True)] == [True] * 4
    limiter.record_answer()
    (started_at,) = begin(limiter, clock, 1)
    limiter.record_busy(started_at, None, "busy")
    assert limiter.ready_at - clock.now <= 1


def test_two_unreachable_rounds_mark_the_endpoint_as_down_and_one_answer_as_up(limiter, clock, caplog):
    burst = begin(limiter, clock, 8)
    for started_at in burst:
        limiter.record_failure(started_at, "teacher at http://a/v1 cannot be reached", unreachable=True)
        limiter.end_request()
    assert limiter.down_since is None  # after one round, as it may be restarting
    (started_at,) = begin(limiter, clock, 1)
    limiter.record_failure(started_at, "teacher at http://a/v1 cannot be reached", unreachable=True)
    limiter.end_request()
    assert limiter.down_since == clock.now
    assert not limiter.can_send()
    clock.now += 1
    assert limiter.can_send()
    (started_at,) = begin(limiter, clock, 1)
    assert not limiter.can_send()  # one trial at a time
    limiter.record_failure(started_at, "teacher at http://a/v1 cannot be reached", unreachable=True)
    limiter.end_request()
    assert limiter.ready_at == clock.now + 2  # twice as long as the first pause
    clock.now += 2
    begin(limiter, clock, 1)
    limiter.record_answer()
    limiter.end_request()
    assert limiter.down_since is None
    assert limiter.can_send()
    assert [record.getMessage() for record in caplog.records] == [
        "teacher at http://a/v1 cannot be reached; it gets only a trial request from time to time",
        "teacher at http://a/v1 answers again",
    ]


def test_ten_rounds_of_other_failures_in_a_row_mark_the_endpoint_as_down(limiter, clock):
    def fail(times: int) -> None:
        for _ in range(times):
            (started_at,) = begin(limiter, clock, 1)
            limiter.record_failure(started_at, "answered 500")
            limiter.end_request()

    fail(9)
    limiter.record_answer()
    fail(9)
    assert limiter.down_since is None
    fail(1)
    assert limiter.down_since is not None


def test_the_pause_of_an_endpoint_that_is_down_is_at_most_half_a_minute(limiter, clock):
    for _ in range(100):
        limiter.mark_down("gone")
    assert limiter.ready_at - clock.now == 30


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({"retry-after": "20"}, 20),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({}, None),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1000000000"}, 3600),
        ({"retry-after": "1e400"}, None),
        ({"retry-after": "9" * 100_000}, None),
        ({"retry-after-ms": "-5", "retry-after": "7"}, None),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359"}, 3600),
        ({"retry-after": "Mon, 01 Jan 0001 00:00:00 +2359"}, None),
        ({"retry-after": "\x00\xff"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, None),  # in the past
        ({"retry-after": "Wed, 21 Oct 99999999999 07:28:00 GMT"}, None),
    ],
)
def test_retry_after_is_read_as_seconds(headers, wait_s):
    assert retry_after_s(headers) == wait_s


def test_retry_after_is_read_as_a_date():
    from datetime import UTC, datetime, timedelta

    until = datetime.now(UTC) + timedelta(seconds=90)
    wait_s = retry_after_s({"retry-after": format_datetime(until, usegmt=True)})
    assert wait_s is not None
    assert 80 < wait_s <= 90  # the date has whole seconds
