"""reports/train.json: how a training went."""

from typing import ClassVar

from callwright import paths
from callwright.reports.report import Report, Section
from callwright.reports.values import Count, omitted_if_none


class RowCounts(Section):
    """Counts of the rows and tokens that a model is trained on.

    Attributes:
        rows: number of pairs or demonstrations.
        longest: tokens of the longest prompt with a completion.
        prompt_tokens: tokens of all prompts; the prompt of a pair counts once.
        completion_tokens: tokens of all completions.
        trained_tokens: tokens of the completions that the model writes, which the loss counts.
    """

    rows: Count
    longest: Count
    prompt_tokens: Count
    completion_tokens: Count
    trained_tokens: Count


class TrainReport(Section, Report):
    """A training on preference pairs.

    Attributes:
        loss: the mean over the logged steps.
        last: the metrics of the last logged step, by name.
        warning: one line, or empty.
        pairs_per_second: measured since the start or the last resume.
        dev_loss, dev_margin, ...: the last metrics on the dev pairs; None without dev pairs.
    """

    FILE: ClassVar = paths.TRAIN_REPORT

    pairs: Count
    dev_pairs: Count
    steps: Count
    loss: float
    last: dict[str, float]
    warning: str
    rows: RowCounts
    pairs_per_second: float
    dev_loss: float | None = omitted_if_none()
    dev_margin: float | None = omitted_if_none()
    dev_preferred: float | None = omitted_if_none()
    dev_chosen_log_probs: float | None = omitted_if_none()
    dev_rejected_log_probs: float | None = omitted_if_none()
