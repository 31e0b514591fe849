"""A server that answers with any bytes, and a strategy for malformed and hostile responses."""

import asyncio
import contextlib
import gzip
import json
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hypothesis import strategies as st

from callwright.chat.model import Reply, Sampling
from callwright.chat.openai.completions import CompletionsClient, RequestFailedError
from callwright.chat.openai.reply import MAX_REQUEST_TOKENS
from tests.fakes import teacher

KEY = "pl4nted-key-of-no-known-form"
MESSAGES = [{"role": "user", "content": "Two and three?"}]


class CannedServer:
    """Answers every request with exactly the bytes of `answer`, and closes the connection."""

    def __init__(self) -> None:
        self.answer = b""
        self.requests: list[bytes] = []
        self.url = ""

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):  # the client may hang up at any time
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if b"content-length" in line)
            self.requests.append(head + await reader.readexactly(length))
            writer.write(self.answer)
            await writer.drain()
        with contextlib.suppress(ConnectionError):
            writer.close()
            await writer.wait_closed()


@asynccontextmanager
async def serve_canned() -> AsyncIterator[CannedServer]:
    canned = CannedServer()
    server = await asyncio.start_server(canned, "127.0.0.1", 0)
    canned.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    async with server:
        yield canned


def client_for(canned: CannedServer, **changes: object) -> CompletionsClient:
    return CompletionsClient(canned.url, KEY, teacher(base_url=canned.url, **changes))


def http(body: bytes, status: int = 200, *headers: tuple[str, str]) -> bytes:
    """A complete response, which ends when the connection is closed."""
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {status} Any\r\n{head}\r\n".encode("latin-1", "replace") + body


async def check(canned: CannedServer, client: CompletionsClient, answer: bytes) -> Reply | RequestFailedError:
    """Ask a server that gives this answer, and check that there is a usable reply or a RequestFailedError to show."""
    canned.answer = answer
    canned.requests.clear()
    try:
        outcome: Reply | RequestFailedError = await client.ask(MESSAGES, [], Sampling())
    except RequestFailedError as failure:
        outcome = failure
    if isinstance(outcome, Reply):
        usage = outcome.usage
        assert isinstance(outcome.text, str)
        assert 0 <= usage.cached_tokens <= usage.prompt_tokens <= MAX_REQUEST_TOKENS
        assert 0 <= usage.completion_tokens <= MAX_REQUEST_TOKENS
        assert all(isinstance(call.name, str) and isinstance(call.arguments, str) for call in outcome.tool_calls)
    else:
        line = str(outcome)
        assert KEY not in line
        assert line.isprintable()
        assert len(line) < 700
        assert outcome.wait_s is None or 0 < outcome.wait_s <= 3600
        assert outcome.error.reason
    return outcome


_WORDS = st.sampled_from(
    [KEY, f"Bearer {KEY}", "add(2, 3)", "content_filter", "length", "error", "maximum context length"]
)
_TEXT = st.text(max_size=20) | _WORDS | st.sampled_from(["\ud83d", "\x1b[31m", "\u202e", "\r\n", "x" * 5_000])
_NUMBERS = st.integers() | st.floats() | st.sampled_from([10**400, -(10**400), 2**63, 0, -1])
_FIELD_NAMES = [
    *(
        "choices",
        "message",
        "content",
        "finish_reason",
        "tool_calls",
        "function",
        "name",
        "arguments",
        "usage",
        "error",
    ),
    *("prompt_tokens", "completion_tokens", "prompt_tokens_details", "cached_tokens", "reasoning_content", "refusal"),
    *("type", "text", "code", "param", "detail", "msg", "index", "role"),
]
_VALUES = st.recursive(
    st.none() | st.booleans() | _NUMBERS | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_FIELD_NAMES), inner, max_size=5),
    max_leaves=12,
)


