"""Servers that mean harm or are broken: each request ends in a reply or in a LostError, within bounds."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings

from tests.chat.hostile_servers import KEY, answers, check, client_of, raw_server

GOOD = b'{"choices": [{"message": {"content": "add(2, 3)"}, "finish_reason": "stop"}]}'


@pytest.fixture(autouse=True)
def key(monkeypatch) -> None:
    monkeypatch.setenv("TEACHER_API_KEY", KEY)


def test_no_answer_of_a_server_raises_anything_but_a_lost_error():
    with asyncio.Runner() as runner:
        server = raw_server()
        raw = runner.run(server.__aenter__())
        client = client_of(raw, timeout_s=20)

        @settings(max_examples=500, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
        @given(answers())
        def every_answer(answer: bytes) -> None:
            runner.run(asyncio.wait_for(check(raw, client, answer), 60))

        every_answer()
        runner.run(client.close())
        runner.run(server.__aexit__(None, None, None))
