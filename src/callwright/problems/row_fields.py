"""Parse one row of a problem file and validate its fields: valid Unicode, bounded length, exact numbers.

Unused fields are not validated.
"""

import json
import unicodedata
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from callwright.errors import RowError
from callwright.records import Json

MAX_QUESTION_CHARACTERS = 40_000  # also of a written solution
MAX_ANSWER_CHARACTERS = 4_000  # a function can return as many
MAX_NAME_CHARACTERS = 200  # in an id, a group or a task's name

MALFORMED_JSON = "malformed JSON"

_MAX_INT_DIGITS = 1_000  # Python reads longer ones slowly, or not at all
_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


class NumberText(str):
    """A JSON number as it was written, as a float could differ from it."""

    __slots__ = ()


class ObjectWithRepeatedKeys(dict[str, Any]):
    """A JSON object in which some keys occur more than once; `repeated` has these keys."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.repeated = frozenset(key for key, count in counts.items() if count > 1)


def parse_json(text: str) -> Any:
    """Parse a JSON value. NaN and Infinity become floats; other numbers stay exact, as int or NumberText.

    Raises:
        RowError: the text is not JSON.
    """
    try:
        return json.loads(text, parse_float=NumberText, parse_int=_read_int, object_pairs_hook=_read_object)
    except json.JSONDecodeError as error:
        raise RowError(MALFORMED_JSON, f"{error.msg} at character {error.pos + 1:,}") from None
    except RecursionError:
        raise RowError(MALFORMED_JSON, "it is nested too deeply") from None


def _read_int(digits: str) -> int | NumberText:
    return int(digits) if len(digits) <= _MAX_INT_DIGITS else NumberText(digits)


def _read_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    return fields if len(fields) == len(pairs) else ObjectWithRepeatedKeys(pairs)


def select_fields(row: Any, names: Sequence[str]) -> dict[str, Any]:
    """The named fields that a row has.

    Raises:
        RowError: the row is not an object, or one of these fields occurs twice.
    """
    if not isinstance(row, dict):
        raise RowError("not a JSON object")
    if isinstance(row, ObjectWithRepeatedKeys):
        for name in names:
            if name in row.repeated:
                raise RowError(f"{name} occurs twice")
    return {name: row[name] for name in names if name in row}


def required_text(fields: dict[str, Any], name: str, max_characters: int = MAX_QUESTION_CHARACTERS) -> str:
    """The text of a required field, without surrounding whitespace.

    Raises:
        RowError: the field is missing, not text, blank, too long, or has a lone surrogate.
    """
    value = fields.get(name)
    if type(value) is not str or not value.strip():
        raise RowError(f"{name} is missing")
    return check_text(value.strip(), name, max_characters)


def check_text(text: str, name: str, max_characters: int = MAX_QUESTION_CHARACTERS) -> str:
    """The text, checked to be valid Unicode and not too long.

    Raises:
        RowError: the text is too long or has a lone surrogate; the reason starts with `name`, the field's name.
    """
    if len(text) > max_characters:
        raise RowError(f"{name} is longer than {max_characters:,} characters", f"it has {len(text):,}")
    if not is_valid_unicode(text):
        raise RowError(f"{name} has half a character (a lone surrogate)")
    return text


def is_valid_unicode(text: str) -> bool:
    """Whether a text can be encoded: it has no lone surrogate, such as half of an emoji's JSON escape."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_name(text: str, name: str) -> str:
    """The text, checked to be a usable id: short, without control characters and marks of writing direction.

    Raises:
        RowError: the text is not a usable id; the reason starts with `name`, the field's name.
    """
    check_text(text, name, MAX_NAME_CHARACTERS)
    if any(unicodedata.category(character) in ("Cc", "Zl", "Zp") or character in _BIDI_CONTROLS for character in text):
        raise RowError(f"{name} has control characters or marks of writing direction")
    return text


def to_json_value(value: Any, name: str) -> Json:
    """Convert a parsed JSON value to an argument of a call.

    Raises:
        RowError: a text has a lone surrogate, a key occurs twice, or a number is not finite or not exact as a float.
    """
    match value:
        case NumberText():
            return _exact_float(value, name)
        case str():
            return check_text(value, name)
        case float():
            raise RowError(f"{name} has a number that is not finite")
        case list():
            return [to_json_value(item, name) for item in value]
        case ObjectWithRepeatedKeys():
            raise RowError(f"{name} has a key that occurs twice")
        case dict():
            return {check_text(key, name): to_json_value(item, name) for key, item in value.items()}
        case _:
            return value


def _exact_float(text: str, name: str) -> float:
    value = float(text)
    try:
        exact = Decimal(text) == Decimal(repr(value))
    except ArithmeticError:
        exact = False
    if not exact:
        raise RowError(f"{name} has a number with too many digits; write it as text, such as a fraction p/q")
    return value
