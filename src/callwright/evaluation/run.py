"""Run every model on the same problems with the same agent; finished attempts are journaled as in a rollout."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path

from callwright import paths
from callwright.errors import DataError
from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.evaluation.perturb.run import Variant
from callwright.evaluation.perturb.unseen import TasksWithUnseen, UnseenProblem
from callwright.evaluation.plan import GREEDY, EvaluationPlan, plan_evaluation
from callwright.evaluation.target import EvaluationTarget, evaluation_target, max_concurrency, open_target
from callwright.params import EvaluateParams, RolloutParams, TeacherParams
from callwright.progress import track
from callwright.records import Chain, CheckedChain, Problem, Verdict
from callwright.rollouts.budget import BudgetError, Meter
from callwright.rollouts.journal import JournalEntry, find_entry, journal_path, open_journal
from callwright.rollouts.parallel import ParallelModel, sample_in_parallel
from callwright.rollouts.plan import Attempt, teacher_plan
from callwright.rollouts.run import roll_out, roll_out_teacher
from callwright.rollouts.sample import Failure, RolloutResult, missing_attempts
from callwright.rollouts.summary import raise_if_too_many_failures
from callwright.storage.journal import Journal
from callwright.surprises import Surprise, SurpriseLog
from callwright.tasks import Tasks
from callwright.validation.check_chains import check_chains

_Checked = tuple[Chain, Verdict | Surprise]


def evaluate_models(
    problems: Sequence[Problem],
    variants: Sequence[Variant],
    tasks: Tasks,
    evaluate: EvaluateParams,
    rollout: RolloutParams,
    teacher: TeacherParams,
    seed: int,
    champion: Path | None = None,
    surprises: SurpriseLog | None = None,
    unseen: Sequence[UnseenProblem] = (),
) -> dict[str, ModelEvaluation]:
    """Results of `base`, `student`, `champion` (if it is given) and `teacher`, in this order.

    An attempt that would fail again (an unexpected exception, or a conversation that is too long) has no chain;
    `select_comparable` drops its problem.

    Args:
        problems: at least one.
        variants: changed problems, which base and student attempt too.
        champion: folder with the champion's weights; None: there is no champion, or it is the student.
        surprises: counts unexpected exceptions; by default those of the stage `evaluate`.
        unseen: problems that need an unseen function, which base and student attempt too.

    Raises:
        ProviderError: a model cannot be used, an attempt failed that the next run may repeat, or more than
            `rollout.max_failure_rate` of a model's attempts failed.
        BudgetError: the teacher's budget is used up.
        DataError: more than `rollout.max_failure_rate` of a model's chains cannot be checked.
    """
    log = surprises or SurpriseLog("evaluate")
    local_models = [("base", paths.BASE), ("student", paths.STUDENT)]
    if champion is not None:
        local_models.append(("champion", champion))
    planned, parallel = [], []
    for name, folder in local_models:
        target = evaluation_target(name, folder, evaluate)
        changed = (variants, unseen) if name != "champion" else ((), ())
        plan_of_target = partial(
            plan_evaluation, target, problems, changed[0], tasks, evaluate, rollout, seed, unseen=changed[1]
        )
        plan = plan_of_target()
        planned.append((target, plan))
        if target.endpoint is None:
            sample = partial(_sample_target, target, evaluate, rollout)
            attempts_of_target = partial(_plan_attempts, plan_of_target)
            parallel.append(
                ParallelModel(name, _journal_path(target), plan.attempts, attempts_of_target, sample, folder)
            )
    sample_in_parallel(parallel)
    evaluated = {target.name: evaluate_target(target, plan, tasks, evaluate, rollout, log) for target, plan in planned}
    # The teacher only greedily: samples cost money, and its numbers are only for comparison.
    plan = EvaluationPlan(teacher_plan(problems, tasks, teacher, GREEDY, rollout, seed))
    evaluated["teacher"] = _evaluate_teacher(plan, problems, tasks, teacher, rollout, log)
    return evaluated


def evaluate_target(
    target: EvaluationTarget,
    plan: EvaluationPlan,
    tasks: Tasks,
    evaluate: EvaluateParams,
    rollout: RolloutParams,
    log: SurpriseLog,
) -> ModelEvaluation:
    with open_journal(_journal_path(target)) as journal:
        asyncio.run(_run_missing(target, plan.attempts, journal, evaluate, rollout, log))
        return collect_results(plan, tasks, journal, log, rollout.max_failure_rate)


def _journal_path(target: EvaluationTarget) -> Path:
    return journal_path(f"evaluate_{target.name}")


def _plan_attempts(plan_of_target: Callable[[], EvaluationPlan]) -> list[Attempt]:
    return plan_of_target().attempts


def _sample_target(
    target: EvaluationTarget,
    evaluate: EvaluateParams,
    rollout: RolloutParams,
    attempts: Sequence[Attempt],
    journal: Journal[JournalEntry],
    surprises: SurpriseLog,
) -> None:
    """Run a target's missing attempts in another process."""
    asyncio.run(_run_missing(target, attempts, journal, evaluate, rollout, surprises))


