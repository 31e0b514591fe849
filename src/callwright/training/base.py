"""The base: the embedded student that ships, or a model of a folder or the Hugging Face hub, resolved and pinned."""

import os
import shutil
import tempfile
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from callwright import paths
from callwright.errors import DataError, ProviderError
from callwright.params import StudentParams
from callwright.params.address import EMBEDDED
from callwright.progress import work
from callwright.standins.embedded.shipped_student import copy_shipped_student
from callwright.storage.files import folder_hash, write_json

MEGABYTE = 10**6
_DOWNLOAD_PATTERNS = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja", "README.md")  # README: the licence


def prepare_base(folder: Path, student: StudentParams) -> dict[str, Any]:
    """Write the base to `folder` atomically.

    Returns:
        The recipe (source, and hash, revision or how it was built), which is also written to `folder`/recipe.json.

    Raises:
        ProviderError: the hub cannot be reached or does not know the model.
        DataError: the folder cannot be written, a local source is not a model, or the embedded student is damaged.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", dir=folder.parent) as temporary:
            new_folder = Path(temporary) / "model"
            recipe = _write_base(new_folder, student)
            write_json(new_folder / paths.RECIPE, recipe)
            if folder.exists():
                shutil.rmtree(folder)
            new_folder.rename(folder)
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror or error}") from None
    return recipe


def _write_base(folder: Path, student: StudentParams) -> dict[str, Any]:
    """Copy or download the base, as `student.source` says; returns the recipe."""
    if student.source == EMBEDDED:
        return copy_shipped_student(folder)
    local = Path(student.source)
    if local.is_dir():
        if not (local / "config.json").is_file():
            raise DataError(f"student.source: {local} has no config.json; name a folder with a Hugging Face model")
        shutil.copytree(local, folder, ignore=partial(_ignored_names, local))
        return {"source": str(local), "hash": folder_hash(folder)}
    return _download(folder, student)


def _ignored_names(model: Path, folder: str, names: list[str]) -> set[str]:
    """The names in a folder that are not copied: hidden files.

    Raises:
        DataError: another name is a link that leads out of the model.
    """
    not_copied = {name for name in names if name.startswith(".")}
    for name in set(names) - not_copied:
        _raise_if_link_leaves_model(Path(folder, name), model)
    return not_copied


def _raise_if_link_leaves_model(path: Path, model: Path) -> None:
    """Copying follows links, so each link must lead to a file of the model.

    A folder in the Hugging Face hub's cache consists of links to the cache's files of the same model; those are allowed
    too.

    Raises:
        DataError: the link leads to another file, to a folder, or nowhere.
    """
    if not path.is_symlink():
        return
    folders = [model.resolve()]
    if folders[0].parent.name == "snapshots":
        folders.append(folders[0].parent.parent / "blobs")
    target = Path(os.path.realpath(path))  # Path.resolve would raise on a circle of links
    if not target.is_file() or not any(target.is_relative_to(folder) for folder in folders):
        raise DataError(
            f"student.source: {path} is a link that does not lead to a file of {model}: put the file itself there"
        )


def _download(folder: Path, student: StudentParams) -> dict[str, Any]:
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled

    try:
        revision = student.revision or HfApi().model_info(student.source).sha
        with work("download", _download_size(student.source, revision), "MB", measure=lambda: _megabytes(folder)):
            snapshot_download(
                student.source, revision=revision, local_dir=folder, allow_patterns=list(_DOWNLOAD_PATTERNS)
            )
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OfflineModeIsEnabled, ConnectionError) as error:
        raise _download_error(student.source, error) from None
    except Exception as error:  # connection errors of the HTTP libraries share no base class with the above
        if type(error).__module__.partition(".")[0] not in ("httpx", "httpx2", "httpcore", "httpcore2", "requests"):
            raise
        raise _download_error(student.source, error) from None
    shutil.rmtree(folder / ".cache", ignore_errors=True)
    return {"source": student.source, "revision": revision, "hash": folder_hash(folder)}


def _download_size(source: str, revision: str | None) -> int | None:
    """Megabytes of the files that are downloaded; None if the hub does not say. It is only shown."""
    from huggingface_hub import HfApi
    from huggingface_hub.utils import filter_repo_objects

    with suppress(Exception):
        files = HfApi().model_info(source, revision=revision, files_metadata=True).siblings or []
        wanted = filter_repo_objects(files, allow_patterns=list(_DOWNLOAD_PATTERNS), key=lambda file: file.rfilename)
        return sum(file.size or 0 for file in wanted) // MEGABYTE
    return None


def _megabytes(folder: Path) -> int:
    """Size of a folder's files, parts of files that are being downloaded included.

    A file may be renamed while this reads the folder.
    """
    size = 0
    for parent, _, names in os.walk(folder):  # skips folders that are gone
        for name in names:
            with suppress(OSError):
                size += Path(parent, name).stat().st_size
    return size // MEGABYTE


def _download_error(source: str, error: Exception) -> ProviderError:
    return ProviderError(
        f"student.source: {source} cannot be downloaded ({type(error).__name__}): check the id, the network, and "
        f"HF_TOKEN for gated models; or name a folder, or 'embedded'"
    )
