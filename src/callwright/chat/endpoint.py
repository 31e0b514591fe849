"""A chat model behind an OpenAI-compatible endpoint. The only importer of openai."""

import json
import os
from collections.abc import Sequence
from typing import Any

from callwright.chat.model import Message, Reply, Sampling, Tool, ToolCall
from callwright.errors import ProviderError
from callwright.params import TeacherParams
from callwright.records import Usage

_NOT_A_COMPLETION = (AttributeError, IndexError, KeyError, TypeError, ValueError)

ORACLE = "oracle"  # teacher.base_url of the oracle in process
_ORACLE_URL = "http://oracle.invalid/v1"  # never resolved: the app answers in process


class EndpointChat:
    """Chat completions over HTTP, with the client's own retries.

    Args:
        app: an ASGI app that answers in process, in place of the network.

    Raises:
        ProviderError: the environment variable for the key is not set.
    """

    def __init__(self, teacher: TeacherParams, app: Any = None) -> None:
        import openai
        from openai import AsyncOpenAI, DefaultAsyncHttpxClient

        self.name = teacher.model
        self._errors = openai
        self._url = _ORACLE_URL if app is not None else teacher.base_url
        self._key_env = teacher.api_key_env
        key = "oracle" if app is not None else os.environ.get(teacher.api_key_env, "")
        if not key:
            raise ProviderError(
                f"the key of the teacher at {self._url} is missing: set {teacher.api_key_env} "
                f"(any text for a server that asks for none)"
            )
        if not (key.isascii() and key.isprintable()):
            raise ProviderError(f"{teacher.api_key_env} holds what no key can hold: check it for quotes and line ends")
        client = None
        if app is not None:
            import httpx2

            client = DefaultAsyncHttpxClient(transport=httpx2.ASGITransport(app=app))
        self._client: AsyncOpenAI = AsyncOpenAI(
            base_url=self._url,
            api_key=key,
            timeout=teacher.timeout_s,
            max_retries=teacher.max_retries,
            http_client=client,
        )

    async def probe(self) -> None:
        """Ask for the list of models, so that a wrong address or key is known before the work begins.

        Raises:
            ProviderError: one line that says what to do.
        """
        try:
            await self._client.models.list()
        except (self._errors.NotFoundError, self._errors.InternalServerError):
            pass  # some servers have no model list, or fail to make one; the first request will tell
        except Exception as error:
            raise self._explained(error) from None

    async def reply(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: Sampling) -> Reply:
        """Ask for one reply; `tool_choice` and `parallel_tool_calls` are left to the server, as some refuse them."""
        request: dict[str, Any] = {"tools": list(tools)} if tools else {}
        try:
            completion = await self._client.chat.completions.create(
                model=self.name,
                messages=list(messages),  # type: ignore[arg-type]
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                max_tokens=sampling.max_tokens,
                seed=sampling.seed,
                **request,
            )
            return _read(completion)
        except self._errors.BadRequestError as error:
            hint = ": does this server take tools? rollout.protocol: text needs none" if tools else ""
            raise ProviderError(f"{self._explained(error)}{hint}") from None
        except Exception as error:
            raise self._explained(error) from None

    async def close(self) -> None:
        await self._client.close()

    def _explained(self, error: Exception) -> ProviderError:
        """One line per kind of failure; never the key, never the request."""
        at = f"teacher at {self._url}"
        if isinstance(error, self._errors.AuthenticationError | self._errors.PermissionDeniedError):
            return ProviderError(f"{at} answered {error.status_code}: check the key in {self._key_env}")
        if isinstance(error, self._errors.NotFoundError):
            return ProviderError(f"{at} knows no model {self.name} (404): check teacher.model and teacher.base_url")
        if isinstance(error, self._errors.APITimeoutError):
            return ProviderError(f"{at} did not answer in time: raise teacher.timeout_s or check the server")
        if isinstance(error, self._errors.APIConnectionError):
            return ProviderError(f"{at} cannot be reached: check teacher.base_url and that the server runs")
        if isinstance(error, self._errors.APIStatusError):
            return ProviderError(f"{at} answered {error.status_code}")
        if isinstance(error, _NOT_A_COMPLETION):
            return ProviderError(f"{at} sent what is no chat completion: check teacher.base_url (it often ends in /v1)")
        return ProviderError(f"{at} cannot be used ({type(error).__name__}): check teacher.base_url")


def _read(completion: Any) -> Reply:
    """A reply from a completion; whatever lacks one raises one of _NOT_A_COMPLETION."""
    choice = completion.choices[0]
    tool_calls = tuple(_tool_call(one.function) for one in choice.message.tool_calls or ())
    text = choice.message.content or "" if tool_calls else choice.message.content
    if not isinstance(text, str):
        raise TypeError("the message has no text")
    usage = completion.usage
    return Reply(
        text,
        "length" if choice.finish_reason == "length" else "stop",
        Usage(usage.prompt_tokens, usage.completion_tokens) if usage else Usage(),
        tool_calls,
    )


def _tool_call(function: Any) -> ToolCall:
    """A call as it was sent; some servers send the arguments as an object instead of as JSON text."""
    arguments = function.arguments
    return ToolCall(str(function.name), arguments if isinstance(arguments, str) else json.dumps(arguments or {}))
