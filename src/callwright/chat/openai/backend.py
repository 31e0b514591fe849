"""Open a model behind one or several OpenAI-compatible endpoints."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import urlsplit

from callwright.chat.backend import DEFAULT_OPTIONS, AgentSettings, Backend, ChatOptions
from callwright.chat.openai.endpoint import EndpointChat
from callwright.errors import ParamsError
from callwright.params import EndpointParams

MIN_REPLY_TOKENS = 512  # where nobody sets a limit: large models write their reasoning


class EndpointBackend(Backend):
    """A model at the address `base_url` and, if it has more servers, at `base_urls`."""

    def __init__(
        self, address: str, params: EndpointParams | None = None, options: ChatOptions = DEFAULT_OPTIONS
    ) -> None:
        super().__init__(address, params, options)
        if params is None:
            raise ParamsError(
                f"the name that {address} has for the model is missing: ask --name NAME, or open_chat(..., model=NAME)"
            )
        self._endpoint = params

    def identities(self) -> list[dict[str, str]]:
        (identity,) = super().identities()
        urls = [self._endpoint.base_url, *self._endpoint.base_urls]
        return [{**identity, "base_url": normalize_url(url)} for url in urls]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[EndpointChat]:
        model = EndpointChat(self._endpoint, wait_for_server=self.options.wait_for_server, section=self.options.section)
        model.name = self.name
        try:
            yield model
        finally:
            await model.close()

    def agent_settings(self, default: AgentSettings) -> AgentSettings:
        tokens = max(default.sampling.max_tokens, MIN_REPLY_TOKENS)
        return replace(default, sampling=replace(default.sampling, max_tokens=tokens))


def normalize_url(url: str) -> str:
    """An address with its scheme and host in lower case and without a slash at the end of its path.

    >>> normalize_url("HTTP://Teacher:8000/V1/?api-version=2")
    'http://teacher:8000/V1?api-version=2'
    """
    parts = urlsplit(url)
    path = parts.path.rstrip("/")
    return parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower(), path=path).geturl()
