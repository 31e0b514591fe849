"""Several real servers, some of which die: which of them get the requests."""

import asyncio
from collections import Counter

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import EndpointUnusableError, ProviderError
from tests.chat.conftest import Servers, unused_port
from tests.chat.openai.test_endpoint import KEY, MESSAGES, app_answering, completion
from tests.fakes import teacher

IN_FLIGHT = 8


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", KEY)


def counting(requests: Counter[str], name: str, wait_s: float = 0.0):
    """A server that counts its requests under a name."""

    async def answer(_: Request) -> Response:
        requests[name] += 1
        await asyncio.sleep(wait_s)
        return completion(name)

    return app_answering(answer)


async def ask_often(model: EndpointChat, times: int) -> Counter[str]:
    """Send requests, IN_FLIGHT at a time; returns how many each server answered."""
    replies: Counter[str] = Counter()
    seeds = iter(range(times))

    async def run_worker() -> None:
        for seed in seeds:
            replies[(await model.reply(MESSAGES, [], Sampling(seed=seed))).text] += 1

    await asyncio.gather(*(run_worker() for _ in range(IN_FLIGHT)))
    return replies


def model_at(*urls: str, **changes) -> EndpointChat:
    return EndpointChat(teacher(base_url=urls[0], base_urls=list(urls[1:]), **changes), section="teacher")


async def test_the_faster_endpoint_gets_more_requests(serve: Servers):
    requests: Counter[str] = Counter()
    model = model_at(serve(counting(requests, "slow", 0.1)), serve(counting(requests, "fast", 0.005)))
    replies = await ask_often(model, 80)
    await model.close()
    assert replies == requests
    assert replies.total() == 80
    assert replies["fast"] > replies["slow"] >= IN_FLIGHT // 2  # both got requests from the start


@pytest.mark.slow
async def test_an_endpoint_that_dies_gets_no_requests_until_it_is_back(serve: Servers, caplog):
    requests: Counter[str] = Counter()
    first, second = (serve(counting(requests, name, 0.01)) for name in ("one", "two"))
    model = model_at(first, second, max_retries=4)
    assert set(await ask_often(model, 20)) == {"one", "two"}
    serve.stop(first)
    replies = await ask_often(model, 200)  # no request fails
    replies += await ask_often(model, 20)
    assert replies == Counter({"two": 220})
    lines = [record.getMessage() for record in caplog.records if record.name == "callwright"]
    assert lines == [
        f"teacher at {first} cannot be reached: check teacher.base_url and that the server runs; "
        "it gets only a trial request from time to time"
    ]
    tries_while_dead = model.failures["unreachable"]
    assert tries_while_dead <= 2 * IN_FLIGHT + 4  # two rounds, then trials
    serve(counting(requests, "one", 0.01), port=int(first.split(":")[2].split("/")[0]))
    for _ in range(100):
        if (await ask_often(model, 8))["one"]:
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("the endpoint never came back")
    assert caplog.records[-1].getMessage() == f"teacher at {first} answers again"
    await model.close()


async def test_an_endpoint_that_is_unreachable_at_the_start_gets_no_requests(serve: Servers, caplog):
    requests: Counter[str] = Counter()
    gone = f"http://127.0.0.1:{unused_port()}/v1"
    model = model_at(gone, serve(counting(requests, "there")))
    await model.probe(MESSAGES)
    assert [record.getMessage() for record in caplog.records if record.name == "callwright"] == [
        f"teacher at {gone} cannot be reached: check teacher.base_url and that the server runs; "
        "it gets only a trial request from time to time"
    ]
    assert (await model.reply(MESSAGES, [], Sampling())).text == "there"
    await model.close()


async def test_the_probe_fails_if_all_endpoints_are_unreachable():
    model = model_at(*(f"http://127.0.0.1:{unused_port()}/v1" for _ in range(2)))
    with pytest.raises(ProviderError, match="cannot be reached"):
        await model.probe(MESSAGES)
    await model.close()


async def test_one_endpoint_that_refuses_the_key_stops_the_probe(serve: Servers):
    requests: Counter[str] = Counter()

    async def refuse(_: Request) -> Response:
        return JSONResponse({}, 401)

    wrong = serve(app_answering(refuse))
    model = model_at(serve(counting(requests, "good")), wrong)
    with pytest.raises(EndpointUnusableError, match=f"teacher at {wrong} answered 401"):
        await model.probe(MESSAGES)
    await model.close()


async def test_requests_that_a_busy_endpoint_refuses_go_to_the_other(serve: Servers):
    requests: Counter[str] = Counter()

    async def refuse(_: Request) -> Response:
        requests["busy"] += 1
        return JSONResponse({}, 429, {"retry-after": "60"})

    model = model_at(serve(app_answering(refuse)), serve(counting(requests, "free", 0.01)), max_retries=1)
    assert await ask_often(model, 40) == Counter({"free": 40})
    await model.close()
    assert requests["busy"] <= IN_FLIGHT // 2  # its share of the first round


async def test_a_request_survives_a_restart_of_the_only_endpoint(serve: Servers, monkeypatch):
    for name in ("chat.openai.rate_limiter.FIRST_PAUSE_S", "chat.openai.endpoint.FIRST_RETRY_S"):
        monkeypatch.setattr(f"callwright.{name}", 0.01)
    port = unused_port()
    model = model_at(f"http://127.0.0.1:{port}/v1", max_retries=2)
    task = asyncio.create_task(model.reply(MESSAGES, [], Sampling()))
    while model.requests < 5:  # two until it is marked as down, then trials
        await asyncio.sleep(0.01)
        assert not task.done()
    serve(counting(Counter(), "back"), port=port)
    assert (await asyncio.wait_for(task, 10)).text == "back"
    await model.close()


@pytest.mark.slow
async def test_no_request_fails_while_the_only_endpoint_is_down_for_a_while(serve: Servers):
    requests: Counter[str] = Counter()
    url = serve(counting(requests, "first", 0.01))
    model = model_at(url, max_retries=3)
    await ask_often(model, 8)
    serve.stop(url)
    task = asyncio.create_task(ask_often(model, 40))
    await asyncio.sleep(3)
    assert not task.done()
    serve(counting(requests, "second", 0.01), port=int(url.split(":")[2].split("/")[0]))
    assert await asyncio.wait_for(task, 20) == Counter({"second": 40})
    await model.close()
