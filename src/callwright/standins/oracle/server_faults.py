"""Server faults injected into the oracle's responses, as busy providers have them."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, fields
from typing import Any

Event = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

_PIECES = 20  # in which a slow body is sent
_GARBLED_BODIES = (b'{"detail": "try again"}', b"[]", b"upstream error", b'{"choices": [{"message": "add(2, 3)"}]}')


@dataclass(frozen=True, slots=True)
class ServerFaults:
    """Shares of the requests that fail in each way; together at most 1.

    Attributes:
        busy: 429 with Retry-After of `retry_after_s`.
        broken: 500.
        dropped: the connection is closed without an answer.
        truncated: the connection is closed in the middle of a good answer; in process, the answer just ends there.
        empty: 200, a completion without choices.
        garbled: 200, a body that is not a completion.
        slow: the body of a good answer is sent in pieces over `slow_s` seconds.
        retry_after_s: of `busy`, in seconds.
        slow_s: of `slow`, in seconds.
    """

    busy: float = 0.0
    broken: float = 0.0
    dropped: float = 0.0
    truncated: float = 0.0
    empty: float = 0.0
    garbled: float = 0.0
    slow: float = 0.0
    retry_after_s: float = 0.01
    slow_s: float = 10.0

    def shares(self) -> dict[str, float]:
        """The share of each fault, by its name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if not field.name.endswith("_s")}


NO_FAULTS = ServerFaults()


class FaultInjection:
    """ASGI middleware that injects the faults. It draws a fault per request, in the order in which requests arrive.

    Args:
        injected: counts the drawn faults by name.
    """

    def __init__(self, app: App, faults: ServerFaults, seed: int, injected: Counter[str]) -> None:
        self._app, self._faults, self._injected = app, faults, injected
        self._rng = random.Random(f"faults/{seed}")

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        fault = self._draw() if scope.get("path", "").endswith("/chat/completions") else None
        match fault:
            case None:
                await self._app(scope, receive, send)
            case "busy":
                headers = [(b"retry-after", str(self._faults.retry_after_s).encode())]
                await _answer(send, 429, b'{"error": {"message": "too many requests"}}', headers)
            case "broken":
                await _answer(send, 500, b'{"error": {"message": "something broke"}}')
            case "dropped":
                await _hang_up(receive, at_once=True)
            case "empty":
                await _answer(send, 200, json.dumps({"object": "chat.completion", "choices": []}).encode())
            case "garbled":
                await _answer(send, 200, self._rng.choice(_GARBLED_BODIES))
            case _:
                start, body = await _collect_response(self._app, scope, receive)
                await send(start)
                await (self._truncate if fault == "truncated" else self._send_slowly)(body, receive, send)

    def _draw(self) -> str | None:
        drawn = self._rng.random()
        for name, share in self._faults.shares().items():
            if drawn < share:
                self._injected[name] += 1
                return name
            drawn -= share
        return None

    async def _truncate(self, body: bytes, receive: Receive, send: Send) -> None:
        served = _connection(receive) is not None
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": served})
        if served:
            await _hang_up(receive)

    async def _send_slowly(self, body: bytes, _: Receive, send: Send) -> None:
        size = len(body) // _PIECES + 1
        for start in range(0, len(body), size):
            await asyncio.sleep(self._faults.slow_s / _PIECES)
            more = start + size < len(body)
            await send({"type": "http.response.body", "body": body[start : start + size], "more_body": more})


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]] | None = None) -> None:
    response_headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        *(headers or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": response_headers})
    await send({"type": "http.response.body", "body": body})


async def _collect_response(app: App, scope: Mapping[str, Any], receive: Receive) -> tuple[Event, bytes]:
    """The app's response: its start event and its whole body."""
    events: list[Event] = []

    async def keep(event: Event) -> None:
        events.append(event)

    await app(dict(scope), receive, keep)
    return events[0], b"".join(event.get("body", b"") for event in events[1:])


def _connection(receive: Receive) -> asyncio.Transport | None:
    """The connection of a request, read from the object that uvicorn's `receive` belongs to; None in process."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    return transport if isinstance(transport, asyncio.Transport) else None


async def _hang_up(receive: Receive, at_once: bool = False) -> None:
    connection = _connection(receive)
    if connection is None:
        raise ConnectionResetError("the oracle dropped the connection")
    if at_once:
        connection.abort()
    else:
        connection.close()  # data already written is still sent
    await asyncio.sleep(0)  # let the server see the closed connection before the response ends
