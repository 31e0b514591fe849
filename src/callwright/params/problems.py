"""Where problems come from."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field, Strict

from callwright.params.section import Section, Share


def _check_mix(mix: dict[str, float]) -> dict[str, float]:
    if not mix:
        raise ValueError("names no source: give each source its share, or leave it null")
    for name, share in mix.items():
        if not share > 0:  # NaN too
            raise ValueError(f"the share of {name} is {share:g}: it has to be above 0, or leave {name} out")
    total = sum(mix.values())
    if abs(total - 1) > 1e-6:
        raise ValueError(f"the shares of the sources add up to {total:.9g}, not 1")
    return mix


Mix = Annotated[dict[str, Annotated[float, Strict()]], AfterValidator(_check_mix)]
"""Source -> its share of the train problems, above 0; their sum is 1."""


class ProblemsParams(Section):
    """The source of the problems, and which of its rows are used.

    The other keys are the sections of sources. `callwright.problems.sources` knows the sources, so it checks these keys
    and the names of sources, in the stage `problems`.
    """

    model_config = ConfigDict(extra="allow")

    source: str
    path: str = Field(min_length=1)
    mix: Mix | None
    max_left_out: float = Share
    shared_words: int | None = Field(ge=1)

    @property
    def shares(self) -> Mapping[str, float]:
        """The sources in use, each with its share of the train problems: those of `mix`, or `source` alone."""
        return self.mix or {self.source: 1.0}
