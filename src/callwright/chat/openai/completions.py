"""One request for a chat completion to one server, and the error if there is no reply."""

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from callwright.chat.model import Message, Reply, Sampling, Tool
from callwright.chat.openai.label import NO_SECTION, EndpointLabel
from callwright.chat.openai.rate_limiter import retry_after_s
from callwright.chat.openai.refusal import ErrorBody, read_error_body
from callwright.chat.openai.reply import NO_COMPLETION, NoReplyError, NotACompletionError, parse_body, read_reply
from callwright.errors import EndpointUnusableError, ProviderError
from callwright.params import EndpointParams
from callwright.redaction import redacted_line

_CONNECTION_POOLS = 16  # for every request the library searches all connections of a pool
_BUSY_STATUSES = (429, 503)
_RETRYABLE_STATUSES = (408, 409, 425)  # and every 5xx
_BAD_REQUEST_STATUSES = (400, 413, 422)
_LARGE_BODY_BYTES = 64 * 2**10  # larger JSON is parsed in a thread; smaller takes under a millisecond
_MAX_REDIRECT_CHARACTERS = 200  # of the address in a redirect, in an error line


class RequestFailedError(Exception):
    """A request failed.

    Args:
        error: one line for the user, with the reason under which the failure is counted.
        retryable: whether the same request may be answered later.
        busy: whether the server asks for fewer requests.
        wait_s: seconds that a busy server asks to wait; None if it does not say.
        slow: whether the time limit was reached.
        unreachable: whether nothing listens at the address.
    """

    def __init__(
        self,
        error: ProviderError,
        *,
        retryable: bool = False,
        busy: bool = False,
        wait_s: float | None = None,
        slow: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.retryable = retryable
        self.busy = busy
        self.wait_s = wait_s
        self.slow = slow
        self.unreachable = unreachable


class CompletionsClient:
    """A client of one server. It sends each request once: the caller retries, because it knows the other requests.

    Args:
        app: an ASGI app that answers in process, instead of a server.
        label: how error lines name the server and its settings.
    """

    def __init__(
        self, url: str, key: str, params: EndpointParams, app: Any = None, label: EndpointLabel = NO_SECTION
    ) -> None:
        import httpx2
        import openai

        from callwright.chat.openai import client

        self._httpx, self._openai, self._http_client = httpx2, openai, client
        self._url, self._model, self._key_env = completions_url(url), params.model, params.api_key_env
        self._secrets = () if app is not None else (key,)
        self._request = params.request
        self._timeout_s = params.timeout_s
        self._label, self._base_url, self._server = label, url, label.at(url)
        unlimited = httpx2.Limits(max_connections=None, max_keepalive_connections=None)  # RequestQueue limits requests
        verify = httpx2.create_ssl_context()
        self._clients = [
            client.ServerClient(
                base_url=url,
                api_key=key,
                timeout=params.timeout_s,
                max_retries=0,
                http_client=client.BoundedHttpClient(
                    timeout=params.timeout_s,
                    limits=unlimited,
                    verify=verify,
                    transport=None if app is None else httpx2.ASGITransport(app=app),
                ),
            )
            for _ in range(_CONNECTION_POOLS if app is None else 1)
        ]
        self._next_client = itertools.cycle(self._clients).__next__

    async def ask(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """Send one request. `tool_choice` and `parallel_tool_calls` are not sent, because some servers refuse them.

        Raises:
            RequestFailedError: there is no reply.
        """
        content = self._encode(self._body(messages, tools, sampling))
        try:
            async with asyncio.timeout(self._timeout_s):  # the client's own limit is per chunk of the body
                body = await self._post(content)
                return read_reply(await parse_off_the_event_loop(parse_body, body), len(content), self._secrets)
        except self._http_client.BadStatusError as error:
            raise self._error_from_status(error, bool(tools)) from None
        except self._http_client.ReplyTooLargeError:
            limit = f"{self._http_client.MAX_REPLY_BYTES / 2**20:.0f} MiB"
            check = f"check {self._setting('base_url')} and rollout.max_tokens"
            line = f"{self._server} sent a reply of more than {limit}: {check}"
            raise RequestFailedError(ProviderError(line, "reply too large")) from None
        except NotACompletionError as error:
            line = f"{self._server} {error}: check {self._setting('base_url')} (it often ends in /v1)"
            raise RequestFailedError(ProviderError(line, error.reason), retryable=True) from None
        except NoReplyError as error:
            raise RequestFailedError(
                ProviderError(f"{self._server} {error}", error.reason), retryable=error.retryable
            ) from None
        except (TimeoutError, self._openai.APITimeoutError):
            line = f"{self._server} did not answer in time: raise {self._setting('timeout_s')} or check the server"
            raise RequestFailedError(ProviderError(line, "timed out"), retryable=True, slow=True) from None
        except (self._openai.APIConnectionError, self._httpx.InvalidURL, OSError) as error:
            raise self._error_from_connection(error) from None

    async def close(self) -> None:
        """Close all connections."""
        for client in self._clients:
            await client.close()

    def _setting(self, name: str) -> str:
        return self._label.setting(name)

    def _body(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> dict[str, Any]:
        """The request. `request` in params.yaml replaces fields of it, and null removes a field."""
        body = {
            "model": self._model,
            "messages": list(messages),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
            **({"tools": list(tools)} if tools else {}),
            **self._request,
        }
        return {name: value for name, value in body.items() if value is not None}

    def _encode(self, body: Mapping[str, Any]) -> bytes:
        """The request as JSON.

        Raises:
            RequestFailedError: it cannot be encoded in UTF-8, because it contains a lone surrogate.
        """
        try:
            text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return text.encode()
        except UnicodeEncodeError:
            server = f"{self._label.subject} at {self._base_url}"
            line = f"a request to {server} cannot be encoded in UTF-8: it contains half of a surrogate pair"
            raise RequestFailedError(ProviderError(line, "unwritable request")) from None

    async def _post(self, content: bytes) -> bytes:
        # Not `chat.completions.create`: its typed models take as much time as all the rest, and check nothing
        client = self._next_client()
        response: Any = await client.post(self._url, cast_to=self._httpx.Response, content=content)
        body: bytes = response.content
        return body

    def _error_from_status(self, response: Any, with_tools: bool) -> RequestFailedError:
        """The error for a BadStatusError. The server's own reason is shown where it helps, without the key."""
        server, status, setting = self._server, int(response.status), self._setting
        error_body = read_error_body(response.body, self._secrets)
        server_says = f" (the server says: {error_body.reason})" if error_body.reason else ""
        reason = f"answered {status}"
        if 300 <= status < 400:
            location = redacted_line(response.headers.get("location", ""), _MAX_REDIRECT_CHARACTERS, self._secrets)
            target = location or "nowhere"
            line = f"{server} {reason}, a redirect to {target}, which is not followed: check {setting('base_url')}"
            return RequestFailedError(EndpointUnusableError(line, "redirected"))
        if status == 401:
            line = f"{server} answered 401: check the key in {self._key_env}"
            return RequestFailedError(EndpointUnusableError(line, reason))
        if status == 403:
            line = f"{server} {reason}: check the key in {self._key_env} and its permissions{server_says}"
            return RequestFailedError(ProviderError(line, reason))
        if status == 404:
            line = f"{server} has no model {self._model} (404): check {setting('model')} and {setting('base_url')}"
            return RequestFailedError(EndpointUnusableError(line + server_says, reason))
        if status == 402 or error_body.is_out_of_credit():
            line = f"{server} {reason}: the account has no credit left"
            return RequestFailedError(EndpointUnusableError(line, reason))
        if status in _BAD_REQUEST_STATUSES and error_body.is_filtered():
            line = f"{server} {reason}: the prompt was filtered{server_says}"
            return RequestFailedError(ProviderError(line, "content filter"))
        if status == 413 or (status in _BAD_REQUEST_STATUSES and error_body.is_too_long()):
            line = (
                f"{server} {reason}: the conversation is longer than the model's context: "
                "lower rollout.max_steps or rollout.max_tokens, or serve the model with a longer context"
            )
            return RequestFailedError(ProviderError(line, "too long"))
        wait_s = retry_after_s(response.headers)
        retryable = status in (*_BUSY_STATUSES, *_RETRYABLE_STATUSES) or status >= 500
        busy = status in _BUSY_STATUSES or (retryable and wait_s is not None)
        hint = self._hint(error_body, with_tools) if status in _BAD_REQUEST_STATUSES else ""
        line = f"{server} {reason}{hint}{server_says}"
        return RequestFailedError(ProviderError(line, reason), retryable=retryable, busy=busy, wait_s=wait_s)

    def _hint(self, error_body: ErrorBody, with_tools: bool) -> str:
        if error_body.field is not None:
            return f": {self._setting('request')} can change or leave out {error_body.field}"
        return ": does this server take tools? rollout.protocol: text needs none" if with_tools else ""

    def _error_from_connection(self, error: Exception) -> RequestFailedError:
        server, address, cause = self._server, self._setting("base_url"), error.__cause__
        if isinstance(error, self._httpx.InvalidURL):
            line = f"{server} has an invalid address: check {address}"
            return RequestFailedError(EndpointUnusableError(line, "invalid address"))
        if isinstance(cause, self._httpx.ConnectError | self._httpx.UnsupportedProtocol):
            line = f"{server} cannot be reached: check {address} and that the server runs"
            return RequestFailedError(ProviderError(line, "unreachable"), retryable=True, unreachable=True)
        if isinstance(cause, self._httpx.DecodingError):
            line = f"{server} sent a body that cannot be decompressed: check {address}"
            return RequestFailedError(ProviderError(line, NO_COMPLETION), retryable=True)
        line = f"{server} broke off the connection"
        return RequestFailedError(ProviderError(line, "connection lost"), retryable=True)


def completions_url(base_url: str) -> str:
    """The URL of chat completions. The query of a base URL stays behind the path.

    >>> completions_url("http://host/openai/deployments/gpt/?api-version=2024-10-21")
    'http://host/openai/deployments/gpt/chat/completions?api-version=2024-10-21'
    """
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/chat/completions"))


async def parse_off_the_event_loop(parse: Callable[[bytes], object], body: bytes) -> object:
    """Parse a body. A large one is parsed in a thread, so that other requests continue meanwhile."""
    return await asyncio.to_thread(parse, body) if len(body) > _LARGE_BODY_BYTES else parse(body)
