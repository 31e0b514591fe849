"""Read a YAML file of sections, such as params.yaml or a preset. A broken file is one clear line."""

from pathlib import Path
from typing import Any

from callwright.errors import ParamsError
from callwright.redaction import redacted_line

_MAX_ERROR_CHARACTERS = 200


def read_sections(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a YAML file and its values. Line ends stay as they are in the file.

    Raises:
        ParamsError: the file is missing, unreadable, not YAML, or not a mapping; one line that names the file.
    """
    try:
        text = path.read_bytes().decode()
    except FileNotFoundError:
        raise ParamsError(f"{path} is missing: run this from the project's folder, or write one") from None
    except OSError as error:
        raise ParamsError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ParamsError(f"{path} is not YAML: not UTF-8 text at byte {error.start + 1:,}") from None
    return text, parse_sections(text, str(path))


def parse_sections(text: str, source: str) -> dict[str, Any]:
    """The values of a YAML text.

    Args:
        source: where the text comes from; errors name it.

    Raises:
        ParamsError: the text is not YAML, or not a mapping.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        values = YAML(typ="safe").load(text)
    except (YAMLError, ValueError, RecursionError) as error:  # ValueError: such as a date of 2024-13-45
        message = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ParamsError(f"{source} is not YAML: {redacted_line(message, _MAX_ERROR_CHARACTERS)}") from None
    if not isinstance(values, dict):
        raise ParamsError(f"{source} is empty or not a mapping of sections")
    return values
