"""What a model attempts in an evaluation: each problem greedily, with samples, and after each change."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from callwright.evaluation.perturb.run import Variant
from callwright.evaluation.target import EvaluationTarget
from callwright.params import EvaluateParams, RolloutParams, SamplingParams
from callwright.records import Problem
from callwright.rollouts.plan import Attempt, local_plan
from callwright.tasks import Tasks

SAMPLE = "sample-"  # in a chain's id, which would otherwise be the id of the greedy chain
GREEDY = SamplingParams(chains=1, temperature=0.0, top_p=1.0, problems=None)


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """One model's attempts.

    Attributes:
        greedy: one at each problem.
        sampled: `evaluate.samples` at each problem; none if that is 1.
        varied: one at each variant, in the variants' order.
    """

    greedy: Sequence[Attempt]
    sampled: Sequence[Attempt] = field(default=())
    varied: Sequence[Attempt] = field(default=())

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts, in the order in which they are run."""
        return [*self.greedy, *self.sampled, *self.varied]


def plan_evaluation(
    target: EvaluationTarget,
    problems: Sequence[Problem],
    variants: Sequence[Variant],
    tasks: Tasks,
    evaluate: EvaluateParams,
    rollout: RolloutParams,
    seed: int,
) -> EvaluationPlan:
    """The attempts of a local model: greedily, with samples if `evaluate.samples` > 1, and greedily on the variants."""

    def plan_of(problems: Sequence[Problem], tasks: Tasks, sampling: SamplingParams, label: str = "") -> list[Attempt]:
        return local_plan(problems, tasks, target.name, target.identity, sampling, rollout, seed, label)

    sampling = SamplingParams(chains=evaluate.samples, temperature=evaluate.temperature, top_p=1.0, problems=None)
    return EvaluationPlan(
        plan_of(problems, tasks, GREEDY),
        plan_of(problems, tasks, sampling, SAMPLE) if evaluate.samples > 1 else [],
        [
            attempt
            for variant in variants
            for attempt in plan_of([variant.problem], Tasks([variant.task]), GREEDY)  # each has a task of its own
        ],
    )
