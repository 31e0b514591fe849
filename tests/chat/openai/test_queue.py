import asyncio

import pytest

from callwright.chat.openai.queue import RequestQueue
from callwright.chat.openai.rate_limiter import Limiter
from callwright.errors import EndpointUnusableError


def limiter_with_slots(url: str, in_flight: int = 1) -> Limiter:
    """A limiter that allows `in_flight` requests at once."""
    limiter = Limiter(url)
    limiter.max_in_flight = float(in_flight)
    return limiter


async def test_a_request_goes_to_the_endpoint_with_the_fewest_in_flight():
    first, second = Limiter("one"), Limiter("two")
    queue = RequestQueue([first, second])
    urls = [(await queue.acquire())[0].url for _ in range(4)]
    assert urls == ["one", "two", "one", "two"]
    queue.release(second)
    queue.release(second)
    assert [(await queue.acquire())[0].url for _ in range(2)] == ["two", "two"]


async def test_the_oldest_request_gets_the_released_slot():
    only = limiter_with_slots("only")
    queue = RequestQueue([only])
    await queue.acquire()
    order: list[int] = []

    async def request(number: int) -> None:
        limiter, _ = await queue.acquire()
        order.append(number)
        queue.release(limiter)

    waiting = [asyncio.create_task(request(number)) for number in range(5)]
    await asyncio.sleep(0)
    assert order == []
    queue.release(only)
    await asyncio.gather(*waiting)
    assert order == [0, 1, 2, 3, 4]
    assert only.in_flight == 0


async def test_a_request_that_is_cancelled_in_the_queue_takes_no_slot():
    only = limiter_with_slots("only")
    queue = RequestQueue([only])
    await queue.acquire()
    cancelled, waiting = (asyncio.create_task(queue.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    cancelled.cancel()
    queue.release(only)
    assert (await waiting)[0] is only
    assert only.in_flight == 1


async def test_a_slot_assigned_to_a_request_that_is_cancelled_goes_to_the_next():
    only = limiter_with_slots("only")
    queue = RequestQueue([only])
    await queue.acquire()
    cancelled, waiting = (asyncio.create_task(queue.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    queue.release(only)  # it is assigned to the first in the queue, which has not run yet
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert (await waiting)[0] is only
    assert only.in_flight == 1


async def test_the_queue_continues_after_a_cool_down_without_a_released_slot():
    only = Limiter("only")
    queue = RequestQueue([only])
    _, started_at = await queue.acquire()
    only.record_busy(started_at, 0.05, "busy")
    queue.release(only)
    await asyncio.wait_for(queue.acquire(), 5)
    assert only.in_flight == 1


async def test_requests_go_to_the_other_endpoint_while_one_is_busy():
    busy, idle = Limiter("busy"), Limiter("idle")
    queue = RequestQueue([busy, idle])
    _, started_at = await queue.acquire()
    busy.record_busy(started_at, 60, "busy")
    queue.release(busy)
    assert [(await queue.acquire())[0].url for _ in range(5)] == ["idle"] * 5


async def test_an_endpoint_that_is_down_gets_one_trial_request_after_its_pause():
    dead, alive = Limiter("dead"), Limiter("alive")
    dead.mark_down("gone")
    queue = RequestQueue([dead, alive])
    assert [(await queue.acquire())[0].url for _ in range(3)] == ["alive"] * 3
    dead.ready_at = 0.0  # the pause is over
    assert [(await queue.acquire())[0].url for _ in range(3)] == ["dead", "alive", "alive"]


async def test_while_all_endpoints_are_down_requests_wait():
    limiters = [Limiter("one"), Limiter("two")]
    queue = RequestQueue(limiters, max_down_s=60)
    for limiter in limiters:
        limiter.mark_down(f"{limiter.url} is gone")
        limiter.ready_at = 0.0
    trials = [(await queue.acquire())[0] for _ in range(2)]
    waiting = asyncio.create_task(queue.acquire())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    trials[1].record_answer()
    queue.release(trials[1])
    assert (await asyncio.wait_for(waiting, 5))[0].url == "two"


async def test_when_all_endpoints_are_down_for_too_long_every_request_fails():
    limiters = [Limiter("one"), Limiter("two")]
    queue = RequestQueue(limiters, max_down_s=0.1, subject="the student")
    for limiter in limiters:
        limiter.mark_down(f"{limiter.url} is gone")
    outcomes = await asyncio.wait_for(asyncio.gather(queue.acquire(), queue.acquire(), return_exceptions=True), 5)
    assert [type(outcome) for outcome in outcomes] == [EndpointUnusableError] * 2
    assert str(outcomes[0]) == "no endpoint of the student has answered for 0 s: one is gone; two is gone"
