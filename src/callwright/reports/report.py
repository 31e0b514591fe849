"""The base of all reports: a frozen model that is saved as JSON and loaded with one clear line about a bad value."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from callwright.errors import DataError
from callwright.storage.files import read_bytes, write_json
from callwright.text import one_line

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

NEWER = "newer_version"  # the type of the error about a file of a newer version
_MAX_KEY_CHARS = 200  # of a key in an error
_REASONS = {  # by the type of pydantic's error
    "missing": "is missing",
    "string_type": "is not a text",
    "string_too_short": "is empty",
    "bool_type": "is not true or false",
    "int_type": "is not a whole number",
    "float_type": "is not a number",
    "tuple_type": "is not a list",
    "dict_type": "is not an object",
    "model_type": "is not an object",
}


class Section(BaseModel):
    """A part of a report. Unknown keys are ignored, so that a file may have more keys than this version knows."""

    model_config = ConfigDict(frozen=True, extra="ignore", validate_by_name=True, hide_input_in_errors=True)


class Measured(Section):
    """A section of measured values. A missing key counts as null, so that its type says what was expected there."""

    @model_validator(mode="before")
    @classmethod
    def _missing_is_null(cls, value: Any) -> Any:
        required = (name for name, field in cls.model_fields.items() if field.is_required())
        return with_missing(value, required)


def with_missing(value: Any, required: Iterable[str]) -> Any:
    """The value with null for each key that it lacks, if it is an object; null counts as an object without keys."""
    keys = {} if value is None else value
    return {**keys, **{name: None for name in required if name not in keys}} if isinstance(keys, dict) else value


@dataclass(frozen=True, slots=True)
class InvalidReport:
    """A JSON file that is not a valid report; `errors` has one line for each bad value, which begins with its key."""

    path: Path
    errors: tuple[str, ...]

    def __str__(self) -> str:
        count = len(self.errors) - 1
        others = f" (and {count:,} other {'value' if count == 1 else 'values'})" if count else ""
        return f"{self.path}: {self.errors[0]}{others}: run dvc repro, which writes the file again"


R = TypeVar("R", bound="Report")


class Report(BaseModel):
    """A file with a report; a subclass is a `Section` too, and names its usual path in `FILE`."""

    FILE: ClassVar[Path]

    def save(self, path: Path | None = None) -> None:
        """Write the file, atomically.

        Args:
            path: another file than `FILE`.

        Raises:
            DataError: a value cannot be written as JSON, or the file cannot be written.
        """
        write_json(path or self.FILE, self.as_json())

    def as_json(self) -> dict[str, Any]:
        """The keys and values of the file."""
        return self.model_dump(by_alias=True)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Read the file.

        Args:
            path: another file than `FILE`.

        Raises:
            DataError: the file is missing, is not JSON, was written by a newer version, or has a bad value, which the
                message names by its key.
        """
        return valid_or_raise(cls.load_or_errors(path))

    @classmethod
    def load_or_errors(cls, path: Path | None = None) -> Self | InvalidReport:
        """Read the file; bad values are returned, so that the gate can refuse them by name.

        Raises:
            DataError: the file is missing, is not a JSON object, or was written by a newer version.
        """
        path = path or cls.FILE
        return cls.parse(read_bytes(path), path)

    @classmethod
    def parse(cls, text: bytes | str, path: Path) -> Self | InvalidReport:
        """The report in the text of a file, or what is wrong with it; see `load_or_errors`.

        Args:
            path: named in errors.
        """
        try:
            return cls.model_validate_json(text, strict=True)  # strict: text is not accepted as a number
        except ValidationError as error:
            details = error.errors(include_url=False, include_input=False, include_context=False)
        for detail in details:
            if detail["type"] == "json_invalid":
                reason = detail["msg"].removeprefix("Invalid JSON: ")
                raise DataError(f"{path} is not JSON ({reason}): run dvc repro, which writes the file again")
            if detail["type"] == NEWER:
                raise DataError(f"{path} {detail['msg']}")
            if not detail["loc"]:
                raise DataError(f"{path} is not a JSON object: run dvc repro, which writes the file again")
        return InvalidReport(path, tuple(map(_error_line, details)))


def valid_or_raise(report: R | InvalidReport) -> R:
    """The report, if it is valid.

    Raises:
        DataError: it is not; the message has the first bad value's key.
    """
    if isinstance(report, InvalidReport):
        raise DataError(str(report))
    return report


def _error_line(detail: "ErrorDetails") -> str:
    key = one_line(".".join(map(str, detail["loc"])), _MAX_KEY_CHARS)
    return f"{key} {_REASONS.get(detail['type']) or detail['msg'].removeprefix('Input ')}"
