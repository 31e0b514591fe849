"""reports/train.json: how a training went."""

from typing import ClassVar

from callwright import paths
from callwright.reports.report import Report, Section
from callwright.reports.values import Count, Share, omitted_if_none


class RowCounts(Section):
    """Counts of the rows and tokens that a model is trained on.

    Attributes:
        rows: number of pairs or demonstrations; in each epoch they are rows anew.
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

    def __add__(self, other: "RowCounts") -> "RowCounts":
        return RowCounts(
            rows=self.rows + other.rows,
            longest=max(self.longest, other.longest),
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            trained_tokens=self.trained_tokens + other.trained_tokens,
        )


class BatchCounts(Section):
    """Counts of a training's batches.

    Attributes:
        views: number of different views that the batches show, the plain one included.
        plain: share of batches that show the functions under their true names.
    """

    batches: Count
    views: Count
    plain: Share


class TrainReport(Section, Report):
    """A training on preference pairs.

    Attributes:
        loss: the mean over the logged steps.
        last: the metrics of the last logged step, by name.
        warning: one line, or empty.
        rows: the rows of all epochs, and those of the dev pairs.
        batches, warm_up_batches: of all epochs of the preferences and of the warm-up; None without a warm-up.
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
    batches: BatchCounts
    warm_up_batches: BatchCounts | None = omitted_if_none()
    pairs_per_second: float
    dev_loss: float | None = omitted_if_none()
    dev_margin: float | None = omitted_if_none()
    dev_preferred: float | None = omitted_if_none()
    dev_chosen_log_probs: float | None = omitted_if_none()
    dev_rejected_log_probs: float | None = omitted_if_none()
