"""Before a rollout one reply is asked for; what is wrong with one prompt stops nothing."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import EndpointUnusable, ProviderError
from callwright.records import Protocol
from callwright.rollouts.journal import Journaled, open_journal
from callwright.rollouts.plan import plan
from callwright.rollouts.probe import PROMPTS, probe
from tests.chat.openai.test_endpoint import app_of, completion, tool_completion
from tests.fakes import chain, problem, teacher

PROBLEMS = [problem(id=str(number), question=f"{number}?") for number in range(9)]
FILTERED = JSONResponse({"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]})
CALLED = tool_completion({"name": "add", "arguments": "{}"})
Asked = list[str]


@pytest.fixture
def probed(tmp_path: Path) -> Callable[..., Any]:
    """Probes a server that answers by question; returns the questions that it was asked."""

    async def run(
        answers: dict[str, Response], otherwise: Response, protocol: Protocol = "text", made: tuple[int, ...] = ()
    ) -> Asked:
        asked: Asked = []

        async def answer(request: Request) -> Response:
            asked.append(json.loads(await request.body())["messages"][1]["content"])
            return answers.get(asked[-1], otherwise)

        attempts = plan(PROBLEMS, {"name": "m"}, 2, Sampling(), protocol)
        model = EndpointChat(teacher(max_retries=0), app_of(answer))
        with open_journal(tmp_path / "journal.jsonl") as journal:
            for place in made:
                journal.add(Journaled(attempts[2 * place].key, replace(chain("answer(5)"), id=str(place))))
            try:
                await probe(model, attempts, journal)
            finally:
                await model.close()
        return asked

    return run


async def test_the_first_prompt_is_enough_where_it_is_answered(probed):
    assert await probed({}, completion()) == ["0?"]


async def test_a_prompt_that_was_answered_before_is_asked_only_where_two_others_are_not_answered(probed):
    assert await probed({}, completion(), made=(0, 4)) == ["0?"]  # of its two attempts one is still to be made
    assert await probed({"0?": FILTERED, "1?": FILTERED}, completion(), made=(4, 6)) == ["0?", "1?", "4?"]


async def test_a_prompt_that_is_filtered_stops_nothing(probed):
    assert await probed({"0?": FILTERED}, completion()) == ["0?", "1?"]
    assert await probed({}, FILTERED) == ["0?", "1?", "2?"][:PROMPTS]


async def test_what_is_wrong_with_every_prompt_is_said_in_the_words_for_the_first(probed):
    refusal = JSONResponse({"error": {"message": "other words"}}, 400)
    with pytest.raises(ProviderError, match=r"answered 400: .*no seed here"):
        await probed({"0?": JSONResponse({"error": {"message": "no seed here"}}, 400)}, refusal)


async def test_one_prompt_that_is_answered_without_a_call_stops_nothing(probed):
    assert await probed({"0?": completion()}, CALLED, "native") == ["0?"] * 3 + ["1?"]
    with pytest.raises(EndpointUnusable, match="answered without a tool call"):
        await probed({}, completion(), "native")


@pytest.mark.parametrize("status", [401, 404])
async def test_a_wrong_key_or_model_is_said_at_once(probed, status: int):
    asked: list[int] = []

    class Once(JSONResponse):
        async def __call__(self, *args: Any) -> None:
            asked.append(1)
            await super().__call__(*args)

    with pytest.raises(EndpointUnusable):
        await probed({}, Once({}, status))
    assert len(asked) == 1