async def _run_missing(
    target: EvaluationTarget,
    attempts: Sequence[Attempt],
    journal: Journal[JournalEntry],
    evaluate: EvaluateParams,
    rollout: RolloutParams,
    log: SurpriseLog,
) -> None:
    """Run the attempts that the journal does not have yet; without any, the model is not opened."""
    if not missing_attempts(attempts, journal):
        return
    async with open_target(target, evaluate, attempts, journal) as model:
        concurrency = max_concurrency(target, evaluate, rollout)
        result = await roll_out(attempts, model, journal, concurrency, Meter(), rollout, log)
    _raise_on_failures(result.failures, len(attempts), rollout.max_failure_rate)


def _raise_on_failures(failures: Sequence[Failure], attempts: int, limit: float) -> None:
    """Raise if an attempt failed that the next run can repeat, or if too many failed for good."""
    raise_if_too_many_failures([failure for failure in failures if not failure.lasting], attempts, 0)
    raise_if_too_many_failures(failures, attempts, limit)


def _evaluate_teacher(
    plan: EvaluationPlan,
    problems: Sequence[Problem],
    tasks: Tasks,
    teacher: TeacherParams,
    rollout: RolloutParams,
    log: SurpriseLog,
) -> ModelEvaluation:
    attempts, limit = plan.attempts, rollout.max_failure_rate
    with open_journal(journal_path("evaluate_teacher")) as journal:
        result = roll_out_teacher(problems, tasks, teacher, attempts, rollout, journal, log)
        _raise_on_failures(result.failures, len(attempts), limit)
        _raise_if_incomplete(result, len(attempts))
        return collect_results(plan, tasks, journal, log, limit)


def _raise_if_incomplete(rolled: RolloutResult, attempts: int) -> None:
    """Raise if the budget ended the rollout: a comparison needs all chains."""
    if rolled.limit_reached:
        raise BudgetError(
            f"teacher: the budget is used up ({rolled.limit_reached}) with "
            f"{attempts - rolled.not_run:,} of {attempts:,} attempts done; they are kept in the journal: run again to "
            "spend as much once more, or raise the limit"
        )


def collect_results(
    plan: EvaluationPlan, tasks: Tasks, journal: Journal[JournalEntry], log: SurpriseLog, limit: float
) -> ModelEvaluation:
    """A model's results: the chains of its plan that are in the journal, checked.

    A chain whose check raises an unexpected exception is counted and dropped.

    Args:
        tasks: those of the attempts. Attempts that need an unseen function have `TasksWithUnseen` of them.
        limit: the largest share of the greedy, the sampled, the varied or the unseen chains whose checks may raise.

    Raises:
        DataError: more checks raised than the limit allows.
    """

    def check(attempts: Sequence[Attempt], tasks: Tasks) -> dict[str, CheckedChain]:
        problems = {attempt.problem.id: attempt.problem for attempt in attempts}
        chains = (entry.chain for attempt in attempts if (entry := find_entry(attempt, journal)))
        return _checked_chains(check_chains(chains, problems, tasks), len(attempts), log, limit)

    chains, sampled, varied = (check(attempts, tasks) for attempts in (plan.greedy, plan.sampled, plan.varied))
    unseen = check(plan.unseen, TasksWithUnseen(tasks))
    samples: dict[str, list[CheckedChain | None]] = {}
    for attempt in plan.sampled:
        samples.setdefault(attempt.problem.id, []).append(sampled.get(attempt.id))
    attempts = {attempt.problem.id: entry for attempt in plan.greedy if (entry := find_entry(attempt, journal))}
    return ModelEvaluation(
        chains={checked.chain.problem_id: checked for checked in chains.values()},
        seconds=_mean_seconds(attempts),
        samples={problem_id: complete for problem_id, chains in samples.items() if (complete := _complete(chains))},
        variants=[varied.get(attempt.id) for attempt in plan.varied],
        unseen=[unseen.get(attempt.id) for attempt in plan.unseen],
        attempts=attempts,
    )


def _checked_chains(
    results: Iterable[_Checked], attempts: int, log: SurpriseLog, limit: float
) -> dict[str, CheckedChain]:
    """The checked chains by their ids, see `collect_results`.

    Args:
        attempts: number of attempts, with or without a chain.
    """
    checked = dict[str, CheckedChain]()
    unchecked = 0
    for chain, verdict in track(results, "checks", attempts, "chains"):
        if isinstance(verdict, Surprise):
            log.add(verdict, chain.id)
            unchecked += 1
        else:
            checked[chain.id] = CheckedChain(chain, verdict)
    if unchecked > limit * attempts:
        raise DataError(
            f"{unchecked:,} of {attempts:,} chains cannot be checked (limit {limit:.0%}): "
            f"{log.path} says what went wrong"
        )
    return checked


def _complete(chains: Sequence[CheckedChain | None]) -> list[CheckedChain]:
    """The chains; none if one is missing."""
    complete = [chain for chain in chains if chain is not None]
    return complete if len(complete) == len(chains) else []


def _mean_seconds(attempts: Mapping[str, JournalEntry]) -> float:
    return sum(sum(attempt.request_s) for attempt in attempts.values()) / max(len(attempts), 1)
