"""The oracle in a separate process. It answers after LATENCY_S seconds, and records the attempt of each request.

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
    """An ASGI app in front of the oracle. GET /requests/N returns [question, seed] of each request from the Nth on."""

    def __init__(self, app: Any, latency_s: float) -> None:
        self._app = app
        self._latency_s = latency_s
        self.requests: list[tuple[str, int]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path, _, earlier = scope["path"].rpartition("/")
        if path == "/requests":
            headers = [(b"content-type", b"application/json")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            await send({"type": "http.response.body", "body": json.dumps(self.requests[int(earlier) :]).encode()})
            return

        async def receive_and_record() -> Any:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                parts.append(message["body"])
                request = json.loads(b"".join(parts))
                self.requests.append((request["messages"][1]["content"], request["seed"]))
                await asyncio.sleep(self._latency_s)
            elif message["type"] == "http.request":
                parts.append(message["body"])
            return message

        parts: list[bytes] = []
        await self._app(scope, receive_and_record, send)


class ServerWithPortFile(uvicorn.Server):
    """Writes its port to a file once it listens."""

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
