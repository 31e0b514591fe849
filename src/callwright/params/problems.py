"""Where problems come from."""

from typing import Literal

from pydantic import Field

from callwright.params.section import Section, Share


class SyntheticCounts(Section):
    """How many synthetic problems of one task, spread evenly over its families."""

    train: int = Field(ge=0)
    dev: int = Field(ge=0)
    test: int = Field(ge=0, description="of families that training sees, with unseen numbers, names and words")
    held_out_test: int = Field(ge=0, description="of families that only the test has")


class SyntheticParams(Section):
    """Synthetic problems by task."""

    arithmetic: SyntheticCounts
    translation: SyntheticCounts
    entailment: SyntheticCounts


class PublicParams(Section):
    """How much of GSM8K, FOLIO or ProofWriter is used (null: all); problems.path is the folder with its files."""

    train: int | None = Field(ge=1)
    dev: int | None = Field(ge=1, description="taken from the train file where the source has none")
    test: int | None = Field(ge=1)


class JsonlParams(Section):
    """Splits of the user's own problems, problems.path: shares of the rows that name no split."""

    dev_share: float = Share
    test_share: float = Share


class ProblemsParams(Section):
    source: Literal["synthetic", "gsm8k", "folio", "proofwriter", "jsonl"]
    path: str = Field(min_length=1, description="the source's folder or file; synthetic needs none")
    synthetic: SyntheticParams
    public: PublicParams
    jsonl: JsonlParams
    max_left_out: float = Share
    shared_words: int | None = Field(
        ge=1,
        description="in a row with a test question: the training problem is left out; null: shared passages are meant",
    )
