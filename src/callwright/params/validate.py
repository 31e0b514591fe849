"""What chains must be like to be trusted."""

from pydantic import Field

from callwright.params.section import Section, Share


class ValidateParams(Section):
    """Bounds of the data-quality suite. Critical ones stop the pipeline, the others warn."""

    min_correct_share: float = Share
    max_correct_share: float = Share
    max_quarantined_share: float = Share
    max_reply_characters: int = Field(ge=1)
