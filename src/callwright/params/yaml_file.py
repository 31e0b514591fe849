"""params.yaml as a file: read it, and replace the text of changed values only."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from callwright.errors import ParamsError
from callwright.redaction import redacted_line

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, Node

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


_NULL_TAG = "tag:yaml.org,2002:null"
_FLOW_CHARACTERS = frozenset("[]{},")  # end a plain scalar inside a flow list or mapping


class Edit(NamedTuple):
    """Replace the characters from `start` to `end`."""

    start: int
    end: int
    replacement: str


def overlay_yaml(text: str, overlay: str, source: str) -> tuple[str, list[str]]:
    """Overlay a YAML mapping on another one, given as text.

    A mapping is merged into the mapping of the same key. Any other value, also an empty mapping, replaces the value of
    the same key. A key that `text` does not have is added at the end of its mapping.

    Args:
        source: the file of `text`; errors name it.

    Returns:
        The new text, and the dotted names of the values that changed.

    Raises:
        ParamsError: one of the texts is not a YAML mapping, or `text` has anchors or merge keys where it would change.
    """
    from ruamel.yaml import YAML

    values, new_values = parse_sections(text, source), parse_sections(overlay, "the overlay")
    yaml = YAML(typ="safe", pure=True)  # the pure parser gives the positions of nodes
    editor = _Editor(text, overlay)
    editor.overlay(yaml.compose(text), yaml.compose(overlay), values, new_values, "")
    new_text = editor.new_text()
    if _values_or_none(new_text) != _merged(values, new_values):
        raise ParamsError(
            f"{source} cannot be changed in place: write it without anchors (&), aliases (*) and merges (<<)"
        )
    return new_text, editor.changed


def _values_or_none(text: str) -> dict[str, Any] | None:
    try:
        return parse_sections(text, "")
    except ParamsError:
        return None


def _is_merged(old: Any, new: Any) -> bool:
    return isinstance(old, Mapping) and isinstance(new, Mapping) and bool(old) and bool(new)


def _merged(values: Mapping[str, Any], new_values: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for name, new in new_values.items():
        old: Any = values.get(name)
        if old != new:
            merged[name] = _merged(old, new) if _is_merged(old, new) else new
    return merged


class _Editor:
    """Collects edits of one text."""

    def __init__(self, text: str, overlay_text: str) -> None:
        self.changed: list[str] = []
        self._text = text
        self._overlay_text = overlay_text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._edits: list[Edit] = []

    def new_text(self) -> str:
        """The text with all edits."""
        parts, position = [], 0
        for start, end, replacement in sorted(self._edits, key=lambda edit: edit.start):
            parts += [self._text[position:start], replacement]
            position = end
        return "".join([*parts, self._text[position:]])

    def overlay(
        self,
        section: "MappingNode",
        new_section: "MappingNode",
        values: Mapping[str, Any],
        new_values: Mapping[str, Any],
        prefix: str,
    ) -> None:
        """Collect the edits of one mapping; `values` and `new_values` are what the nodes mean."""
        nodes = {key.value: (key, node) for key, node in section.value}
        missing = []
        for key, node in new_section.value:
            name = key.value
            old, new = values.get(name), new_values.get(name)
            if _is_merged(old, new) and name in nodes:
                self.overlay(nodes[name][1], node, values[name], new_values[name], f"{prefix}{name}.")
            elif old != new:
                self.changed.append(f"{prefix}{name}")
                if name in nodes:
                    self._replace(*nodes[name], node, in_flow=bool(section.flow_style))
                else:
                    missing.append((key, node))
        for key, node in missing:  # after the edits inside the last value, which may end at the same position
            self._insert(section, key, node)

    def _replace(self, key: "Node", old: "Node", new: "Node", in_flow: bool) -> None:
        colon, end = self._colon_end(key), self._value_end(key, old)
        value = "" if new.tag == _NULL_TAG and not in_flow else f" {self._inline(new)}"
        if _has_same_length(old, new):
            for item, new_item in zip(old.value, new.value, strict=True):
                self._edits.append(Edit(item.start_mark.index, item.end_mark.index, self._inline(new_item)))
        elif not _is_block(old):
            if value and end > colon:  # keep the blanks before the old value
                colon, value = old.start_mark.index, value.removeprefix(" ")
            self._edits.append(Edit(colon, end, value))
        elif old.id == new.id == "sequence" and new.value:
            separator = f"{self._newline}{' ' * old.start_mark.column}- "
            items = separator.join(map(self._inline, new.value))
            self._edits.append(Edit(old.start_mark.index, end, f"- {items}"))
        else:  # remove the lines below the key, and write the value beside it
            self._edits.append(Edit(colon, colon, value))
            self._edits.append(Edit(self._text.rindex(self._newline, 0, old.start_mark.index), end, ""))

    def _insert(self, section: "MappingNode", key: "Node", new: "Node") -> None:
        item = f"{key.value}: {self._inline(new)}"
        if section.flow_style:
            end = section.end_mark.index - 1  # the closing brace
            self._edits.append(Edit(end, end, f", {item}"))
            return
        last_key, last_value = section.value[-1]
        line_end = self._text.find(self._newline, self._value_end(last_key, last_value))
        end = len(self._text) if line_end < 0 else line_end
        self._edits.append(Edit(end, end, f"{self._newline}{' ' * last_key.start_mark.column}{item}"))

    def _colon_end(self, key: "Node") -> int:
        return self._text.index(":", key.end_mark.index) + 1

    def _value_end(self, key: "Node", value: "Node") -> int:
        """Where the text of a value ends, without the comments and blank lines that a block includes."""
        if _is_block(value):
            last = value.value[-1]
            return self._value_end(*last) if isinstance(last, tuple) else self._value_end(key, last)
        start: int = value.start_mark.index
        end: int = value.end_mark.index
        if start == end:  # an empty value has the position of the next token
            return self._colon_end(key)
        return start + len(self._text[start:end].rstrip())

    def _inline(self, node: "Node") -> str:
        """A value of the overlay on one line."""
        if node.id == "sequence":
            return f"[{', '.join(map(self._inline, node.value))}]"
        if node.id == "mapping":
            return f"{{{', '.join(f'{self._inline(key)}: {self._inline(value)}' for key, value in node.value)}}}"
        if node.tag == _NULL_TAG:
            return "null"
        written = self._overlay_text[node.start_mark.index : node.end_mark.index]
        if "\n" in written or (node.style is None and _FLOW_CHARACTERS.intersection(written)):
            return _quoted(node.value)
        return written


def _quoted(text: str) -> str:
    characters = json.dumps(text, ensure_ascii=False)  # JSON's escapes are YAML's too
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in characters)


def _has_same_length(old: "Node", new: "Node") -> bool:
    """Whether two lists have as many items, and those of the old one are on one line each."""
    if not old.id == new.id == "sequence" or len(old.value) != len(new.value):
        return False
    return all(item.id == "scalar" and item.start_mark.line == item.end_mark.line for item in old.value)


def _is_block(node: "Node") -> bool:
    return node.id in ("sequence", "mapping") and not node.flow_style
