"""Read the licence from a base model's README. The file is untrusted, so as little of it as possible is read."""

from collections.abc import Iterator
from pathlib import Path

from callwright.visible import one_line

UNKNOWN = "unknown"
_MAX_BYTES = 64 * 1024  # read from the top of the README, where its metadata are
_MAX_DEPTH = 10
_MAX_CHARACTERS = 100  # of a licence's name
_FENCE = "---"


def base_licence(readme: Path) -> str:
    """The `license` of a model card's metadata, or its `license_name` where that says `other` or nothing.

    Only plain values of the outermost mapping count; nothing is built from the YAML, so neither aliases nor nesting
    can make it grow.

    Returns:
        One line of at most 100 characters; UNKNOWN if the file names none that can be read.
    """
    from ruamel.yaml.error import YAMLError

    if not readme.is_file():
        return UNKNOWN
    try:
        metadata = dict(_plain_values(_metadata(readme)))
    except YAMLError:
        return UNKNOWN
    licence, name = metadata.get("license", ""), metadata.get("license_name", "")
    licence_name = name if licence in ("", "other") else licence
    return one_line(" ".join(licence_name.split()), _MAX_CHARACTERS) or licence or UNKNOWN


def _metadata(readme: Path) -> str:
    """The text between the first two lines of three dashes; empty without them."""
    with readme.open("rb") as file:
        lines = file.read(_MAX_BYTES).decode(errors="replace").removeprefix("\ufeff").splitlines()
    if not lines or lines[0].rstrip() != _FENCE:
        return ""
    ends = [number for number, line in enumerate(lines[1:], start=1) if line.rstrip() == _FENCE]
    return "\n".join(lines[1 : ends[0]]) if ends else ""


def _plain_values(text: str) -> Iterator[tuple[str, str]]:
    """Keys and values of a YAML document's outermost mapping, where the value is a plain text.

    Raises:
        YAMLError: the text is no YAML, or nested too deeply.
    """
    from ruamel.yaml import YAML, events
    from ruamel.yaml.error import YAMLError

    depth, key = 0, None
    for event in YAML(typ="safe", pure=True).parse(text):
        if isinstance(event, events.CollectionEndEvent):
            depth -= 1
            key = None if depth == 1 else key  # the value was a list or a mapping
        elif isinstance(event, events.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:  # the parser's time grows with the square of it
                raise YAMLError(f"nested more than {_MAX_DEPTH} deep")
        elif depth == 1 and isinstance(event, events.AliasEvent):
            key = None if key is not None else ""
        elif depth == 1 and isinstance(event, events.ScalarEvent):
            if key is None:
                key = event.value
            else:
                yield key, event.value
                key = None
