"""Where problems come from."""

from typing import Literal

from pydantic import Field

from callwright.params.section import Section, Share


class SyntheticCounts(Section):
    """Numbers of synthetic problems of one task; each is spread evenly over the task's families."""

    train: int = Field(ge=0)
    dev: int = Field(ge=0)
    test: int = Field(ge=0)
    held_out_test: int = Field(ge=0)


class PublicParams(Section):
    """Numbers of problems of GSM8K, FOLIO or ProofWriter; None: all."""

    train: int | None = Field(ge=1)
    dev: int | None = Field(ge=1)
    test: int | None = Field(ge=1)


class JsonlParams(Section):
    """Shares of the user's rows that have no split field."""

    dev_share: float = Share
    test_share: float = Share


class ProblemsParams(Section):
    """The source of the problems, and which of its rows are used."""

    source: Literal["synthetic", "gsm8k", "folio", "proofwriter", "jsonl"]
    path: str = Field(min_length=1)
    synthetic: dict[str, SyntheticCounts]  # by task; the problems stage knows the tasks
    public: PublicParams
    jsonl: JsonlParams
    max_left_out: float = Share
    shared_words: int | None = Field(ge=1)
