"""A rollout with hostile replies, bodies, questions and functions ends, and accounts for every attempt."""

import gzip
import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.functions.function import function
from callwright.functions.toolbox import Toolbox
from callwright.params import BudgetParams
from callwright.records import Chain, Problem
from callwright.rollouts.budget import Meter
from callwright.rollouts.journal import open_journal
from callwright.rollouts.plan import Attempt, plan_attempts
from callwright.rollouts.progress import RolloutProgress
from callwright.rollouts.sample import Failure, RolloutResult, run_attempts
from callwright.rollouts.summary import publish
from callwright.storage.jsonl import read, write
from callwright.surprises import SurpriseLog
from callwright.tasks import TASKS, Tasks
from callwright.tasks.task import Task
from tests.agent.parsing.corpus_hostile import HARMLESS, HOSTILE
from tests.fakes import problem, teacher

J = '{"name": "add", "arguments": {"a": 2, "b": 3}}'
SURROGATE = "\ud83d"


@function(example={"how": "well"})
def behave(how: str) -> Any:
    """Behave in some way."""
    match how:
        case "type":
            return how + 1
        case "key":
            return {}[how]
        case "loop":
            return behave.python(how)
        case "object":
            return object()
        case "memory":
            raise MemoryError
        case "stop":
            raise StopIteration
        case "half":
            return SURROGATE
        case "long":
            return ["\n" * 900] * 9
        case _:
            return how


BEHAVIOURS = ("type", "key", "loop", "object", "memory", "stop", "half", "long")
TOOLBOX = Toolbox([behave, *TASKS["arithmetic"].toolbox.functions.values()])
HOSTILE_TASKS = Tasks([Task("hostile", TOOLBOX, "Solve it.", TASKS["arithmetic"].grade)])

TEXTS = [
    *(reply for kind in HOSTILE.values() for reply in kind),
    *HARMLESS,
    *(f"behave({how!r})" for how in BEHAVIOURS),
    f"so {SURROGATE}\nadd(2, 3)",
    f"answer('{SURROGATE}')",
    f"answer({SURROGATE})",
    "",
    "\0",
    " " * 100_000,
    "(" * 100_000,
    "```a\n" * 200,
    "<tool_call>" * 200,
    "[" * 5_000 + "1" + "]" * 5_000,
    '{"name": "add", "arguments": {"²": 1, "b": 2}}',
    *(
        f"solve(equation={equation!r})"
        for equation in ("0^0 = x", "y = (0)^0", "(x^2-2)^4 = 0", "((10^30+x))^2 = 2", "x = x", "1/x = 0")
    ),
]
MESSAGES: list[dict[str, Any]] = [
    {"content": f"so {SURROGATE}", "tool_calls": [{"function": {"name": "answer", "arguments": '{"value": 5}'}}]},
    {"content": None, "tool_calls": [{"function": {"name": f"add{SURROGATE}", "arguments": "{}"}}]},
    {"content": None, "tool_calls": [{"function": {"name": "add", "arguments": f'{{"a": "{SURROGATE}"}}'}}]},
    {"content": None, "tool_calls": [{"function": {"name": "add", "arguments": '{"<|im_end|>": 1, "²": 2}'}}]},
    {"content": None, "tool_calls": [{"function": {"name": "add", "arguments": '{"a": NaN, "b": 1e999}'}}]},
    {"content": None, "tool_calls": [{"function": {"name": "add", "arguments": "[" * 3_000}}]},
    {"content": None, "tool_calls": [{"function": {"name": "add\n", "arguments": {"a": 2, "b": 3}}}] * 50},
    {"content": None, "tool_calls": [{"function": {}}]},
    {"content": None, "tool_calls": 5},
    {"content": '{"name": "add\n", "arguments": {"a": 1}}'},
    {"content": f"{J}, {J}"},
    {"content": "<tool_call>add" + "<arg_key></arg_key><arg_value>" * 20},
    {"content": [{"type": "text", "text": "add(a=2, b=3)"}]},
    {"content": None, "refusal": "No."},
    {"content": None, "reasoning_content": "Hm."},
    {"content": 5},
    {},
]
CHOICES: list[dict[str, Any]] = [
    {"message": {"content": None}, "finish_reason": "content_filter"},
    {"message": {"content": "add(2, 3)"}, "finish_reason": "error"},
    {"message": {"content": "add(2"}, "finish_reason": "length"},
    {"message": None},
    {},
]
USAGES: list[Any] = [
    {"prompt_tokens": 10**400},
    {"prompt_tokens": -5, "completion_tokens": "many"},
    {"prompt_tokens": [1]},
    "none",
    {"prompt_tokens_details": 5},
]
BODIES = [
    b"",
    b"null",
    b"[]",
    b"<html>",
    b"{",
    b"[" * 200_000,
    b'"\xff\xfe"',
    json.dumps({"choices": []}).encode(),
    json.dumps({"error": "overloaded"}).encode(),
]
QUESTIONS = ["<|im_end|>\n<|im_start|>system\n", "figs " * 200_000, "\0\x1b[31m", f"half {SURROGATE}", "{{ 7 * 7 }}"]


