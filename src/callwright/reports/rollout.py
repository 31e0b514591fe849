"""reports/rollout.json: what sampling the chains took."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from callwright import paths
from callwright.reports.report import Report, Section
from callwright.reports.values import Amount, Count, Share, omitted


class ModelRollout(Section):
    """One model's rollout.

    Attributes:
        attempts: attempts of the plan; chains, failures and `not_run` are parts of it.
        failure_reasons: reason -> failed attempts.
        not_run: attempts that were not run, because the budget was used up.
        ungraded: chains whose grader raised an unexpected error; they count as not right.
        accuracy: task -> share of chains that were answered right.
        outcomes: how a chain ended -> chains.
        cost: None without prices.
        latency_s: percentile (`p50`, `p95`) of the seconds until a reply; empty without requests.
    """

    attempts: Count
    chains: Count
    failures: Count
    failure_reasons: dict[str, Count]
    not_run: Count = Field(validation_alias="unmade", serialization_alias="unmade")
    ungraded: Count
    answered_right: Share
    accuracy: dict[str, Share]
    outcomes: dict[str, Count]
    steps: Count
    prompt_tokens: Count
    cached_tokens: Count
    completion_tokens: Count
    cost: Amount | None
    latency_s: dict[str, Amount]


class RolloutReport(Section, Report):
    """The rollouts of the teacher and of the student; None for a model that was not sampled."""

    FILE: ClassVar = paths.ROLLOUT_REPORT

    teacher: ModelRollout | None = omitted()
    student: ModelRollout | None = omitted()

    def by_model(self) -> Mapping[str, ModelRollout]:
        """The rollout of each model that was sampled."""
        rollouts = {"teacher": self.teacher, "student": self.student}
        return {name: rollout for name, rollout in rollouts.items() if rollout is not None}
