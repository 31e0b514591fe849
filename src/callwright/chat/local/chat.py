"""A chat model in this process: any causal language model with a chat template."""

import asyncio
import json
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

from callwright.agent.call_thread import CALL_THREAD
from callwright.chat.local.decoding import Decoder, GenerationRequest
from callwright.chat.local.device import pick_device, pick_dtype
from callwright.chat.local.prompts import PromptTokenizer
from callwright.chat.model import Message, Reply, Sampling, Tool, ToolCall
from callwright.chat.template import guard_special_tokens_only
from callwright.errors import ProviderError
from callwright.records import Usage

BATCH_WAIT_S = 0.05  # how long a batch waits for the requests of other chains


@dataclass(frozen=True, slots=True)
class _WaitingRequest:
    """A row that waits for its tokens. Requests of one `prompt` (system message, tools) share a batch."""

    prompt: str
    row: GenerationRequest
    made: "asyncio.Future[list[int]]"


class LocalChat:
    """Gathers the requests that wait and answers those of one task in one batch.

    Tools go through the chat template. Calls in the reply are parsed where the tokenizer says how (its
    `response_template`); else the reply is text, markup and all, which the native protocol reads.

    Args:
        path: a folder (or hub id) with config, weights, tokenizer and chat template.
        name: what chains call the model.
        max_batch: rows in one forward pass.

    Raises:
        ProviderError: the folder holds no such model, or its tokenizer no chat template.
    """

    def __init__(self, path: Path | str, name: str, *, max_batch: int = 64, revision: str | None = None) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.name = name
        self._max_batch = max_batch
        try:
            self._tokenizer = guard_special_tokens_only(AutoTokenizer.from_pretrained(str(path), revision=revision))
            device = pick_device()
            model = AutoModelForCausalLM.from_pretrained(str(path), revision=revision, dtype=pick_dtype(device))
        except (OSError, ValueError) as error:
            raise ProviderError(f"no model could be loaded from {path}: {str(error).splitlines()[0]}") from None
        if not self._tokenizer.chat_template:
            raise ProviderError(f"the tokenizer in {path} has no chat template; use an instruction-tuned model")
        self.prompts = PromptTokenizer(name, self._tokenizer, getattr(model.config, "max_position_embeddings", None))
        stops = model.generation_config.eos_token_id
        stops = stops if isinstance(stops, list) else [stops]
        self._stop_ids = frozenset(stop for stop in [*stops, self._tokenizer.eos_token_id] if stop is not None)
        self._decoder = Decoder(model.to(device).eval(), self._stop_ids)
        self._waiting: list[_WaitingRequest] = []
        self._worker: asyncio.Task[None] | None = None

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """Continue a conversation.

        Raises:
            ProviderError: the prompt is too long, or the chat template cannot show it.
        """
        system = messages[0]["content"] if messages[0]["role"] == "system" else ""
        prompt = f"{system}\0{json.dumps(list(tools))}"
        ids = await self.prompts.ids(messages, tools, prompt, sampling.max_tokens)
        row = GenerationRequest(
            tuple(ids), sampling.temperature, sampling.top_p, sampling.max_tokens, f"{sampling.seed}/{len(messages)}"
        )
        made = await self._decode(row, prompt)
        stopped = bool(made) and made[-1] in self._stop_ids
        text, tool_calls = self._read(made, stopped, ids, tools)
        return Reply(text, "stop" if stopped else "length", Usage(len(ids), len(made)), tool_calls)

    def _read(
        self, made: list[int], stopped: bool, prompt: list[int], tools: Sequence[Tool]
    ) -> tuple[str, tuple[ToolCall, ...]]:
        said = made[:-1] if stopped else made
        if not tools:
            return self._tokenizer.decode(said, skip_special_tokens=True), ()
        if getattr(self._tokenizer, "response_template", None):
            try:
                parsed = self._tokenizer.parse_response(made, prefix=prompt, tools=list(tools))
                calls = tuple(_tool_call(one["function"]) for one in parsed.get("tool_calls") or ())
            except (ValueError, KeyError, TypeError):
                calls = ()  # malformed, so it stays text and is told to the model
            if calls:
                return parsed.get("content") or "", calls
        return self._tokenizer.decode(said, skip_special_tokens=False), ()

    async def _decode(self, row: GenerationRequest, prompt: str) -> list[int]:
        request = _WaitingRequest(prompt, row, asyncio.get_running_loop().create_future())
        self._waiting.append(request)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._decode_waiting())
        return await request.made

    def _next_batch(self) -> list[_WaitingRequest]:
        """Requests of one prompt. Rows are padded to the longest of their batch, so those of like length go together,
        and of the lengths the commonest goes first."""
        by_length: dict[int, list[tuple[int, _WaitingRequest]]] = defaultdict(list)
        for one in self._waiting:
            if one.prompt == self._waiting[0].prompt:
                length = self._decoder.uncached_token_count(one.row)
                by_length[length.bit_length()].append((length, one))
        commonest = max(by_length.values(), key=len)
        commonest.sort(key=itemgetter(0))
        return [one for _, one in commonest[: self._max_batch]]

    async def _wait_for_requests(self) -> None:
        """Wait until every chain that can has sent its next request, so that batches are full.

        Between a reply and the next request is a job in the thread of calls, which does them in turn: when an empty one
        is done, so are those before it. A function that takes its time is not waited for.
        """
        await _yield_to_event_loop()
        with suppress(TimeoutError):
            async with asyncio.timeout(BATCH_WAIT_S):
                await CALL_THREAD.run(_do_nothing)
        await _yield_to_event_loop()

    async def _decode_waiting(self) -> None:
        while True:
            await self._wait_for_requests()
            if not self._waiting:
                return
            batch = self._next_batch()
            taken = set(map(id, batch))
            self._waiting = [one for one in self._waiting if id(one) not in taken]
            try:
                made = await asyncio.to_thread(self._decoder.decode_batch, [one.row for one in batch])
            except asyncio.CancelledError:
                self._decoder.stop()  # otherwise an interrupted process would wait for the whole batch
                raise
            except Exception as error:
                for one in batch:
                    if not one.made.done():
                        one.made.set_exception(error)
                continue
            for one, tokens in zip(batch, made, strict=True):
                if not one.made.done():
                    one.made.set_result(tokens)


async def _yield_to_event_loop() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def _do_nothing() -> None:
    return None


def _tool_call(function: dict[str, Any]) -> ToolCall:
    arguments = function["arguments"]
    return ToolCall(str(function["name"]), arguments if isinstance(arguments, str) else json.dumps(arguments))