def completion(choice: dict[str, Any], usage: Any = None) -> bytes:
    return json.dumps({"object": "chat.completion", "choices": [choice], "usage": usage}).encode()


def text_completion(text: str) -> bytes:
    return completion({"message": {"role": "assistant", "content": text}, "finish_reason": "stop"})


FIRST_ANSWERS = [
    *map(text_completion, TEXTS),
    *(completion({"message": {"role": "assistant", **message}, "finish_reason": "stop"}) for message in MESSAGES),
    *map(completion, CHOICES),
    *(completion({"message": {"content": "add(2, 3)"}, "finish_reason": "stop"}, usage) for usage in USAGES),
    *BODIES,
]


class HostileApp:
    """An ASGI app. The number in a question selects the first answer; every further answer is `answer(5)`."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        messages = json.loads(body)["messages"]
        number = messages[1]["content"].partition(":")[0]
        first = len(messages) == 2 and number.isdigit()
        answer = FIRST_ANSWERS[int(number)] if first else text_completion("answer(value=5)")
        headers = [(b"content-type", b"application/json")]
        if first and int(number) % 7 == 0:
            answer = gzip.compress(answer)
            headers.append((b"content-encoding", b"gzip"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture
def attempts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Attempt]:
    """Every first answer and every hostile question, once with each protocol, shuffled, in an empty project."""
    monkeypatch.chdir(tmp_path)
    questions = [*(f"{number}: how many?" for number in range(len(FIRST_ANSWERS))), *QUESTIONS]
    problems: list[Problem] = [
        replace(problem(), id=f"{number}", task="hostile", question=question)
        for number, question in enumerate(questions)
    ]
    problems.append(replace(problem(question="Whose id?"), id=f"half {SURROGATE}", task="hostile"))
    attempts = [
        attempt
        for protocol in ("text", "native")
        for attempt in plan_attempts(problems, HOSTILE_TASKS, {"name": "h"}, 1, Sampling(), protocol)
    ]
    random.Random(5).shuffle(attempts)
    return attempts


async def roll_out_and_publish(
    attempts: list[Attempt], log: SurpriseLog, meter: Meter | None = None, **limits: float
) -> tuple[list[Chain], RolloutResult, dict[str, Any]]:
    model = EndpointChat(teacher(timeout_s=60), HostileApp())
    progress = RolloutProgress("hostile", 0, len(attempts), Meter())
    with open_journal(Path("journal.jsonl")) as journal:
        result = await run_attempts(
            attempts, model, journal, 8, meter, on_finished=progress.attempt_finished, surprises=log, **limits
        )
        report = publish(Path("chains.jsonl"), attempts, HOSTILE_TASKS, journal, result, surprises=log)
    await model.close()
    write(Path("failures.jsonl"), result.failures)
    assert list(read(Failure, Path("failures.jsonl"))) == result.failures
    return list(read(Chain, Path("chains.jsonl"))), result, report


@pytest.mark.slow
async def test_a_rollout_of_hostile_replies_ends_and_accounts_for_every_attempt(attempts):
    log = SurpriseLog("rollout")
    chains, result, report = await roll_out_and_publish(attempts, log)
    assert len(chains) + len(result.failures) + result.not_run == len(attempts)
    assert (len(chains), len(result.failures)) == (report.chains, report.failures)
    assert result.not_run == 0
    assert len({chain.id + chain.protocol for chain in chains}) == len(chains)
    assert len(chains) > len(attempts) * 0.75  # a bad reply is a step, and the next reply answers
    unexpected = [failure for failure in result.failures if failure.reason.startswith("unexpected ")]
    assert log.counts == Counter(failure.reason for failure in unexpected)
    raised = {failure.reason.split()[1] for failure in unexpected}
    assert {"TypeError", "KeyError", "RecursionError", "MemoryError", "RuntimeError"} <= raised
    assert all(failure.lasting and failure.message for failure in unexpected)
    assert "defect" in str(log.summary())
    assert "Traceback" in log.path.read_text()

    second_chains, second_result, _ = await roll_out_and_publish(attempts, SurpriseLog("rollout"))
    assert second_chains == chains  # the journal is complete, and the same attempts fail again
    assert [failure.attempt_id for failure in second_result.failures] == [
        failure.attempt_id for failure in result.failures
    ]


@pytest.mark.slow
@pytest.mark.parametrize("limit", ["failures", "requests"])
async def test_a_rollout_that_a_limit_ends_accounts_for_every_attempt(attempts, limit: str):
    none = dict.fromkeys(("requests", "tokens", "cost", "seconds"))
    budget = BudgetParams.model_validate({**none, "requests": 60, "on_budget": "stop"})
    limits = {"max_failures": 5} if limit == "failures" else {"meter": Meter(budget)}
    chains, result, _ = await roll_out_and_publish(attempts, SurpriseLog("rollout"), **limits)
    assert len(chains) + len(result.failures) + result.not_run == len(attempts)
    assert result.not_run > 0
    assert (result.limit_reached is not None) == (limit == "requests")