def _object(**fields: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """An object of a completion. In one of six, any field may have any value or be missing, or it is no object."""
    optional = {name: strategy | _VALUES for name, strategy in fields.items()}
    odd = st.fixed_dictionaries({}, optional=optional) | _VALUES
    return st.integers(0, 5).flatmap(lambda drawn: odd if drawn == 4 else st.fixed_dictionaries(fields))


_FUNCTION = _object(name=st.just("add"), arguments=st.just('{"a": 2, "b": 3}'))
_PART = _object(type=st.sampled_from(["text", "output_text", "refusal", "thinking"]), text=_TEXT)
_MESSAGE = _object(
    content=_TEXT | st.none() | st.lists(_PART, max_size=3),
    tool_calls=st.none() | st.lists(_object(function=_FUNCTION), max_size=3),
    reasoning_content=st.none() | _TEXT,
    refusal=st.none() | _TEXT,
)
_CHOICE = _object(
    message=_MESSAGE, finish_reason=st.sampled_from(["stop", "length", "content_filter", "error", "tool_calls"])
)
_USAGE = _object(
    prompt_tokens=_NUMBERS, completion_tokens=_NUMBERS, prompt_tokens_details=_object(cached_tokens=_NUMBERS)
)
_COMPLETION = _object(choices=st.lists(_CHOICE, min_size=1, max_size=2), usage=_USAGE)
_ERROR = _object(error=_object(message=_TEXT, type=_TEXT, code=_TEXT | _NUMBERS, param=_TEXT))

_BOMBS = (
    b"[" * 100_000,
    b'{"choices":' * 50_000,
    b'{"choices": [{"message": {"content": ' + b"[" * 900 + b"]" * 900 + b"}}]}",
    b'{"error": {"message": "x", "code": ' + b"[" * 900 + b"]" * 900 + b"}}",
    b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": ' + b"9" * 5_000 + b"}}",
    b'{"choices": [{"message": {"content": "a", "content": "b"}}]}',
    b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": NaN, "completion_tokens": -Infinity}}',
    b'{"choices": [{"message": {"content": "x"}}]}'.decode().encode("utf-16"),
    b'{"choices": [{"message": {"content": "\xff\xfe"}}]}',
    b'{"choices": [{"message": {"content": "x',
    b"0" * 5_000_000,
    b"<html>" + b"x" * 300_000,
    b"",
)
_WRITTEN = (_COMPLETION | _COMPLETION | _ERROR).map(lambda value: json.dumps(value).encode())


def _body(number: int) -> st.SearchStrategy[bytes]:
    return st.just(_BOMBS[-number]) if 0 < number <= len(_BOMBS) else _WRITTEN


_BODIES = st.integers(0, 4 * len(_BOMBS)).flatmap(_body)


def _compressed(body: bytes, coding: str) -> bytes:
    return {"gzip": gzip.compress(body, 1), "deflate": zlib.compress(body, 1)}.get(coding, body)


_LINE = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=30)
_HEADERS = st.lists(
    st.tuples(st.sampled_from(["retry-after", "retry-after-ms"]), _NUMBERS.map(str) | _LINE)
    | st.tuples(st.just("retry-after"), st.datetimes().map(lambda when: when.strftime("%a, %d %b %Y %H:%M:%S GMT")))
    | st.tuples(st.just("content-encoding"), st.sampled_from(["gzip", "deflate", "br", "zstd", "gzip, gzip", "x," * 9]))
    | st.tuples(
        st.just("content-type"), st.sampled_from(["application/json; charset=idna", "text/html", "charset=hex"])
    )
    | st.tuples(
        st.just("location"), st.sampled_from(["http://127.0.0.1:1/", "//", "\x80", f"http://a:{KEY}@h/"]) | _LINE
    )
    | st.tuples(st.just("content-length"), st.integers(-1, 10**12).map(str) | _LINE)
    | st.tuples(st.just("transfer-encoding"), st.sampled_from(["chunked", "gzip", "chunked, chunked"]))
    | st.tuples(st.just("set-cookie"), _LINE | st.just("a=b; expires=" + "Mon, " * 500))
    | st.tuples(st.text("abcXYZ-:( ", min_size=1, max_size=9), _LINE),
    max_size=3,
)
_FAILURES = [
    *(100, 101, 201, 204, 301, 302, 304, 400, 401, 402, 403, 404, 408, 409, 413, 422, 425, 429, 451),
    *(500, 502, 503, 529, 599, 600, 999),
]
_STATUSES = st.integers(0, 2 * len(_FAILURES)).map(
    lambda number: _FAILURES[-number] if 0 < number <= len(_FAILURES) else 200
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """The bytes of a response: mostly a complete HTTP message with some hostile parts, sometimes anything."""
    if draw(st.integers(0, 19)) == 13:
        return draw(st.binary(max_size=200))
    headers = draw(_HEADERS) if draw(st.booleans()) else []
    body = draw(_BODIES)
    coding = next((value for name, value in headers if name == "content-encoding"), "")
    response = http(_compressed(body, coding) if draw(st.booleans()) else body, draw(_STATUSES), *headers)
    return response[: draw(st.integers(0, len(response)))] if draw(st.integers(0, 9)) == 7 else response
