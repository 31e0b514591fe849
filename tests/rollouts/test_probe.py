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
from callwright.errors import EndpointUnusableError, ProviderError
from callwright.records import Protocol
from callwright.rollouts.journal import JournalEntry, open_journal
from callwright.rollouts.plan import plan_attempts
from callwright.rollouts.probe import MAX_PROMPTS, probe_endpoints
from tests.chat.openai.test_endpoint import app_answering, completion, tool_completion
from tests.fakes import chain, problem, teacher

PROBLEMS = [problem(id=str(number), question=f"{number}?") for number in range(9)]
FILTERED = JSONResponse({"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]})
CALLED = tool_completion({"name": "add", "arguments": "{}"})
Asked = list[str]


@pytest.fixture
def run_probe(tmp_path: Path) -> Callable[..., Any]:
    """Probes a server that answers by question; returns the questions that it was asked."""

    async def run(
        answers: dict[str, Response], otherwise: Response, protocol: Protocol = "text", made: tuple[int, ...] = ()
    ) -> Asked:
        asked: Asked = []

        async def answer(request: Request) -> Response:
            asked.append(json.loads(await request.body())["messages"][1]["content"])
            return answers.get(asked[-1], otherwise)

        attempts = plan_attempts(PROBLEMS, {"name": "m"}, 2, Sampling(), protocol)
        model = EndpointChat(teacher(max_retries=0), app_answering(answer))
        with open_journal(tmp_path / "journal.jsonl") as journal:
            for place in made:
                journal.add(JournalEntry(attempts[2 * place].key, replace(chain("answer(5)"), id=str(place))))
            try:
                await probe_endpoints(model, attempts, journal)
            finally:
                await model.close()
        return asked

    return run


async def test_the_first_prompt_is_enough_where_it_is_answered(run_probe):
    assert await run_probe({}, completion()) == ["0?"]


async def test_a_prompt_that_was_answered_before_is_asked_only_where_two_others_are_not_answered(run_probe):
    assert await run_probe({}, completion(), made=(0, 4)) == ["0?"]  # of its two attempts one is still to be made
    assert await run_probe({"0?": FILTERED, "1?": FILTERED}, completion(), made=(4, 6)) == ["0?", "1?", "4?"]


async def test_a_prompt_that_is_filtered_stops_nothing(run_probe):
    assert await run_probe({"0?": FILTERED}, completion()) == ["0?", "1?"]
    assert await run_probe({}, FILTERED) == ["0?", "1?", "2?"][:MAX_PROMPTS]


async def test_what_is_wrong_with_every_prompt_is_said_in_the_words_for_the_first(run_probe):
    refusal = JSONResponse({"error": {"message": "other words"}}, 400)
    with pytest.raises(ProviderError, match=r"answered 400: .*no seed here"):
        await run_probe({"0?": JSONResponse({"error": {"message": "no seed here"}}, 400)}, refusal)


async def test_one_prompt_that_is_answered_without_a_call_stops_nothing(run_probe):
    assert await run_probe({"0?": completion()}, CALLED, "native") == ["0?"] * 3 + ["1?"]
    with pytest.raises(EndpointUnusableError, match="answered without a tool call"):
        await run_probe({}, completion(), "native")


@pytest.mark.parametrize("status", [401, 404])
async def test_a_wrong_key_or_model_is_said_at_once(run_probe, status: int):
    asked: list[int] = []

    class Once(JSONResponse):
        async def __call__(self, *args: Any) -> None:
            asked.append(1)
            await super().__call__(*args)

    with pytest.raises(EndpointUnusableError):
        await run_probe({}, Once({}, status))
    assert len(asked) == 1
