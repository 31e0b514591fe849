"""Small files beside a model's weights, which say where they come from."""

from typing import ClassVar

from pydantic import Field

from callwright import paths
from callwright.params.address import EMBEDDED
from callwright.reports.report import Report, Section


class TrainingFile(Section, Report):
    """training.json in the folders of student and adapter; `key` is the hash of all inputs of the training."""

    FILE: ClassVar = paths.STUDENT / paths.TRAINING_FILE

    key: str = Field(min_length=1)


class Recipe(Section, Report):
    """What readers need of recipe.json in the base's folder: where the base comes from, and its pinned revision."""

    FILE: ClassVar = paths.BASE / paths.RECIPE

    source: str = ""
    revision: str | None = None

    @property
    def is_embedded(self) -> bool:
        """Whether the base is the student that ships with the package, a stand-in."""
        return self.source == EMBEDDED
