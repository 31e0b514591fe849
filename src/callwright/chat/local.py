"""A chat model in this process: any causal language model with a chat template."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import torch

from callwright.chat.decoding import Decoder, Row
from callwright.chat.model import Message, Reply, Sampling, Tool
from callwright.errors import ProviderError
from callwright.records import Usage


def pick_device() -> torch.device:
    """The accelerator if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


class LocalChat:
    """Gathers the requests that wait and answers them in one batch.

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
            self._tokenizer = AutoTokenizer.from_pretrained(str(path), revision=revision)
            device = pick_device()
            dtype = torch.bfloat16 if device.type == "cuda" else torch.float32
            model = AutoModelForCausalLM.from_pretrained(str(path), revision=revision, dtype=dtype)
        except (OSError, ValueError) as error:
            raise ProviderError(f"no model could be loaded from {path}: {str(error).splitlines()[0]}") from None
        if not self._tokenizer.chat_template:
            raise ProviderError(f"the tokenizer in {path} has no chat template; use an instruction-tuned model")
        stops = model.generation_config.eos_token_id
        stops = stops if isinstance(stops, list) else [stops]
        self._stop_ids = frozenset(stop for stop in [*stops, self._tokenizer.eos_token_id] if stop is not None)
        self._limit = getattr(model.config, "max_position_embeddings", None)
        self._decoder = Decoder(model.to(device).eval(), self._stop_ids)
        self._waiting: list[tuple[Row, asyncio.Future[list[int]]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        ids = self._tokenizer.apply_chat_template(
            list(messages), tools=list(tools) or None, add_generation_prompt=True, tokenize=True, return_dict=False
        )
        if self._limit and len(ids) + sampling.max_tokens > self._limit:
            raise ProviderError(f"{self.name}: the prompt of {len(ids)} tokens does not fit {self._limit} positions")
        row = Row(
            tuple(ids), sampling.temperature, sampling.top_p, sampling.max_tokens, f"{sampling.seed}/{len(messages)}"
        )
        made = await self._decoded(row)
        stopped = bool(made) and made[-1] in self._stop_ids
        text = self._tokenizer.decode(made[:-1] if stopped else made, skip_special_tokens=True)
        return Reply(text, "stop" if stopped else "length", Usage(len(ids), len(made)))

    async def _decoded(self, row: Row) -> list[int]:
        future: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((row, future))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while True:
            for _ in range(3):  # let every chain that can go on put its next request in
                await asyncio.sleep(0)
            batch, self._waiting = self._waiting[: self._max_batch], self._waiting[self._max_batch :]
            if not batch:
                return
            try:
                made = await asyncio.to_thread(self._decoder.continue_rows, [row for row, _ in batch])
            except Exception as error:
                for _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, future), tokens in zip(batch, made, strict=True):
                if not future.done():
                    future.set_result(tokens)
