"""Types of values in reports: bounded numbers, and values by model, slice or other names.

The error about a number says what was expected: `is missing or not a number from 0 to 1`.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Generic, TypeVar

from pydantic import ConfigDict, Field, RootModel, ValidationError, WrapValidator, model_validator
from pydantic_core import PydanticCustomError

from callwright.reports.report import with_missing

T = TypeVar("T")
OVERALL = "overall"  # the slice of all problems, and all changes together
SHARE_RANGE = (0.0, 1.0)
DIFFERENCE_RANGE = (-1.0, 1.0)


def expected_number(low: float, high: float, kind: str = "number") -> str:
    """What is wrong with a value that is not a number in the range.

    >>> expected_number(-1, 1)
    'is missing or not a number from -1 to 1'
    """
    return f"is missing or not a {kind} from {low:g}" + (f" to {high:g}" if math.isfinite(high) else "")


def _from(low: float, high: float = math.inf, kind: str = "number") -> WrapValidator:
    """A validator that rejects NaN, infinities and everything that is not a number from `low` to `high`."""

    def validate(value: Any, validated: Callable[[Any], float]) -> float:
        try:
            number = validated(value)
        except ValidationError:
            number = math.nan
        if not (math.isfinite(number) and low <= number <= high):
            raise PydanticCustomError("number", "{expected}", {"expected": expected_number(low, high, kind)})
        return number

    return WrapValidator(validate)


Share = Annotated[float, _from(*SHARE_RANGE)]
ShareDifference = Annotated[float, _from(*DIFFERENCE_RANGE)]
Amount = Annotated[float, _from(0)]
Count = Annotated[int, _from(0, kind="whole number")]


def omitted(default: Any = None) -> Any:
    """A field that may be missing in the file, and is not written if it is empty."""
    return Field(default=default, exclude_if=lambda value: not value)


def omitted_if_none() -> Any:
    """A field that may be missing in the file, and is not written if it is None."""
    return Field(default=None, exclude_if=lambda value: value is None)


class ByName(RootModel[dict[str, T]], Mapping[str, T], Generic[T]):
    """Values by name, in the order of the file. A subclass may require names, and give attributes to them."""

    model_config = ConfigDict(frozen=True)
    REQUIRED: ClassVar[tuple[str, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _missing_is_null(cls, value: Any) -> Any:
        return with_missing(value, cls.REQUIRED)

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # as a mapping, not as a model
        return iter(self.root)

    def __len__(self) -> int:
        return len(self.root)

    def __getitem__(self, name: str) -> T:
        return self.root[name]


class ByModel(ByName[T], Generic[T]):
    """Values by model: those of base and student, and of teacher and champion if they were evaluated."""

    REQUIRED = ("base", "student")

    @property
    def base(self) -> T:
        """The value of the base."""
        return self.root["base"]

    @property
    def student(self) -> T:
        """The value of the student."""
        return self.root["student"]


class BySlice(ByName[T], Generic[T]):
    """Values by slice: `overall`, each task, and `task/slice` for each slice within a task."""

    REQUIRED = (OVERALL,)

    @property
    def overall(self) -> T:
        """The value of all problems together."""
        return self.root[OVERALL]
