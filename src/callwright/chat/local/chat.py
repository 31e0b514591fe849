"""A chat model in this process: any causal language model with a chat template."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callwright.agent.call_thread import CALL_THREAD
from callwright.chat.local.decoding import Decoder
from callwright.chat.local.device import pick_device, pick_dtype
from callwright.chat.local.generation import GenerationRequest
from callwright.chat.local.prompts import PromptTokenizer
from callwright.chat.model import Message, Reply, Sampling, Tool, ToolCall
from callwright.chat.template import guard_special_tokens_only
from callwright.errors import ProviderError
from callwright.records import Usage

CALL_WAIT_S = 0.05  # how long the next token waits for the calls of chains whose replies are finished


@dataclass(frozen=True, slots=True)
class _WaitingRequest:
    """A request that waits for its tokens.

    Attributes:
        tokens: the ids of the reply, when they are generated.
    """

    generation: GenerationRequest
    tokens: "asyncio.Future[list[int]]"


class LocalChat:
    """Decodes all requests together; those with the same system message and tools share a prefix.

    The chat template shows the tools. If the tokenizer has a `response_template`, it parses the calls in the reply.
    Otherwise the reply is text that includes the markup of calls, which the native protocol reads.

    Args:
        path: a folder (or hub id) with config, weights, tokenizer and chat template.
        name: the model's name in chains.
        max_batch: largest number of requests that are decoded at the same time.

    Raises:
        ProviderError: the folder has no such model, or its tokenizer has no chat template.
    """

    def __init__(self, path: Path | str, name: str, *, max_batch: int = 64, revision: str | None = None) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.name = name
        try:
            self._tokenizer = guard_special_tokens_only(AutoTokenizer.from_pretrained(str(path), revision=revision))
            device = pick_device()
            model = AutoModelForCausalLM.from_pretrained(str(path), revision=revision, dtype=pick_dtype(device))
        except (OSError, ValueError) as error:
            raise ProviderError(f"cannot load a model from {path}: {str(error).splitlines()[0]}") from None
        if not self._tokenizer.chat_template:
            raise ProviderError(f"the tokenizer in {path} has no chat template; use an instruction-tuned model")
        self.prompt_tokenizer = PromptTokenizer(
            name, self._tokenizer, getattr(model.config, "max_position_embeddings", None)
        )
        stops = model.generation_config.eos_token_id
        stops = stops if isinstance(stops, list) else [stops]
        self._stop_ids = frozenset(stop for stop in [*stops, self._tokenizer.eos_token_id] if stop is not None)
        self._decoder = Decoder(model.to(device).eval(), self._stop_ids, max_rows=max_batch)
        self._waiting: list[_WaitingRequest] = []
        self._worker: asyncio.Task[None] | None = None
        self._call_jobs: asyncio.Future[None] | None = None  # done when the call thread has done its jobs of then

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """Continue a conversation.

        Raises:
            ProviderError: the prompt is too long, or the chat template cannot show it.
        """
        system = messages[0]["content"] if messages[0]["role"] == "system" else ""
        prefix_key = f"{system}\0{json.dumps(list(tools))}"
        ids = await self.prompt_tokenizer.ids(messages, tools, prefix_key, sampling.max_tokens)
        generation = GenerationRequest(
            tuple(ids),
            sampling.temperature,
            sampling.top_p,
            sampling.max_tokens,
            f"{sampling.seed}/{len(messages)}",
            prefix_key,
        )
        generated = await self._decode(generation)
        stopped = bool(generated) and generated[-1] in self._stop_ids
        text, tool_calls = self._read(generated, stopped, ids, tools)
        return Reply(text, "stop" if stopped else "length", Usage(len(ids), len(generated)), tool_calls)

    def _read(
        self, generated: list[int], stopped: bool, prompt: list[int], tools: Sequence[Tool]
    ) -> tuple[str, tuple[ToolCall, ...]]:
        reply_ids = generated[:-1] if stopped else generated
        if not tools:
            return self._tokenizer.decode(reply_ids, skip_special_tokens=True), ()
        if getattr(self._tokenizer, "response_template", None):
            try:
                parsed = self._tokenizer.parse_response(generated, prefix=prompt, tools=list(tools))
                calls = tuple(_tool_call(call["function"]) for call in parsed.get("tool_calls") or ())
            except (ValueError, KeyError, TypeError):
                calls = ()  # malformed calls stay text; the agent reports the error to the model
            if calls:
                return parsed.get("content") or "", calls
        return self._tokenizer.decode(reply_ids, skip_special_tokens=False), ()

    async def _decode(self, generation: GenerationRequest) -> list[int]:
        request = _WaitingRequest(generation, asyncio.get_running_loop().create_future())
        loop = asyncio.get_running_loop()
        if self._worker is not None and self._worker.get_loop() is not loop:  # of a loop that has ended
            self._worker, self._call_jobs, self._waiting = None, None, []
        self._waiting.append(request)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._decode_waiting())
        return await request.tokens

    async def _decode_waiting(self) -> None:
        """Decode until no request is left: at each token, waiting ones may join."""
        in_flight: dict[int, _WaitingRequest] = {}  # by the id of their generation
        try:
            await self._decode_until_done(in_flight)
        except Exception as error:
            for request in (*in_flight.values(), *self._waiting):
                if not request.tokens.done():
                    request.tokens.set_exception(error)
        finally:  # nothing is left to be cancelled, unless this task was
            for request in (*in_flight.values(), *self._waiting):
                request.tokens.cancel()
            self._waiting = []

    async def _decode_until_done(self, in_flight: dict[int, _WaitingRequest]) -> None:
        self._decoder.drop()  # what a cancelled worker has left
        has_news = True  # whether a request came or ended since the last token
        while True:
            if has_news:
                await self._wait_for_requests()
            self._waiting = [request for request in self._waiting if not request.tokens.done()]
            chosen = set(map(id, self._decoder.choose([request.generation for request in self._waiting])))
            joining = [request for request in self._waiting if id(request.generation) in chosen]
            self._waiting = [request for request in self._waiting if id(request.generation) not in chosen]
            in_flight |= {id(request.generation): request for request in joining}
            if not in_flight:
                return
            try:
                finished = await asyncio.to_thread(self._decoder.step, [request.generation for request in joining])
            except Exception as error:
                self._decoder.drop()
                for request in in_flight.values():
                    if not request.tokens.done():
                        request.tokens.set_exception(error)
                in_flight.clear()
                has_news = True
                continue
            for generation, tokens in finished:
                request = in_flight.pop(id(generation))
                if not request.tokens.done():
                    request.tokens.set_result(tokens)
            has_news = bool(finished) or not in_flight

    async def _wait_for_requests(self) -> None:
        """Wait until all chains have sent their next request, at most CALL_WAIT_S seconds, so that many are in flight.

        Between a reply and the next request a chain has a job in the call thread, which runs jobs in order. So when an
        empty job is done, all jobs before it are done. While a job takes longer than that, tokens do not wait for it.
        """
        await _yield_to_event_loop()
        if self._call_jobs is None or self._call_jobs.done():
            self._call_jobs = asyncio.ensure_future(CALL_THREAD.run(_do_nothing))
            await asyncio.wait([self._call_jobs], timeout=CALL_WAIT_S)
        await _yield_to_event_loop()


async def _yield_to_event_loop() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def _do_nothing() -> None:
    return None


def _tool_call(function: dict[str, Any]) -> ToolCall:
    arguments = function["arguments"]
    return ToolCall(str(function["name"]), arguments if isinstance(arguments, str) else json.dumps(arguments))
