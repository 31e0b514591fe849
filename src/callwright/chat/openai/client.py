"""HTTP to one model server. Only the headers listed here are sent, and the size of replies is limited.

It imports openai and httpx2, so import it only where a connection is made.
"""

from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Any

import httpx2
import openai

MAX_REPLY_BYTES = 4 * 2**20  # after decompression; 4,000 tokens with their reasoning take 20 kB
MAX_ERROR_BYTES = 64 * 2**10  # the rest of an error's body is not read


class BadStatusError(Exception):
    """The server answered with a status that is not 2xx.

    Args:
        body: decompressed, at most MAX_ERROR_BYTES.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers
        self.body = body


class ReplyTooLargeError(Exception):
    """A reply has more than MAX_REPLY_BYTES. The rest was not read."""


class ServerClient(openai.AsyncOpenAI):
    """The openai client without the headers it takes from the environment: organization, project, custom headers."""

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": self.user_agent,
            "Authorization": f"Bearer {self.api_key}",
        }


class BoundedHttpClient(httpx2.AsyncClient):
    """An HTTP client that reads bodies only up to a limit, follows no redirects and keeps no cookies.

    A redirect would send the key and the prompt to an address that nobody configured.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(follow_redirects=False, cookies=_NoCookies(), **options)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request and read the whole response.

        Raises:
            BadStatusError: the status is not 2xx.
            ReplyTooLargeError: the body is over the limit.
            httpx2.RequestError: the connection failed before the body was complete.
        """
        response = await super().send(request, **{**options, "stream": True, "follow_redirects": False})
        try:
            body = await _read(response, MAX_REPLY_BYTES if response.is_success else MAX_ERROR_BYTES)
        finally:
            await response.aclose()
        if not response.is_success:
            raise BadStatusError(response.status_code, response.headers, body[:MAX_ERROR_BYTES])
        if len(body) > MAX_REPLY_BYTES:
            raise ReplyTooLargeError
        # Only the body is used: the headers are not trusted, and every 2xx status means the same
        return httpx2.Response(200, content=body, request=request)


async def _read(response: httpx2.Response, limit: int) -> bytes:
    """The decompressed body. Reading stops with the chunk that exceeds the limit."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            break
    return bytes(body)


class _NoCookies(CookieJar):
    def extract_cookies(self, response: Any, request: Any) -> None:
        pass

    def add_cookie_header(self, request: Any) -> None:
        pass
