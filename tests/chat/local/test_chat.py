"""LocalChat: the native protocol with a chat template, batches of different prompts, and cached keys and values."""

import asyncio
import itertools
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from callwright.agent.loop import solve
from callwright.agent.protocol import NATIVE, TEXT
from callwright.chat.local.cache import CachedSequence, SequenceCache
from callwright.chat.local.chat import LocalChat
from callwright.chat.local.decoding import Decoder
from callwright.chat.local.generation import GenerationRequest
from callwright.chat.model import Sampling, ToolCall
from callwright.chat.template import template_messages
from callwright.errors import ProviderError
from callwright.records import Problem
from callwright.tasks import TASKS
from tests.chat.conftest import QUESTION, SUM, memorized_steps, template

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("training")]
PROBLEM = Problem("p", "arithmetic", QUESTION, "5", (), "test", "g", "test")


async def test_a_local_model_solves_a_problem_with_native_calls(tiny_model: Path):
    model = LocalChat(tiny_model, "tiny_model")
    chain = await solve(PROBLEM, SUM, model, Sampling(max_tokens=64), NATIVE)
    assert list(chain.steps) == memorized_steps()
    assert (chain.protocol, chain.outcome, chain.answer) == ("native", "answered", "5")
    assert chain.usage.prompt_tokens > 300


async def test_the_tokenizers_response_template_parses_calls(tiny_model: Path):
    model = LocalChat(tiny_model, "tiny_model")
    messages, tools = NATIVE.render(SUM, QUESTION, ())
    as_text = await model.reply(messages, tools, Sampling(max_tokens=64))
    assert as_text.tool_calls == ()
    assert as_text.text.startswith("<tool_call>\n")
    model._tokenizer.response_template = {
        "defaults": {"role": "assistant"},
        "start_anchor": "<|im_start|>assistant\n",
        "fields": {
            "tool_calls": {
                "open_pattern": r"\s*<tool_call>",
                "close": "</tool_call>",
                "repeats": True,
                "content": "json",
                "transform": {"type": "function", "function": "{content}"},
            },
            "content": {"close_pattern": r"\s*<\|im_end\|>", "content": "text"},
        },
    }
    parsed = await model.reply(messages, tools, Sampling(max_tokens=64))
    assert (parsed.text, parsed.tool_calls) == ("", (ToolCall("add", '{"a": 2, "b": 3}'),))
    assert NATIVE.read(parsed) == NATIVE.read(as_text)
    cut = await model.reply(messages, tools, Sampling(max_tokens=6))
    assert (cut.finish, cut.tool_calls) == ("length", ())


@pytest.mark.parametrize("name", ["llama3", "phi3", "deepseekv3"])
async def test_a_template_that_does_not_show_tools_is_an_error(tiny_model: Path, name: str):
    model = LocalChat(tiny_model, "tiny_model")
    model._tokenizer.bos_token = "<|im_start|>"
    model._tokenizer.chat_template = template(name)
    messages, tools = NATIVE.render(SUM, QUESTION, ())
    with pytest.raises(ProviderError, match="does not show tools, calls and results; use rollout"):
        await model.reply(messages, tools, Sampling())
    assert (await model.reply(TEXT.render(SUM, QUESTION, ())[0], [], Sampling(max_tokens=4))).usage.completion_tokens


async def test_a_template_that_rejects_a_conversation_is_one_error_line(tiny_model: Path):
    model = LocalChat(tiny_model, "tiny_model")
    model._tokenizer.chat_template = "{{ raise_exception('System role not supported') }}"
    with pytest.raises(ProviderError, match="cannot show this conversation: System role not supported"):
        await model.reply([{"role": "user", "content": "?"}], [], Sampling())


async def test_requests_of_different_tasks_get_the_same_replies_in_a_batch_as_alone(tiny_model: Path):
    prompts = [
        protocol.render(task, f"{QUESTION} {number}", ())
        for number, (task, protocol) in enumerate([(SUM, NATIVE), (TASKS["arithmetic"], TEXT), (SUM, TEXT)] * 3)
    ]

    async def replies(max_batch: int) -> list[str]:
        model = LocalChat(tiny_model, "tiny_model", max_batch=max_batch)
        sampling = Sampling(temperature=1.0, max_tokens=8)
        requests = (model.reply(*prompt, replace(sampling, seed=seed)) for seed, prompt in enumerate(prompts))
        return [reply.text for reply in await asyncio.gather(*requests)]

    assert await replies(8) == await replies(1)


