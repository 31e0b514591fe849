"""The student."""

from typing import Any

from pydantic import Field, model_validator

from callwright.params.address import EMBEDDED
from callwright.params.section import Section


class StudentParams(Section):
    """Where the base comes from."""

    source: str = Field(min_length=1)
    revision: str | None

    @model_validator(mode="before")
    @classmethod
    def _refuse_recipe(cls, values: Any) -> Any:
        """Earlier versions built the embedded student during a run, as a section said."""
        if isinstance(values, dict) and EMBEDDED in values:
            raise ValueError(
                "remove the section embedded: the embedded student is no longer built during a run, it ships with the "
                "package (docs/own-student.md)"
            )
        return values
