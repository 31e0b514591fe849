"""What a model attempts in an evaluation: each problem greedily, with samples, and after each change."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from callwright.evaluation.perturb.run import Variant
from callwright.evaluation.perturb.unseen import TasksWithUnseen, UnseenProblem
from callwright.evaluation.target import EvaluationTarget
from callwright.params import EvaluateParams, RolloutParams, SamplingParams
from callwright.records import Problem
from callwright.rollouts.plan import Attempt, local_plan
from callwright.tasks import Tasks
from callwright.tasks.view import View

SAMPLE = "sample-"  # in a chain's id, which would otherwise be the id of the greedy chain
GREEDY = SamplingParams(chains=1, temperature=0.0, top_p=1.0, problems=None)


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """One model's attempts.

    Attributes:
        greedy: one at each problem.
        sampled: `evaluate.samples` at each problem; none if that is 1.
        varied: one at each variant, in the variants' order.
        unseen: one at each problem that needs an unseen function, in their order.
    """

    greedy: Sequence[Attempt]
    sampled: Sequence[Attempt] = field(default=())
    varied: Sequence[Attempt] = field(default=())
    unseen: Sequence[Attempt] = field(default=())

    @property
    def attempts(self) -> list[Attempt]:
        """All attempts, in the order in which they are run."""
        return [*self.greedy, *self.sampled, *self.varied, *self.unseen]


def plan_evaluation(
    target: EvaluationTarget,
    problems: Sequence[Problem],
    variants: Sequence[Variant],
    tasks: Tasks,
    evaluate: EvaluateParams,
    rollout: RolloutParams,
    seed: int,
    unseen: Sequence[UnseenProblem] = (),
) -> EvaluationPlan:
    """The attempts of a local model: greedily, with samples if `evaluate.samples` > 1.

    Variants and the problems in `unseen` are attempted greedily only.
    """

    def plan_of(problems: Sequence[Problem], sampling: SamplingParams, label: str = "") -> list[Attempt]:
        return local_plan(problems, tasks, target.name, target.identity, sampling, rollout, seed, label)

    def in_view(problem: Problem, view: View, tasks: Tasks) -> Attempt:
        views = {problem.task: [view]}
        (attempt,) = local_plan([problem], tasks, target.name, target.identity, GREEDY, rollout, seed, views=views)
        return attempt

    sampling = SamplingParams(chains=evaluate.samples, temperature=evaluate.temperature, top_p=1.0, problems=None)
    with_unseen = TasksWithUnseen(tasks)
    return EvaluationPlan(
        greedy=plan_of(problems, GREEDY),
        sampled=plan_of(problems, sampling, SAMPLE) if evaluate.samples > 1 else [],
        varied=[in_view(variant.problem, variant.view, tasks) for variant in variants],
        unseen=[in_view(each.problem, each.view, with_unseen) for each in unseen],
    )