async def test_with_memory_for_few_prompts_each_prompt_is_still_computed_once(tiny_model: Path):
    model = LocalChat(tiny_model, "tiny_model", max_batch=4)
    computed = list[int]()
    original = model._decoder._prefix_cache._compute
    prompt_bytes = 0

    def compute(ids: tuple[int, ...]) -> Any:
        nonlocal prompt_bytes
        computed.append(len(ids))
        cache = original(ids)
        prompt_bytes = max(prompt_bytes, sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers))
        return cache

    async def converse(number: int) -> None:
        messages = [{"role": "system", "content": f"{number} {'word ' * 40}"}, {"role": "user", "content": "?"}]
        for _ in range(3):
            reply = await model.reply(messages, [], Sampling(max_tokens=2))
            messages += [{"role": "assistant", "content": reply.text}, {"role": "user", "content": "?"}]

    model._decoder._prefix_cache._compute = compute
    await converse(0)
    model._decoder._prefix_cache.max_bytes = 5 * prompt_bytes  # more than a batch of 4
    await asyncio.gather(*(converse(number) for number in range(1, 13)))
    assert len(computed) == 13


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_continued_conversation_gets_the_same_replies_with_and_without_a_cache(tiny_model: Path, temperature: float):
    model = AutoModelForCausalLM.from_pretrained(tiny_model).eval()
    rng = random.Random(5)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(10, model.config.vocab_size) for _ in range(count))

    system = ids(40)
    requests = [
        GenerationRequest((*system, *ids(rng.randrange(3, 20))), temperature, 1.0, 6, str(number))
        for number in range(7)
    ]
    decoder = Decoder(model, frozenset())
    for turn in range(3):
        empty_decoder = Decoder(model, frozenset())
        replies = decoder.decode_batch(requests)
        assert replies == empty_decoder.decode_batch(requests)
        requests = [
            GenerationRequest(
                (*request.ids, *reply, *ids(rng.randrange(1, 9))),
                temperature,
                1.0,
                rng.randrange(2, 8),
                f"{request.seed}{turn}",
            )
            for request, reply in zip(requests, replies, strict=True)
            if rng.random() < 0.9
        ]
        rng.shuffle(requests)


async def test_a_prompt_with_a_cached_prefix_has_the_tokens_of_the_whole_text(tiny_model: Path):
    """The second conversation of a task uses the prefix that the first one cached."""
    tokenizer, model = AutoTokenizer.from_pretrained(tiny_model), LocalChat(tiny_model, "student")
    for protocol, question in itertools.product((TEXT, NATIVE), ("How many are 2 and 3?", "", "A 12-year-old's 7 €?")):
        messages, tools = protocol.render(SUM, question, ())
        reply = await model.reply(messages, tools, Sampling(max_tokens=1))
        expected_ids = tokenizer.apply_chat_template(
            template_messages(messages), tools=tools or None, add_generation_prompt=True, return_dict=False
        )
        assert (
            model.prompt_tokenizer.tokenize(messages, tools, next(reversed(model.prompt_tokenizer.tokenized_prefixes)))
            == expected_ids
        )
        assert reply.usage.prompt_tokens == len(expected_ids)
    assert len(model.prompt_tokenizer.tokenized_prefixes) == 2
    assert None not in model.prompt_tokenizer.tokenized_prefixes.values(), "no prefix was cached"


def sequence(*ids: int, start: int = 1) -> CachedSequence:
    states = torch.arange(float(len(ids) - start))[None, None, :, None]
    return CachedSequence(ids, start, (states, states))


def test_the_cache_finds_the_longest_common_prefix():
    cache = SequenceCache(max_bytes=1_000)
    for ids in ((1, 2, 3), (1, 2, 9, 9), (1, 5)):
        cache.add(sequence(*ids))
    assert cache.longest_match((1, 2, 9, 7), 1)[1] == 3
    assert cache.longest_match((1, 2, 3, 4, 5), 1)[1] == 3
    assert cache.longest_match((1, 7), 1) == (None, 1)
    assert cache.longest_match((2, 2), 2) == (None, 2)
    match, length = cache.longest_match((1, 2, 9, 7), 2)
    assert match is not None
    keys, _ = match.states_between(2, length)
    assert keys.flatten().tolist() == [1.0]  # of the third token


def test_a_sequence_without_keys_right_after_the_prefix_does_not_match():
    cache = SequenceCache(max_bytes=1_000)
    cache.add(sequence(1, 2, 3, 4, start=3))
    assert cache.longest_match((1, 2, 3, 4, 5), 2) == (None, 2)


def test_the_oldest_sequences_are_evicted_when_the_cache_is_full():
    cache = SequenceCache(max_bytes=2 * 16)
    for ids in ((1, 2, 3), (1, 4, 5), (1, 2, 3), (1, 6, 7)):  # 2 tokens of 8 bytes each; the first comes twice
        cache.add(sequence(*ids))
    assert cache.longest_match((1, 4, 5), 1) == (None, 1)
    assert cache.longest_match((1, 2, 3), 1)[1] == 3
    assert cache.longest_match((1, 6, 7), 1)[1] == 3


