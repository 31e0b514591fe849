"""Open a chat model, whatever serves it: an endpoint, a folder, a version of the registry, the oracle.

A new backend is a class (see `Backend`) and a line in BACKENDS. It can then be named by `teacher.base_url`, by
`evaluate.endpoints`, by `callwright ask --model` and by `open_chat`.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from pydantic import ValidationError

from callwright.chat.backend import DEFAULT_OPTIONS, FOLDER_PREFIX, Backend, ChatOptions
from callwright.chat.model import ChatModel
from callwright.errors import ParamsError
from callwright.params import EndpointParams, first_error_line
from callwright.params.address import ORACLE
from callwright.params.endpoint import DEFAULT_KEY_VARIABLE
from callwright.storage.files import is_folder
from callwright.text import one_line

ChatSpec = str | Path | EndpointParams
"""What can be opened: a text that BACKENDS knows or a folder's path, or an endpoint's params with such a text."""

_MAX_SHOWN = 100  # characters of an unknown text in an error line
# Values are "module:class"; they are imported when they are needed, as some are in packages above this one. A key that
# ends with / or : is how addresses begin; another key is the whole address.
BACKENDS: Mapping[str, str] = {
    "http://": "callwright.chat.openai.backend:EndpointBackend",
    "https://": "callwright.chat.openai.backend:EndpointBackend",
    ORACLE: "callwright.standins.oracle.backend:OracleBackend",
    "models:/": "callwright.registry.backend:RegistryBackend",
    FOLDER_PREFIX: "callwright.chat.local.backend:FolderBackend",
}


@asynccontextmanager
async def open_chat(
    spec: ChatSpec, model: str | None = None, *, api_key_env: str | None = None, options: ChatOptions = DEFAULT_OPTIONS
) -> AsyncIterator[ChatModel]:
    """Open a chat model, and close it at the end of the block.

    `async with open_chat("http://127.0.0.1:8000/v1", model="name") as model: ...`

    Args: see `find_backend`.

    Raises:
        ParamsError: no backend knows the spec, or the spec is incomplete.
        ProviderError: the model cannot be used.
    """
    async with find_backend(spec, model, api_key_env=api_key_env, options=options).open() as chat:
        yield chat


def find_backend(
    spec: ChatSpec, model: str | None = None, *, api_key_env: str | None = None, options: ChatOptions = DEFAULT_OPTIONS
) -> Backend:
    """The backend of a model, which is not opened yet.

    Args:
        model: the server's name for the model, in place of the spec's.
        api_key_env: the environment variable that holds the server's key, in place of the spec's; by default
            TEACHER_API_KEY.

    Raises:
        ParamsError: no backend knows the spec, or the spec is incomplete.
    """
    if isinstance(spec, Path):
        named = replace(options, name=options.name or model or "")
        return _backend_class(FOLDER_PREFIX)(f"{FOLDER_PREFIX}{spec}", None, named)
    params = _checked(spec, {"model": model, "api_key_env": api_key_env})
    key, address = _match(params.base_url, options)
    is_complete = isinstance(spec, EndpointParams) or model is not None
    return _backend_class(key)(address, params if is_complete else None, options)


def _checked(spec: str | EndpointParams, changes: dict[str, str | None]) -> EndpointParams:
    """The params of a spec with some changes; of a text, with the text as the model's name if there is none.

    Raises:
        ParamsError: a value is invalid, such as an address with a password.
    """
    given: dict[str, Any] = {name: value for name, value in changes.items() if value is not None}
    if isinstance(spec, EndpointParams):
        if not given:
            return spec
        kind, values = type(spec), {**spec.model_dump(), **given}
    else:
        kind = EndpointParams
        values = {"base_url": spec, "model": spec or "-", "api_key_env": DEFAULT_KEY_VARIABLE, **given}
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise ParamsError(first_error_line(kind, error, "model")) from None


def check_known(text: str, section: str) -> None:
    """Check that a backend knows an address, without importing the backend.

    Args:
        section: the model's section of params.yaml, which the error names.

    Raises:
        ParamsError: no backend knows it.
    """
    _match(text, ChatOptions(section=section))


def _match(text: str, options: ChatOptions) -> tuple[str, str]:
    """The key of a text in BACKENDS, and the address for its backend, which begins as the key is written there."""
    lowered = text.lower()
    matching = [key for key in BACKENDS if (lowered.startswith(key) if key[-1] in "/:" else text == key)]
    if matching:
        key = max(matching, key=len)
        return key, key + text[len(key) :]
    if is_folder(Path(text)):
        return FOLDER_PREFIX, f"{FOLDER_PREFIX}{text}"
    where = f"{options.section}.base_url: " if options.section else ""
    known = ", ".join(f"{key}..." if key[-1] in "/:" else key for key in BACKENDS)
    start, colon, _ = lowered.partition(":")
    suggestions = get_close_matches(lowered, BACKENDS, n=1) or get_close_matches(start + colon, BACKENDS, n=1)
    hint = f" (did you mean {suggestions[0]}?)" if suggestions else ""
    shown = one_line(text, _MAX_SHOWN)
    raise ParamsError(f"{where}{shown} is not a model{hint}; known are {known}, and the path of a folder that exists")


def _backend_class(key: str) -> type[Backend]:
    backend: type[Backend] = resolve_name(BACKENDS[key])
    return backend
