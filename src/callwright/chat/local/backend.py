"""Open a model in a folder, in this process."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from callwright.chat.backend import FOLDER_PREFIX, Backend
from callwright.chat.model import ChatModel
from callwright.errors import ParamsError
from callwright.storage.files import folder_hash, is_folder
from callwright.text import one_line

_MAX_SHOWN = 100  # characters of a folder in an error line
SAMPLER = "sampler 2"  # another number whenever the same seed would sample other tokens
CHAINS_PER_ROW = 2  # in flight: while some execute their calls, others are decoded


class FolderBackend(Backend):
    """A folder with weights, tokenizer and chat template, as the stages write it and `transformers` reads it."""

    @property
    def folder(self) -> Path:
        """The folder. The address may say that it is one: `folder:models/base`."""
        return Path(self.address.removeprefix(FOLDER_PREFIX))

    @property
    def name(self) -> str:
        return self.options.name or (self.params.model if self.params is not None else self.folder.name)

    def usual_concurrency(self) -> int:
        return self.options.max_batch * CHAINS_PER_ROW

    def identities(self) -> list[dict[str, str]]:
        """The folder's files, and how they run.

        Raises:
            ParamsError: there is no such folder.
        """
        self._check_folder()
        return [{"weights": local_model_identity(self.folder)}]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[ChatModel]:
        from callwright.chat.local.chat import LocalChat

        self._check_folder()
        yield LocalChat(self.folder, self.name, max_batch=self.options.max_batch)

    def _check_folder(self) -> None:
        """Raise a ParamsError if there is no such folder: `transformers` would ask the hub for a model of that name."""
        if not is_folder(self.folder):
            where = f"{self.options.section}.base_url: " if self.options.section else ""
            shown = one_line(str(self.folder), _MAX_SHOWN)
            raise ParamsError(f"{where}{shown} is not a folder: name one that holds a model, or download it first")


def local_model_identity(folder: Path) -> str:
    """What the answers of a local model depend on: its files, how it is sampled, its number type and its device."""
    from callwright.chat.local.device import pick_device, pick_dtype

    device = pick_device()
    return f"{folder_hash(folder)}, {SAMPLER}, in {pick_dtype(device)} on {device.type}"