def test_a_continued_sequence_replaces_its_beginnings():
    cache = SequenceCache(max_bytes=1_000)
    for ids in ((1, 2), (1, 2, 3, 4), (1, 2, 9), (1, 2, 3, 4, 5, 6)):
        cache.add(sequence(*ids))
    assert cache.nbytes == 2 * 4 * (2 + 5)  # keys and values of 4 bytes: of (1, 2, 9) and the longest after its first
    assert cache.longest_match((1, 2, 3, 4, 7), 1)[1] == 4
    cache.add(sequence(1, 2, 9, 9, start=2))  # has no keys of the second token, which another request may need
    assert cache.longest_match((1, 2, 9, 8), 1)[1] == 3


def test_a_sequence_larger_than_the_cache_is_not_added_and_evicts_nothing():
    cache = SequenceCache(max_bytes=2 * 16)
    cache.add(sequence(1, 2, 3))
    cache.add(sequence(1, *range(4, 9)))
    assert cache.longest_match((1, 4, 5), 1) == (None, 1)
    assert cache.longest_match((1, 2, 3), 1)[1] == 3
    assert cache.nbytes == 16


@pytest.mark.parametrize("max_bytes", [0, 40_000, 120_000])  # a prefix takes 20 kB, a sequence about 10 kB
def test_the_cache_stays_within_its_limit_and_changes_no_reply(tiny_model: Path, max_bytes: int):
    model = AutoModelForCausalLM.from_pretrained(tiny_model).eval()
    rng = random.Random(6)

    def ids(count: int) -> tuple[int, ...]:
        return tuple(rng.randrange(10, model.config.vocab_size) for _ in range(count))

    systems = [ids(40) for _ in range(3)]
    limited, unlimited = Decoder(model, frozenset(), max_bytes), Decoder(model, frozenset(), 10**9)
    conversations = [(*systems[number % 3], *ids(9)) for number in range(9)]
    for turn in range(3):
        for system in systems:
            batch = [number for number, conversation in enumerate(conversations) if conversation[:40] == system]
            requests = [GenerationRequest(conversations[number], 1.0, 1.0, 5, f"{turn}/{number}") for number in batch]
            replies = limited.decode_batch(requests)
            assert replies == unlimited.decode_batch(requests)
            assert limited.cached_bytes <= max_bytes
            for number, reply in zip(batch, replies, strict=True):
                conversations[number] = (*conversations[number], *reply, *ids(3))
    assert unlimited.cached_bytes > 120_000
    assert (limited.cached_bytes > 0) == (max_bytes > 0)


async def test_an_interrupted_request_ends_at_its_next_token(tiny_model: Path):
    model = LocalChat(tiny_model, "tiny_model")
    model._stop_ids = model._decoder._stop_ids = frozenset()
    endless = Sampling(max_tokens=30_000)  # takes minutes
    reply = asyncio.create_task(model.reply([{"role": "user", "content": QUESTION}], [], endless))
    while model._worker is None or model._waiting:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)
    model._worker.cancel()
    reply.cancel()
    start = time.monotonic()
    await asyncio.get_running_loop().shutdown_default_executor()  # as an interrupted `asyncio.run` does
    assert time.monotonic() - start < 20


def test_a_model_answers_in_one_event_loop_after_another(tiny_model: Path):
    model = LocalChat(tiny_model, "tiny_model")
    messages = [{"role": "user", "content": QUESTION}]
    texts = []
    for _ in range(2):
        loop = asyncio.new_event_loop()
        reply = asyncio.wait_for(model.reply(messages, [], Sampling(max_tokens=3)), 30)
        texts.append(loop.run_until_complete(reply).text)  # the worker has not ended yet
        loop.close()
    assert texts[0] == texts[1]


async def test_a_reply_whose_decoding_was_cancelled_or_failed_ends_too(
    tiny_model: Path, monkeypatch: pytest.MonkeyPatch
):
    model = LocalChat(tiny_model, "tiny_model")
    messages = [{"role": "user", "content": QUESTION}]
    reply = asyncio.create_task(model.reply(messages, [], Sampling(max_tokens=30)))
    while model._worker is None or model._waiting:  # noqa: ASYNC110 - there is no event to wait for
        await asyncio.sleep(0.001)
    model._worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(reply, 30)
    with monkeypatch.context() as broken:
        broken.setattr(model._decoder, "choose", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            await asyncio.wait_for(model.reply(messages, [], Sampling(max_tokens=3)), 30)
    assert (await model.reply(messages, [], Sampling(max_tokens=3))).usage.completion_tokens


def test_the_tiny_model_loads_like_any_other(tiny_model: Path):
    assert AutoTokenizer.from_pretrained(tiny_model).chat_template == template("qwen2_5")
