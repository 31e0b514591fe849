"""Real servers, some of which die: where the work goes."""

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


def counting(seen: Counter[str], name: str, wait_s: float = 0.0):
    """A server that counts its requests under a name."""

    async def answer(_: Request) -> Response:
        seen[name] += 1
        await asyncio.sleep(wait_s)
        return completion(name)

    return app_answering(answer)


async def ask_often(model: EndpointChat, times: int) -> Counter[str]:
    """Who replied: eight requests at a time."""
    said: Counter[str] = Counter()
    numbers = iter(range(times))

    async def work() -> None:
        for seed in numbers:
            said[(await model.reply(MESSAGES, [], Sampling(seed=seed))).text] += 1

    await asyncio.gather(*(work() for _ in range(IN_FLIGHT)))
    return said


def model_at(*urls: str, **changes) -> EndpointChat:
    return EndpointChat(teacher(base_url=urls[0], base_urls=list(urls[1:]), **changes))


async def test_the_faster_endpoint_gets_more_of_the_work(serve: Servers):
    seen: Counter[str] = Counter()
    model = model_at(serve(counting(seen, "slow", 0.1)), serve(counting(seen, "fast", 0.005)))
    said = await ask_often(model, 80)
    await model.close()
    assert said == seen
    assert said.total() == 80
    assert said["fast"] > said["slow"] >= IN_FLIGHT // 2  # both were asked from the start


@pytest.mark.slow
async def test_an_endpoint_that_dies_is_left_out_and_comes_back(serve: Servers, caplog):
    seen: Counter[str] = Counter()
    one, two = (serve(counting(seen, name, 0.01)) for name in ("one", "two"))
    model = model_at(one, two, max_retries=4)
    assert set(await ask_often(model, 20)) == {"one", "two"}
    serve.stop(one)
    said = await ask_often(model, 200)  # nothing is lost
    said += await ask_often(model, 20)
    assert said == Counter({"two": 220})
    lines = [record.getMessage() for record in caplog.records if record.name == "callwright"]
    assert lines == [
        f"teacher at {one} cannot be reached: check teacher.base_url and that the server runs; "
        "it gets only a trial request from time to time"
    ]
    tries_while_dead = model.failures["unreachable"]
    assert tries_while_dead <= 2 * IN_FLIGHT + 4  # two rounds, then trials
    serve(counting(seen, "one", 0.01), port=int(one.split(":")[2].split("/")[0]))
    for _ in range(100):
        if (await ask_often(model, 8))["one"]:
            break
        await asyncio.sleep(0.1)
    else:
        pytest.fail("the endpoint never came back")
    assert caplog.records[-1].getMessage() == f"teacher at {one} answers again"
    await model.close()


async def test_an_endpoint_that_is_not_there_at_the_start_is_left_out(serve: Servers, caplog):
    seen: Counter[str] = Counter()
    gone = f"http://127.0.0.1:{unused_port()}/v1"
    model = model_at(gone, serve(counting(seen, "there")))
    await model.probe(MESSAGES)
    assert [record.getMessage() for record in caplog.records if record.name == "callwright"] == [
        f"teacher at {gone} cannot be reached: check teacher.base_url and that the server runs; "
        "it gets only a trial request from time to time"
    ]
    assert (await model.reply(MESSAGES, [], Sampling())).text == "there"
    await model.close()


async def test_with_no_endpoint_there_at_the_start_the_probe_says_so():
    model = model_at(*(f"http://127.0.0.1:{unused_port()}/v1" for _ in range(2)))
    with pytest.raises(ProviderError, match="cannot be reached"):
        await model.probe(MESSAGES)
    await model.close()


async def test_one_endpoint_that_refuses_the_key_stops_the_probe(serve: Servers):
    seen: Counter[str] = Counter()

    async def refuse(_: Request) -> Response:
        return JSONResponse({}, 401)

    wrong = serve(app_answering(refuse))
    model = model_at(serve(counting(seen, "good")), wrong)
    with pytest.raises(EndpointUnusableError, match=f"teacher at {wrong} answered 401"):
        await model.probe(MESSAGES)
    await model.close()


async def test_a_busy_endpoint_hands_its_requests_to_the_other(serve: Servers):
    seen: Counter[str] = Counter()

    async def refuse(_: Request) -> Response:
        seen["busy"] += 1
        return JSONResponse({}, 429, {"retry-after": "60"})

    model = model_at(serve(app_answering(refuse)), serve(counting(seen, "free", 0.01)), max_retries=1)
    assert await ask_often(model, 40) == Counter({"free": 40})
    await model.close()
    assert seen["busy"] <= IN_FLIGHT // 2  # the first round's share


async def test_a_single_request_outlasts_a_restart_of_the_only_endpoint(serve: Servers, monkeypatch):
    for name in ("chat.openai.rate_limiter.FIRST_PAUSE_S", "chat.openai.endpoint.FIRST_RETRY_S"):
        monkeypatch.setattr(f"callwright.{name}", 0.01)
    port = unused_port()
    model = model_at(f"http://127.0.0.1:{port}/v1", max_retries=2)
    asked = asyncio.create_task(model.reply(MESSAGES, [], Sampling()))
    while model.requests < 5:  # two until it is out, then trials
        await asyncio.sleep(0.01)
        assert not asked.done()
    serve(counting(Counter(), "back"), port=port)
    assert (await asyncio.wait_for(asked, 10)).text == "back"
    await model.close()


@pytest.mark.slow
async def test_an_only_endpoint_that_is_away_for_a_while_costs_nothing(serve: Servers):
    seen: Counter[str] = Counter()
    url = serve(counting(seen, "first", 0.01))
    model = model_at(url, max_retries=3)
    await ask_often(model, 8)
    serve.stop(url)
    asked = asyncio.create_task(ask_often(model, 40))
    await asyncio.sleep(3)
    assert not asked.done()
    serve(counting(seen, "second", 0.01), port=int(url.split(":")[2].split("/")[0]))
    assert await asyncio.wait_for(asked, 20) == Counter({"second": 40})
    await model.close()
