"""The oracle in a process of its own: it answers after a while, and remembers which attempts asked.

python -m tests.rollouts.oracle_process PROBLEMS PORT_FILE LATENCY_S
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import uvicorn

from callwright.records import Problem
from callwright.standins.oracle.app import create_app
from callwright.storage.jsonl import read
from tests.fakes import NO_MISTAKES


class RecordingApp:
    """An ASGI app in front of the oracle; GET /asked/N gives [question, seed] of each request after N."""

    def __init__(self, app: Any, latency_s: float) -> None:
        self._app = app
        self._latency_s = latency_s
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        place, _, earlier = scope["path"].rpartition("/")
        if place == "/asked":
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(self.asked[int(earlier) :]).encode()})
            return

        async def read_and_note() -> Any:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                parts.append(message["body"])
                request = json.loads(b"".join(parts))
                self.asked.append((request["messages"][1]["content"], request["seed"]))
                await asyncio.sleep(self._latency_s)
            elif message["type"] == "http.request":
                parts.append(message["body"])
            return message

        parts: list[bytes] = []
        await self._app(scope, read_and_note, send)


class ServerWithPortFile(uvicorn.Server):
    """Writes its port where the test looks for it, once it listens."""

    def __init__(self, config: uvicorn.Config, port_file: Path) -> None:
        super().__init__(config)
        self._port_file = port_file

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self._port_file.write_text(str(self.servers[0].sockets[0].getsockname()[1]))


def main(problems: Path, port_file: Path, latency_s: float) -> None:
    app = RecordingApp(create_app(read(Problem, problems), {**NO_MISTAKES, "wrong_operand": 0.3}), latency_s)
    ServerWithPortFile(uvicorn.Config(app, port=0, log_level="error", lifespan="off"), port_file).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
