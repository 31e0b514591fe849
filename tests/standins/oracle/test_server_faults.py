"""How the oracle's injected faults look to a plain HTTP client."""

from collections import Counter

import httpx2
import pytest

from callwright.standins.oracle.app import create_app
from callwright.standins.oracle.server_faults import ServerFaults
from tests.chat.conftest import Servers
from tests.fakes import NO_MISTAKES, problem

PROBLEM = problem(question="Two and three?")
REQUEST = {"messages": [{"role": "user", "content": "Two and three?"}]}


def app_with(**shares: float):
    return create_app([PROBLEM], NO_MISTAKES, faults=ServerFaults(**shares))


async def post(url: str, transport: httpx2.AsyncBaseTransport | None = None) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=transport, timeout=5) as client:
        return await client.post(f"{url}/chat/completions", json=REQUEST)


async def post_in_process(app) -> httpx2.Response:
    return await post("http://oracle.invalid/v1", httpx2.ASGITransport(app))


async def test_a_429_says_when_to_retry():
    response = await post_in_process(app_with(busy=1, retry_after_s=2))
    assert (response.status_code, response.headers["retry-after"]) == (429, "2")


async def test_a_broken_request_gets_status_500():
    assert (await post_in_process(app_with(broken=1))).status_code == 500


async def test_an_empty_answer_is_a_completion_without_choices():
    response = await post_in_process(app_with(empty=1))
    assert (response.status_code, response.json()["choices"]) == (200, [])


async def test_a_garbled_answer_is_a_200_without_a_completion():
    app = app_with(garbled=1)
    texts = {(await post_in_process(app)).text for _ in range(40)}
    assert texts == {'{"detail": "try again"}', "[]", "upstream error", '{"choices": [{"message": "add(2, 3)"}]}'}


async def test_a_dropped_connection_gives_no_answer(serve: Servers):
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError)):
        await post(serve(app_with(dropped=1)))
    with pytest.raises(ConnectionResetError):
        await post_in_process(app_with(dropped=1))


async def test_a_truncated_answer_ends_in_the_middle_of_a_good_one(serve: Servers):
    with pytest.raises(httpx2.RemoteProtocolError, match="without sending complete message body"):
        await post(serve(app_with(truncated=1)))
    complete = (await post_in_process(create_app([PROBLEM], NO_MISTAKES))).text
    half = (await post_in_process(app_with(truncated=1))).text
    assert len(half) == len(complete) // 2
    assert half.startswith('{"id":"chatcmpl-')


async def test_a_slow_answer_is_complete_but_late(serve: Servers):
    response = await post(serve(app_with(slow=1, slow_s=0.2)))
    assert response.elapsed.total_seconds() >= 0.2
    assert response.json()["choices"][0]["message"]["content"] == "add(a=2, b=3)"


async def test_injected_faults_are_counted_and_have_the_given_shares():
    app = app_with(busy=0.3, empty=0.2)
    statuses: Counter[str] = Counter()
    for _ in range(400):
        response = await post_in_process(app)
        good = response.status_code == 200 and bool(response.json()["choices"])
        statuses["good" if good else str(response.status_code)] += 1
    assert app.state.injected == Counter({"busy": statuses["429"], "empty": statuses["200"]})
    assert 80 <= statuses["429"] <= 160  # 120 of 400, give or take 4 standard deviations of 9.2
    assert 48 <= statuses["200"] <= 112  # 80, of 8.0


async def test_the_list_of_models_never_has_a_fault():
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app_with(broken=1))) as client:
        assert (await client.get("http://oracle.invalid/v1/models")).status_code == 200
