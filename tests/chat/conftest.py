"""Real HTTP servers on loopback ports, and a tiny model that has memorized one conversation."""

import importlib.util
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from callwright.agent.loop import take_steps
from callwright.agent.native import NATIVE
from callwright.chat.model import Reply, ToolCall
from callwright.chat.template import template_messages
from callwright.functions.toolbox import Toolbox
from callwright.records import Step, Usage
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.functions import add, answer
from callwright.tasks.task import Task


class Servers:
    """Serves ASGI apps in threads, each on a loopback port: `serve(app)` returns its OpenAI base URL."""

    def __init__(self) -> None:
        self._running: dict[str, tuple[uvicorn.Server, threading.Thread]] = {}

    def __call__(self, app: Any, port: int = 0) -> str:
        server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "the server did not start"
            time.sleep(0.01)
        url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
        self._running[url] = (server, thread)
        return url

    def stop(self, url: str) -> None:
        server, thread = self._running.pop(url)
        server.should_exit = True
        thread.join(5)

    def stop_all(self) -> None:
        for url in list(self._running):
            self.stop(url)


@pytest.fixture
def serve() -> Iterator[Servers]:
    servers = Servers()
    yield servers
    servers.stop_all()


def unused_port() -> int:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return int(unused.getsockname()[1])


TOOLBOX = Toolbox([add, answer])
SUM = Task("sum", TOOLBOX, "Solve the problem.", TASKS["arithmetic"].grade)
QUESTION = "Ana has 2 figs and picks 3 more. How many figs has she?"


def memorized_steps() -> list[Step]:
    """The steps that the tiny model has memorized: add(2, 3), then answer(5)."""
    calls = (ToolCall("add", '{"a": 2, "b": 3}'), ToolCall("answer", '{"value": 5}'))
    tools = TOOLBOX.open()
    replies = [Reply(text, "stop", Usage(), (call,)) for text, call in zip(("", ""), calls, strict=True)]
    return [step for reply in replies for step in take_steps(reply, NATIVE, TOOLBOX, tools)]


def template(name: str) -> str:
    """A chat template that ships inside TRL, unchanged."""
    trl = importlib.util.find_spec("trl")
    assert trl and trl.origin
    return (Path(trl.origin).parent / "chat_templates" / f"{name}.jinja").read_text()


def tokenizer_for(chat_template: str, texts: list[str], end: str = "<|im_end|>") -> Any:
    """A byte-level tokenizer with a template. It can encode any text."""
    from transformers import AddedToken

    from callwright.standins.embedded.tokenizer import train_tokenizer

    tokenizer = train_tokenizer(texts, 700)
    tokenizer.add_tokens([AddedToken(end, special=True), AddedToken("<|im_start|>", special=True)])
    tokenizer.add_tokens(["<tool_call>", "</tool_call>"])
    tokenizer.eos_token = end
    tokenizer.chat_template = chat_template
    return tokenizer


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a Qwen2 model of some thousand parameters with Qwen 2.5's template. It memorized a conversation."""
    import torch
    from transformers import AutoTokenizer, Qwen2Config, Qwen2ForCausalLM

    messages, tools = NATIVE.render(SUM, QUESTION, memorized_steps())
    dialogue = template_messages(messages[:-1])
    texts = [json.dumps(message) for message in dialogue] + [json.dumps(tools)]
    tokenizer = tokenizer_for(template("qwen2_5"), texts)
    torch.manual_seed(0)
    model = Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=len(tokenizer),
            hidden_size=64,
            intermediate_size=128,
            num_hidden_layers=2,
            num_attention_heads=2,
            num_key_value_heads=1,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            bos_token_id=None,
            tie_word_embeddings=True,
        )
    )
    folder = tmp_path_factory.mktemp("tiny_model") / "model"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)  # the library splits words differently for a Qwen2 model

    def dialogue_ids(count: int, add_generation_prompt: bool) -> list[int]:
        ids: list[int] = tokenizer.apply_chat_template(
            dialogue[:count],
            tools=tools,
            tokenize=True,
            return_dict=False,
            add_generation_prompt=add_generation_prompt,
        )
        return ids

    batch = torch.tensor([dialogue_ids(5, False)])  # system, question, call, result, call
    labels = torch.full_like(batch, -100)
    for index in (2, 4):
        start, end = len(dialogue_ids(index, True)), len(dialogue_ids(index + 1, False))
        labels[0, start:end] = batch[0, start:end]
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    for _ in range(120):
        loss = model(input_ids=batch, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert float(loss.detach()) < 0.1
    model.save_pretrained(folder)
    return folder
