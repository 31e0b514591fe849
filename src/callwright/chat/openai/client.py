"""HTTP with one model server. Only the headers listed here are sent, and replies are bounded in size.

Imports openai and httpx2, so it is itself imported only where a connection is made.
"""

from collections.abc import Mapping
from http.cookiejar import CookieJar
from typing import Any

import httpx2
import openai

MAX_REPLY_BYTES = 4 * 2**20  # after decompression; a reply of 4,000 tokens with its reasoning has 20 kB
MAX_ERROR_BYTES = 64 * 2**10  # the rest of an error's body is not read


class BadStatusError(Exception):
    """The server answered with a status other than success.

    Args:
        body: at most MAX_ERROR_BYTES of it, decompressed.
    """

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers
        self.body = body


class ReplyTooLargeError(Exception):
    """A reply has more than MAX_REPLY_BYTES; the rest was not read."""


class ServerClient(openai.AsyncOpenAI):
    """The openai client without what it adds from the environment: organization, project and custom headers."""

    @property
    def default_headers(self) -> dict[str, str | openai.Omit]:
        return {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "User-Agent": self.user_agent,
            "Authorization": f"Bearer {self.api_key}",
        }


class BoundedHttpClient(httpx2.AsyncClient):
    """An HTTP client that reads a body only up to a limit, follows no redirect and keeps no cookie.

    A redirect would carry the key and the prompt to an address that nobody configured.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(follow_redirects=False, cookies=_NoCookies(), **options)

    async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
        """Send a request and read the whole answer.

        Raises:
            BadStatusError: the status is no success.
            ReplyTooLargeError: the body is over the limit.
            httpx2.RequestError: there is no whole answer.
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
        return httpx2.Response(200, content=body, request=request)  # without headers: none of them is trusted


async def _read(response: httpx2.Response, limit: int) -> bytes:
    """The decompressed body. Reading stops once it exceeds the limit; a piece has at most 1 MiB."""
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > limit:
            break
    return bytes(body)


class _NoCookies(CookieJar):
    def extract_cookies(self, response: Any, request: Any) -> None:
        pass

    def add_cookie_header(self, request: Any) -> None:
        pass
