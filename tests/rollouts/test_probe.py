"""The probe before a rollout asks for one reply. A prompt that fails alone does not stop the rollout."""

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
from callwright.tasks import TASKS
from tests.chat.openai.test_endpoint import app_answering, completion, tool_completion
from tests.fakes import chain, problem, teacher

PROBLEMS = [problem(id=str(number), question=f"{number}?") for number in range(9)]
FILTERED = JSONResponse({"choices": [{"message": {"content": None}, "finish_reason": "content_filter"}]})
WITH_CALL = tool_completion({"name": "add", "arguments": "{}"})


@pytest.fixture
def run_probe(tmp_path: Path) -> Callable[..., Any]:
    """Probes a server whose answer depends on the question; returns the questions that it got."""

    async def run(
        answers: dict[str, Response], default: Response, protocol: Protocol = "text", done: tuple[int, ...] = ()
    ) -> list[str]:
        questions: list[str] = []

        async def answer(request: Request) -> Response:
            questions.append(json.loads(await request.body())["messages"][1]["content"])
            return answers.get(questions[-1], default)

        attempts = plan_attempts(PROBLEMS, TASKS, {"name": "m"}, 2, Sampling(), protocol)
        model = EndpointChat(teacher(max_retries=0), app_answering(answer))
        with open_journal(tmp_path / "journal.jsonl") as journal:
            for number in done:
                journal.add(JournalEntry(attempts[2 * number].key, replace(chain("answer(5)"), id=str(number))))
            try:
                await probe_endpoints(model, attempts, journal)
            finally:
                await model.close()
        return questions

    return run


async def test_one_prompt_is_enough_if_it_is_answered(run_probe):
    assert await run_probe({}, completion()) == ["0?"]


async def test_a_prompt_that_was_answered_before_is_tried_only_after_two_others(run_probe):
    assert await run_probe({}, completion(), done=(0, 4)) == ["0?"]  # one of its two attempts is not done
    assert await run_probe({"0?": FILTERED, "1?": FILTERED}, completion(), done=(4, 6)) == ["0?", "1?", "4?"]


async def test_a_filtered_prompt_does_not_stop_the_rollout(run_probe):
    assert await run_probe({"0?": FILTERED}, completion()) == ["0?", "1?"]
    assert await run_probe({}, FILTERED) == ["0?", "1?", "2?"][:MAX_PROMPTS]


async def test_if_all_prompts_fail_the_error_is_that_of_the_first(run_probe):
    refusal = JSONResponse({"error": {"message": "other words"}}, 400)
    with pytest.raises(ProviderError, match=r"answered 400: .*no seed here"):
        await run_probe({"0?": JSONResponse({"error": {"message": "no seed here"}}, 400)}, refusal)


async def test_one_prompt_that_is_answered_without_a_call_does_not_stop_the_rollout(run_probe):
    assert await run_probe({"0?": completion()}, WITH_CALL, "native") == ["0?"] * 3 + ["1?"]
    with pytest.raises(EndpointUnusableError, match="answered without a tool call"):
        await run_probe({}, completion(), "native")


@pytest.mark.parametrize("status", [401, 404])
async def test_a_wrong_key_or_model_is_an_error_after_one_request(run_probe, status: int):
    requests: list[int] = []

    class CountingResponse(JSONResponse):
        async def __call__(self, *args: Any) -> None:
            requests.append(1)
            await super().__call__(*args)

    with pytest.raises(EndpointUnusableError):
        await run_probe({}, CountingResponse({}, status))
    assert len(requests) == 1
