"""The chat completions of one server: one request, and what it means that no reply comes."""

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from callwright.chat.model import Message, Reply, Sampling, Tool
from callwright.chat.openai.rate_limiter import retry_after_s
from callwright.chat.openai.refusal import ErrorBody, read_error_body
from callwright.chat.openai.reply import NoReplyError, NotACompletionError, parse_body, read_reply
from callwright.errors import EndpointUnusableError, ProviderError
from callwright.params import TeacherParams
from callwright.redaction import redacted_line

_CONNECTION_POOLS = 16  # of connections: the library looks through all of a pool for every request
_BUSY_STATUSES = (429, 503)
_RETRYABLE_STATUSES = (408, 409, 425)  # and every 5xx
_BAD_REQUEST_STATUSES = (400, 413, 422)
_LARGE_BODY_BYTES = 64 * 2**10  # bytes of JSON that are parsed beside the event loop; fewer take under a millisecond
_MAX_ADDRESS_CHARACTERS = 200  # characters of an address that a server sent


class RequestFailedError(Exception):
    """A request without a reply.

    Args:
        error: one line for the person, with the reason under which it is counted.
        heals: the same request may be answered later.
        busy: the server asks for fewer requests; `wait_s`: for how long, where it says so.
        slow: the time limit was reached.
        unreachable: nobody listens there.
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
    """A client of one server. It asks once: retries are the caller's, who knows of the other requests.

    Args:
        app: an ASGI app that answers in process, in place of the network.
        section: of params.yaml, which errors name.
    """

    def __init__(self, url: str, key: str, teacher: TeacherParams, app: Any = None, section: str = "teacher") -> None:
        import httpx2
        import openai

        from callwright.chat.openai import client

        self._httpx, self._openai, self._http_client = httpx2, openai, client
        self._address, self._model, self._key_env = completions_address(url), teacher.model, teacher.api_key_env
        self._secrets = () if app is not None else (key,)
        self._request = teacher.request
        self._timeout_s = teacher.timeout_s
        self._section, self._server = section, f"{section.rpartition('.')[2]} at {url}"
        unbounded = httpx2.Limits(max_connections=None, max_keepalive_connections=None)  # requests are, elsewhere
        verify = httpx2.create_ssl_context()
        self._clients = [
            client.ServerClient(
                base_url=url,
                api_key=key,
                timeout=teacher.timeout_s,
                max_retries=0,
                http_client=client.BoundedHttpClient(
                    timeout=teacher.timeout_s,
                    limits=unbounded,
                    verify=verify,
                    transport=None if app is None else httpx2.ASGITransport(app=app),
                ),
            )
            for _ in range(_CONNECTION_POOLS if app is None else 1)
        ]
        self._next_client = itertools.cycle(self._clients).__next__

    async def ask(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """One request; `tool_choice` and `parallel_tool_calls` are left to the server, as some refuse them.

        Raises:
            RequestFailedError: there is no reply.
        """
        content = self._encode(self._body(messages, tools, sampling))
        try:
            async with asyncio.timeout(self._timeout_s):  # the client's own limit is one between two pieces of a body
                answer = await self._post(content)
                return read_reply(await parse_off_the_event_loop(parse_body, answer), len(content), self._secrets)
        except self._http_client.BadStatusError as refused:
            raise self._error_of_status(refused, bool(tools)) from None
        except self._http_client.ReplyTooLargeError:
            limit = f"{self._http_client.MAX_REPLY_BYTES / 2**20:.0f} MiB"
            check = f"check {self._section}.base_url and rollout.max_tokens"
            line = f"{self._server} sent a reply of more than {limit}: {check}"
            raise RequestFailedError(ProviderError(line, "reply too large")) from None
        except NotACompletionError as error:
            line = (
                f"{self._server} sent what is no chat completion: check {self._section}.base_url (it often ends in /v1)"
            )
            raise RequestFailedError(ProviderError(line, error.reason), retryable=True) from None
        except NoReplyError as error:
            raise RequestFailedError(
                ProviderError(f"{self._server} {error}", error.reason), retryable=error.retryable
            ) from None
        except (TimeoutError, self._openai.APITimeoutError):
            line = f"{self._server} did not answer in time: raise teacher.timeout_s or check the server"
            raise RequestFailedError(ProviderError(line, "timed out"), retryable=True, slow=True) from None
        except (self._openai.APIConnectionError, self._httpx.InvalidURL, OSError) as error:
            raise self._error_of_connection(error) from None

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    def _body(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> dict[str, Any]:
        """The request; `teacher.request` replaces fields of it, and null leaves one out."""
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
            RequestFailedError: UTF-8 cannot write it (a lone surrogate); no server is at fault.
        """
        try:
            text = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
            return text.encode()
        except UnicodeEncodeError:
            line = (
                f"a request to the {self._server} cannot be written in UTF-8: its text holds half of a surrogate pair"
            )
            raise RequestFailedError(ProviderError(line, "unwritable request")) from None

    async def _post(self, content: bytes) -> bytes:
        # Not `chat.completions.create`: its typed models cost as much time as all the rest, and check nothing.
        client = self._next_client()
        response: Any = await client.post(self._address, cast_to=self._httpx.Response, content=content)
        body: bytes = response.content
        return body

    def _error_of_status(self, refused: Any, with_tools: bool) -> RequestFailedError:
        """What a status says; the server's own words are shown where they help, without the key."""
        at, status, section = self._server, int(refused.status), self._section
        refusal = read_error_body(refused.body, self._secrets)
        reason = f"answered {status}"
        if 300 <= status < 400:
            where = (
                redacted_line(refused.headers.get("location", ""), _MAX_ADDRESS_CHARACTERS, self._secrets) or "nowhere"
            )
            line = f"{at} answered {status}, a redirect to {where}, which is not followed: check {section}.base_url"
            return RequestFailedError(EndpointUnusableError(line, "redirected"))
        if status == 401:
            return RequestFailedError(
                EndpointUnusableError(f"{at} answered 401: check the key in {self._key_env}", reason)
            )
        if status == 403:
            advice = f"check the key in {self._key_env}, and what it may do"
            return RequestFailedError(ProviderError(f"{at} answered 403: {advice}{_server_reason(refusal)}", reason))
        if status == 404:
            line = f"{at} knows no model {self._model} (404): check {section}.model and {section}.base_url"
            return RequestFailedError(EndpointUnusableError(f"{line}{_server_reason(refusal)}", reason))
        if status == 402 or refusal.no_credit():
            return RequestFailedError(
                EndpointUnusableError(f"{at} answered {status}: the account has no credit left", reason)
            )
        if status in _BAD_REQUEST_STATUSES and refusal.filtered():
            line = f"{at} answered {status}: the prompt was filtered{_server_reason(refusal)}"
            return RequestFailedError(ProviderError(line, "content filter"))
        if status == 413 or (status in _BAD_REQUEST_STATUSES and refusal.too_long()):
            line = (
                f"{at} answered {status}: the conversation is longer than the model's context: "
                "lower rollout.max_steps or rollout.max_tokens, or serve the model with more"
            )
            return RequestFailedError(ProviderError(line, "too long"))
        wait_s = retry_after_s(refused.headers)
        retryable = status in (*_BUSY_STATUSES, *_RETRYABLE_STATUSES) or status >= 500
        busy = status in _BUSY_STATUSES or (retryable and wait_s is not None)
        hint = self._hint(refusal, with_tools) if status in _BAD_REQUEST_STATUSES else ""
        line = f"{at} {reason}{hint}{_server_reason(refusal)}"
        return RequestFailedError(ProviderError(line, reason), retryable=retryable, busy=busy, wait_s=wait_s)

    def _hint(self, refusal: ErrorBody, with_tools: bool) -> str:
        if refusal.field is not None:
            return f": {self._section}.request can change or leave out {refusal.field}"
        return ": does this server take tools? rollout.protocol: text needs none" if with_tools else ""

    def _error_of_connection(self, error: Exception) -> RequestFailedError:
        at, section, cause = self._server, self._section, error.__cause__
        if isinstance(error, self._httpx.InvalidURL):
            line = f"{at} cannot be asked, as the address is none: check {section}.base_url"
            return RequestFailedError(EndpointUnusableError(line, "invalid address"))
        if isinstance(cause, self._httpx.ConnectError | self._httpx.UnsupportedProtocol):
            line = f"{at} cannot be reached: check {section}.base_url and that the server runs"
            return RequestFailedError(ProviderError(line, "unreachable"), retryable=True, unreachable=True)
        if isinstance(cause, self._httpx.DecodingError):
            line = f"{at} sent a body that cannot be decompressed: check {section}.base_url"
            return RequestFailedError(ProviderError(line, "no completion"), retryable=True)
        return RequestFailedError(ProviderError(f"{at} broke off the connection", "connection lost"), retryable=True)


def completions_address(base_url: str) -> str:
    """Where chat completions are asked for; the query of a base URL stays behind the path.

    >>> completions_address("http://host/openai/deployments/gpt/?api-version=2024-10-21")
    'http://host/openai/deployments/gpt/chat/completions?api-version=2024-10-21'
    """
    parts = urlsplit(base_url)
    return urlunsplit(parts._replace(path=parts.path.rstrip("/") + "/chat/completions"))


async def parse_off_the_event_loop(parse: Callable[[bytes], object], body: bytes) -> object:
    """Parse a body, a large one in a thread: the requests of other chains go on meanwhile."""
    return await asyncio.to_thread(parse, body) if len(body) > _LARGE_BODY_BYTES else parse(body)


def _server_reason(refusal: ErrorBody) -> str:
    return f" (the server says: {refusal.words})" if refusal.words else ""
