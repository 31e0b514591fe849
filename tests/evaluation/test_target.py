"""A model that is evaluated at an endpoint: what the server gets, and what identifies the model in the journal."""

import json
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import Response

from callwright.chat.local.backend import local_model_identity
from callwright.chat.model import Sampling
from callwright.errors import ParamsError, ProviderError
from callwright.evaluation.target import evaluation_target, max_concurrency, open_target
from callwright.params import EndpointParams, EndpointsParams, EvaluateParams, Params
from callwright.rollouts.journal import open_journal
from callwright.rollouts.plan import plan_attempts
from callwright.storage.files import folder_hash
from callwright.tasks import TASKS
from tests.chat.conftest import serve, unused_port
from tests.chat.openai.test_endpoint import MESSAGES, app_answering, completion
from tests.fakes import problem

__all__ = ["serve"]


def evaluate_params(base_url: str, **changes: object) -> EvaluateParams:
    endpoint = EndpointParams.model_validate(
        {"base_url": base_url, "model": "served", "api_key_env": "OWN_KEY", **changes}
    )
    endpoints = EndpointsParams(base=endpoint, student=None)
    return Params.load().evaluate.model_copy(update={"engine": "endpoint", "endpoints": endpoints})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OWN_KEY", "any")
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    return folder


async def ask_target(folder: Path, evaluate: EvaluateParams) -> None:
    """Probe the base with an attempt of a plan, then ask it once."""
    target = evaluation_target("base", folder, evaluate)
    plan = plan_attempts([problem()], TASKS, {"name": "base", "weights": target.identity}, 1, Sampling(seed=7))
    with open_journal(folder.parent / "journal.jsonl") as journal:
        async with open_target(target, evaluate, plan, journal) as model:
            assert model.name == "base"
            await model.reply(MESSAGES, [], Sampling(temperature=0.7, top_p=0.9, max_tokens=48, seed=3))


async def test_the_server_gets_the_fields_of_its_own_request_and_none_that_is_null(folder: Path, serve):
    received: list[dict[str, Any]] = []

    async def answer(request: Request) -> Response:
        received.append(json.loads(await request.body()))
        return completion()

    omitted = {"max_tokens": None, "temperature": None, "seed": None, "top_p": None}
    request = {**omitted, "max_completion_tokens": 256, "chat_template_kwargs": {"enable_thinking": False}}
    await ask_target(folder, evaluate_params(serve(app_answering(answer)), request=request))
    expected = {"model": "served", "max_completion_tokens": 256, "chat_template_kwargs": {"enable_thinking": False}}
    probe, asked = received
    assert asked == {**expected, "messages": MESSAGES}
    assert probe == {**expected, "messages": probe["messages"]}

    received.clear()
    await ask_target(folder, evaluate_params(serve(app_answering(answer))))
    sampled = {"temperature": 0.7, "top_p": 0.9, "max_tokens": 48, "seed": 3}
    assert received[1] == {"model": "served", "messages": MESSAGES, **sampled}


async def test_an_error_names_the_model_and_its_own_settings(folder: Path):
    url = f"http://127.0.0.1:{unused_port()}/v1"
    line = f"^base at {url} cannot be reached: check evaluate.endpoints.base.base_url and that the server runs$"
    with pytest.raises(ProviderError, match=line):
        await ask_target(folder, evaluate_params(url, max_retries=0))


def test_the_identity_of_a_served_model_is_what_it_always_was(folder: Path):
    """Otherwise a journal's attempts would be made again."""
    weights = folder_hash(folder)
    plain, changed = (
        evaluation_target("base", folder, evaluate_params("HTTP://Host:1/v1/", request=request)).identity
        for request in ({}, {"top_k": 3, "seed": None})
    )
    assert plain == f"{weights} as served at http://host:1/v1"
    assert changed == f'{weights} as served at http://host:1/v1 with {{"seed": null, "top_k": 3}}'


def test_another_backend_than_a_server_may_serve_it(folder: Path):
    evaluate, rollout = evaluate_params(str(folder)), Params.load().rollout
    target = evaluation_target("base", folder, evaluate)
    identity = local_model_identity(folder)
    assert target.identity == f"{folder_hash(folder)} as served at {folder} with {identity}"
    assert max_concurrency(target, evaluate, rollout) == rollout.concurrency
    with pytest.raises(ParamsError, match=r"^evaluate\.endpoints\.base\.base_url: nowhere is not a model; known are"):
        evaluation_target("base", folder, evaluate_params("nowhere"))


def test_a_model_in_this_process_has_twice_as_many_problems_in_flight_as_rows(folder: Path):
    params = Params.load()
    target = evaluation_target("base", folder, params.evaluate)
    assert target.identity == local_model_identity(folder)
    assert max_concurrency(target, params.evaluate, params.rollout) == 2 * params.evaluate.batch_size
