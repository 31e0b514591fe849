import asyncio

import pytest

from callwright.chat.openai.queue import RequestQueue
from callwright.chat.openai.rate_limiter import Limiter
from callwright.errors import EndpointUnusableError


def limiter_with_slots(url: str, in_flight: int = 1) -> Limiter:
    """A limiter that gives out `in_flight` queue."""
    limiter = Limiter(url)
    limiter.max_in_flight = float(in_flight)
    return limiter


async def test_a_request_goes_to_the_endpoint_with_the_fewest_in_flight():
    one, two = Limiter("one"), Limiter("two")
    queue = RequestQueue([one, two])
    taken = [(await queue.acquire())[0].url for _ in range(4)]
    assert taken == ["one", "two", "one", "two"]
    queue.release(two)
    queue.release(two)
    assert [(await queue.acquire())[0].url for _ in range(2)] == ["two", "two"]


async def test_the_oldest_request_gets_the_slot_that_is_given_back():
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


async def test_a_request_is_cancelled_in_line_without_taking_a_slot():
    only = limiter_with_slots("only")
    queue = RequestQueue([only])
    await queue.acquire()
    given_up, patient = (asyncio.create_task(queue.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    given_up.cancel()
    queue.release(only)
    assert (await patient)[0] is only
    assert only.in_flight == 1


async def test_a_slot_that_comes_just_as_the_request_is_cancelled_goes_to_the_next():
    only = limiter_with_slots("only")
    queue = RequestQueue([only])
    await queue.acquire()
    given_up, patient = (asyncio.create_task(queue.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    queue.release(only)  # the first in line has it now, but has not run yet
    given_up.cancel()
    with pytest.raises(asyncio.CancelledError):
        await given_up
    assert (await patient)[0] is only
    assert only.in_flight == 1


async def test_the_line_goes_on_when_a_cool_down_is_over_though_nobody_gives_a_slot_back():
    only = Limiter("only")
    queue = RequestQueue([only])
    _, began = await queue.acquire()
    only.record_busy(began, 0.05, "busy")
    queue.release(only)
    await asyncio.wait_for(queue.acquire(), 5)
    assert only.in_flight == 1


async def test_a_busy_endpoint_leaves_the_work_to_the_other():
    busy, idle = Limiter("busy"), Limiter("idle")
    queue = RequestQueue([busy, idle])
    _, began = await queue.acquire()
    busy.record_busy(began, 60, "busy")
    queue.release(busy)
    assert [(await queue.acquire())[0].url for _ in range(5)] == ["idle"] * 5


async def test_an_endpoint_that_was_taken_out_gets_one_request_as_a_trial_when_its_pause_is_over():
    dead, alive = Limiter("dead"), Limiter("alive")
    dead.mark_down("gone")
    queue = RequestQueue([dead, alive])
    assert [(await queue.acquire())[0].url for _ in range(3)] == ["alive"] * 3
    dead.ready_at = 0.0  # the pause is over
    assert [(await queue.acquire())[0].url for _ in range(3)] == ["dead", "alive", "alive"]


async def test_with_every_endpoint_out_requests_wait_for_one_to_come_back():
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


async def test_with_every_endpoint_out_for_too_long_each_request_is_told_so():
    limiters = [Limiter("one"), Limiter("two")]
    queue = RequestQueue(limiters, max_down_s=0.1)
    for limiter in limiters:
        limiter.mark_down(f"{limiter.url} is gone")
    outcomes = await asyncio.wait_for(asyncio.gather(queue.acquire(), queue.acquire(), return_exceptions=True), 5)
    assert [type(outcome) for outcome in outcomes] == [EndpointUnusableError] * 2
    assert str(outcomes[0]) == "no teacher endpoint has answered for 0 s: one is gone; two is gone"
