"""The chat completions of one server: one request, and what it means that no reply comes.

The only importer of openai.
"""

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any

from callwright.chat.limits import retry_after_s
from callwright.chat.model import Message, Reply, Sampling, Tool, ToolCall
from callwright.errors import EndpointUnusable, ProviderError
from callwright.params import TeacherParams
from callwright.records import Usage

_NOT_A_COMPLETION = (AttributeError, IndexError, KeyError, TypeError, ValueError)
_POOLS = 16  # of connections: the library looks through all of a pool for every request
_BUSY = (429, 503)
_HEALING = (408, 409, 425)  # and every 5xx
_TOO_LONG = ("context_length_exceeded", "exceed_context_size_error")  # OpenAI's and llama.cpp's words
_NO_CREDIT = "insufficient_quota"  # OpenAI's word; it comes with 429, and waiting does not help


class LostError(Exception):
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
        heals: bool = False,
        busy: bool = False,
        wait_s: float | None = None,
        slow: bool = False,
        unreachable: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        self.heals = heals
        self.busy = busy
        self.wait_s = wait_s
        self.slow = slow
        self.unreachable = unreachable


class Completions:
    """A client of one server. It asks once: retries are the caller's, who knows of the other requests.

    Args:
        app: an ASGI app that answers in process, in place of the network.
        section: of params.yaml, which errors name.
    """

    def __init__(self, url: str, key: str, teacher: TeacherParams, app: Any = None, section: str = "teacher") -> None:
        import httpx2
        import openai

        self._httpx, self._openai = httpx2, openai
        self._url, self._model, self._key_env = url, teacher.model, teacher.api_key_env
        self._timeout_s = teacher.timeout_s
        self._section, self._at = section, f"{section.rpartition('.')[2]} at {url}"
        unbounded = httpx2.Limits(max_connections=None, max_keepalive_connections=None)  # requests are, elsewhere
        verify = httpx2.create_ssl_context()
        self._clients = [
            openai.AsyncOpenAI(
                base_url=url,
                api_key=key,
                timeout=teacher.timeout_s,
                max_retries=0,
                http_client=openai.DefaultAsyncHttpxClient(
                    limits=unbounded, verify=verify, transport=None if app is None else httpx2.ASGITransport(app=app)
                ),
            )
            for _ in range(_POOLS if app is None else 1)
        ]
        self._next_client = itertools.cycle(self._clients).__next__

    async def ask(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """One request; `tool_choice` and `parallel_tool_calls` are left to the server, as some refuse them.

        Raises:
            LostError: there is no reply.
        """
        body = {
            "model": self._model,
            "messages": list(messages),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
            **({"tools": list(tools)} if tools else {}),
        }
        try:
            async with asyncio.timeout(self._timeout_s):  # the client's own limit is one between two pieces of a body
                # Not `chat.completions.create`: its typed models cost as much time as all the rest, and check nothing.
                answer = await self._next_client().post("/chat/completions", cast_to=self._httpx.Response, body=body)
            return _read(answer.json())
        except self._openai.APIStatusError as error:
            raise self._refused(error, bool(tools)) from None
        except Exception as error:
            raise self._failed(error) from None

    async def close(self) -> None:
        for client in self._clients:
            await client.close()

    def _refused(self, error: Any, with_tools: bool) -> LostError:
        """What a status says; never the server's own words, which may hold the key."""
        at, status = self._at, int(error.status_code)
        reason = f"answered {status}"
        if status == 401:
            return LostError(EndpointUnusable(f"{at} answered 401: check the key in {self._key_env}", reason))
        if status == 403:
            return LostError(
                ProviderError(f"{at} answered 403: check the key in {self._key_env}, and what it may do", reason)
            )
        if status == 404:
            line = f"{at} knows no model {self._model} (404): check {self._section}.model and {self._section}.base_url"
            return LostError(EndpointUnusable(line, reason))
        if status == 402 or _NO_CREDIT in (error.code, error.type):
            return LostError(EndpointUnusable(f"{at} answered {status}: the account has no credit left", reason))
        if status == 413 or (status == 400 and _is_too_long(error)):
            line = (
                f"{at} answered {status}: the conversation is longer than the model's context: "
                "lower rollout.max_steps or rollout.max_tokens, or serve the model with more"
            )
            return LostError(ProviderError(line, "too long"))
        wait_s = retry_after_s(error.response.headers)
        heals = status in (*_BUSY, *_HEALING) or status >= 500
        hint = (
            ": does this server take tools? rollout.protocol: text needs none" if status == 400 and with_tools else ""
        )
        busy = status in _BUSY or (heals and wait_s is not None)
        return LostError(ProviderError(f"{at} {reason}{hint}", reason), heals=heals, busy=busy, wait_s=wait_s)

    def _failed(self, error: Exception) -> LostError:
        at, section = self._at, self._section
        if isinstance(error, TimeoutError | self._openai.APITimeoutError):
            line = f"{at} did not answer in time: raise teacher.timeout_s or check the server"
            return LostError(ProviderError(line, "timed out"), heals=True, slow=True)
        if isinstance(error, self._openai.APIConnectionError | OSError):
            if isinstance(error.__cause__, self._httpx.ConnectError | self._httpx.UnsupportedProtocol):
                line = f"{at} cannot be reached: check {section}.base_url and that the server runs"
                return LostError(ProviderError(line, "unreachable"), heals=True, unreachable=True)
            return LostError(ProviderError(f"{at} broke off the connection", "connection lost"), heals=True)
        if isinstance(error, _NOT_A_COMPLETION):
            line = f"{at} sent what is no chat completion: check {section}.base_url (it often ends in /v1)"
            return LostError(ProviderError(line, "no completion"), heals=True)
        line = f"{at} cannot be used ({type(error).__name__}): check {section}.base_url"
        return LostError(ProviderError(line, type(error).__name__))


def _is_too_long(error: Any) -> bool:
    """Most servers say it in words alone: vLLM, SGLang and llama.cpp all of the model's `context`."""
    return error.code in _TOO_LONG or error.type in _TOO_LONG or "context" in str(error.message).lower()


def _read(completion: Any) -> Reply:
    """A reply from a completion; whatever lacks one raises one of _NOT_A_COMPLETION."""
    choice = completion["choices"][0]
    message, finish = choice["message"], choice.get("finish_reason")
    if finish == "error":  # as routers say that the model behind them failed half-way
        raise ValueError("the completion broke off")
    tool_calls = tuple(_tool_call(one["function"]) for one in message.get("tool_calls") or ())
    text = message.get("content")
    if text is None and (tool_calls or finish == "length"):  # all tokens may have gone into thinking
        text = ""
    if not isinstance(text, str):
        raise TypeError("the message has no text")
    return Reply(text, "length" if finish == "length" else "stop", _usage(completion.get("usage")), tool_calls)


def _usage(usage: Any) -> Usage:
    """Tokens as the server counted them; 0 where it did not."""
    if usage is None:
        return Usage()
    cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens")
    return Usage(int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0), int(cached or 0))


def _tool_call(function: Any) -> ToolCall:
    """A call as it was sent; some servers send the arguments as an object instead of as JSON text."""
    arguments = function.get("arguments")
    return ToolCall(str(function["name"]), arguments if isinstance(arguments, str) else json.dumps(arguments or {}))
