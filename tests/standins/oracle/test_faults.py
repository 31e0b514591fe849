"""What the oracle's planted faults look like to a plain HTTP client."""

from collections import Counter

import httpx2
import pytest

from callwright.standins.oracle.app import create_app
from callwright.standins.oracle.faults import ServerFaults
from tests.chat.conftest import Servers
from tests.fakes import NO_MISTAKES, problem

OWN = problem(question="Two and three?")
ASKED = {"messages": [{"role": "user", "content": "Two and three?"}]}


def app_with(**shares: float):
    return create_app([OWN], NO_MISTAKES, faults=ServerFaults(**shares))


async def post(url: str, transport: httpx2.AsyncBaseTransport | None = None) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=transport, timeout=5) as client:
        return await client.post(f"{url}/chat/completions", json=ASKED)


async def post_in_process(app) -> httpx2.Response:
    return await post("http://oracle.invalid/v1", httpx2.ASGITransport(app))


async def test_a_429_says_when_to_come_back():
    answered = await post_in_process(app_with(busy=1, retry_after_s=2))
    assert (answered.status_code, answered.headers["retry-after"]) == (429, "2")


async def test_a_500_says_that_something_broke():
    assert (await post_in_process(app_with(broken=1))).status_code == 500


async def test_an_empty_answer_is_a_completion_without_choices():
    answered = await post_in_process(app_with(empty=1))
    assert (answered.status_code, answered.json()["choices"]) == (200, [])


async def test_a_garbled_answer_is_a_200_without_a_completion():
    app = app_with(garbled=1)
    texts = {(await post_in_process(app)).text for _ in range(40)}
    assert texts == {'{"detail": "try again"}', "[]", "upstream error", '{"choices": [{"message": "add(2, 3)"}]}'}


async def test_a_dropped_connection_has_no_answer(serve: Servers):
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        await post(serve(app_with(dropped=1)))
    with pytest.raises(ConnectionResetError):
        await post_in_process(app_with(dropped=1))


async def test_a_truncated_answer_ends_in_the_middle_of_a_good_one(serve: Servers):
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete message body"):
        await post(serve(app_with(truncated=1)))
    whole = (await post_in_process(create_app([OWN], NO_MISTAKES))).text
    half = (await post_in_process(app_with(truncated=1))).text
    assert len(half) == len(whole) // 2
    assert half.startswith('{"id":"chatcmpl-')


async def test_a_slow_answer_is_a_good_one_in_pieces(serve: Servers):
    answered = await post(serve(app_with(slow=1, slow_s=0.2)))
    assert answered.elapsed.total_seconds() >= 0.2
    assert answered.json()["choices"][0]["message"]["content"] == "add(a=2, b=3)"


async def test_what_was_planted_is_counted_and_comes_in_the_shares_that_were_asked_for():
    app = app_with(busy=0.3, empty=0.2)
    statuses: Counter[str] = Counter()
    for _ in range(400):
        answered = await post_in_process(app)
        good = answered.status_code == 200 and bool(answered.json()["choices"])
        statuses["good" if good else str(answered.status_code)] += 1
    assert app.state.planted == Counter({"busy": statuses["429"], "empty": statuses["200"]})
    assert 80 <= statuses["429"] <= 160  # 120 of 400, give or take 4 standard deviations of 9.2
    assert 48 <= statuses["200"] <= 112  # 80, of 8.0


async def test_the_list_of_models_is_never_faulty():
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app_with(broken=1))) as client:
        assert (await client.get("http://oracle.invalid/v1/models")).status_code == 200
