"""The native protocol against the real `transformers serve`, with the tiny model."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from callwright.agent.loop import solve
from callwright.agent.protocol import NATIVE
from callwright.chat.model import Sampling
from callwright.chat.openai.endpoint import EndpointChat
from callwright.records import Problem
from tests.chat.conftest import QUESTION, SUM, memorized_steps, unused_port
from tests.fakes import teacher

pytest.importorskip("fastapi", reason="transformers serve needs transformers[serving]")
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("training")]


@pytest.fixture(scope="module")
def served(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a server of the tiny model."""
    port = unused_port()
    log = tmp_path_factory.mktemp("serve") / "output.txt"
    command = [str(Path(sys.executable).with_name("transformers")), "serve", str(tiny_model), "--port", str(port)]
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, "--host", "127.0.0.1", "--device", "cpu"],
            env={**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            deadline = time.monotonic() + 120
            while not _answers(f"http://127.0.0.1:{port}/health"):
                assert server.poll() is None and time.monotonic() < deadline, log.read_text()[-2000:]
                time.sleep(0.3)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait(20)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


async def test_messages_tools_and_results_are_sent_and_tool_calls_are_returned(served, tiny_model, monkeypatch):
    monkeypatch.setenv("TEACHER_API_KEY", "any")
    # Retries, because the server closes the connection that the next request would use
    model = EndpointChat(teacher(base_url=served, model=str(tiny_model), timeout_s=60, max_retries=2))
    await model.probe(*NATIVE.render(SUM, QUESTION, ()), Sampling(max_tokens=64))
    problem = Problem("p", "arithmetic", QUESTION, "5", (), "test", "g", "test")
    chain = await solve(problem, SUM, model, Sampling(max_tokens=64), NATIVE)
    await model.close()
    assert list(chain.steps) == memorized_steps()
    assert (chain.outcome, chain.answer) == ("answered", "5")
    assert chain.usage.prompt_tokens > 300
