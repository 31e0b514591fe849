"""Open a version of MLflow's model registry, in this process."""

import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from callwright.chat.backend import DEFAULT_OPTIONS, AgentSettings, Backend, ChatOptions
from callwright.chat.local.backend import CHAINS_PER_ROW, local_model_identity
from callwright.chat.model import ChatModel
from callwright.errors import ParamsError, ProviderError
from callwright.params import EndpointParams
from callwright.redaction import redacted
from callwright.registry.version import VersionFiles, download_version
from callwright.text import one_line

_ADDRESS = re.compile(r"models:/[^/@]+(?:[/@][^/@]+)?")  # MLflow calls any other an internal error
_MAX_SHOWN = 100  # characters of a malformed address in an error line
_NOT_FOUND_CODES = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # no such model; no such alias


class RegistryBackend(Backend):
    """A registered student, by `models:/name/version` or `models:/name@alias`.

    While it is open, its settings are those that it was registered with.
    """

    _config: Mapping[str, Any]

    def __init__(
        self, address: str, params: EndpointParams | None = None, options: ChatOptions = DEFAULT_OPTIONS
    ) -> None:
        super().__init__(address, params, options)
        if not _ADDRESS.fullmatch(address):
            where = f"{options.section}.base_url: " if options.section else ""
            shown = one_line(address, _MAX_SHOWN)
            raise ParamsError(f"{where}{shown} names no version: write models:/name/version or models:/name@alias")

    def usual_concurrency(self) -> int:
        return self.options.max_batch * CHAINS_PER_ROW

    def identities(self) -> list[dict[str, str]]:
        """The same as for a folder with the same weights.

        Raises:
            ProviderError: as `open`.
        """
        with self._downloaded() as files:
            return [{"weights": local_model_identity(files.weights)}]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatModel]:
        from callwright.chat.local.chat import LocalChat

        with self._downloaded() as files:
            model = LocalChat(files.weights, self.name, max_batch=self.options.max_batch)
            self._config = files.config
        yield model

    def agent_settings(self, default: AgentSettings) -> AgentSettings:
        limits = {name: self._config[name] for name in ("max_steps", "max_tokens") if name in self._config}
        protocol = self._config.get("protocol", default.protocol)
        return replace(default, protocol=protocol, sampling=replace(default.sampling, **limits))

    @contextmanager
    def _downloaded(self) -> Iterator[VersionFiles]:
        """The version's files. Those from a server are deleted at the end of the block.

        Raises:
            ProviderError: there is no such model, it cannot be downloaded, or it is not a Callwright student.
        """
        from callwright.tracking.runs import SQLITE_PREFIX, connect, redacted_tracking_uri, tracking_uri

        uri = self.address
        database = tracking_uri().removeprefix(SQLITE_PREFIX)
        if database != tracking_uri() and not Path(database).is_file():
            raise ProviderError(f"{uri} is not registered: there is no {database}")
        connect()
        from mlflow.exceptions import MlflowException

        with TemporaryDirectory(prefix="callwright-") as download_folder:
            try:
                files = download_version(uri, Path(download_folder))
            except MlflowException as error:  # other errors' text may contain the server's address with a password
                is_known_error = error.error_code in _NOT_FOUND_CODES
                cause = (
                    redacted(str(error).splitlines()[0])
                    if is_known_error
                    else f"{error.error_code} at {redacted_tracking_uri()}"
                )
                raise ProviderError(f"{uri} cannot be loaded: {cause}") from None
            except OSError as error:
                raise ProviderError(
                    f"{uri} cannot be downloaded ({type(error).__name__}): check MLflow's artifact store"
                ) from None
            except KeyError:
                raise ProviderError(f"{uri} is not a Callwright student") from None
            yield files
