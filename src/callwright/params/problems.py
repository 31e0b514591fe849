"""Where problems come from."""

from pydantic import ConfigDict, Field

from callwright.params.section import Section, Share


class ProblemsParams(Section):
    """The source of the problems, and which of its rows are used.

    The other keys are the sections of sources. `callwright.problems.sources` knows the sources, so it checks these keys
    and `source`, in the stage `problems`.
    """

    model_config = ConfigDict(extra="allow")

    source: str
    path: str = Field(min_length=1)
    max_left_out: float = Share
    shared_words: int | None = Field(ge=1)
