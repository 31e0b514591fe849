"""Run every model on the same problems with the same agent; finished attempts are journaled as in a rollout."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from callwright import paths
from callwright.errors import CallwrightError, DataError
from callwright.evaluation.model_evaluation import ModelEvaluation
from callwright.evaluation.perturb.run import Variant, solve_variants
from callwright.evaluation.target import EvaluationTarget, evaluation_target, max_concurrency, open_target
from callwright.params import Params, SamplingParams
from callwright.records import CheckedChain, Problem
from callwright.rollouts.budget import BudgetError, Meter
from callwright.rollouts.journal import JournalEntry, find_entry, journal_path, open_journal
from callwright.rollouts.plan import Attempt, local_plan, teacher_plan
from callwright.rollouts.run import roll_out, roll_out_teacher
from callwright.rollouts.sample import Failure, RolloutResult, missing_attempts
from callwright.rollouts.summary import journaled_chains, raise_if_too_many_failures
from callwright.storage.journal import Journal
from callwright.surprises import SurpriseLog, surprise_of
from callwright.validation.replay import check_chain

SAMPLE = "sample-"  # in a chain's id, which would otherwise be the id of the greedy chain
GREEDY = SamplingParams(chains=1, temperature=0.0, top_p=1.0, problems=None)


def evaluate_models(
    problems: Sequence[Problem],
    variants: Sequence[Variant],
    params: Params,
    champion: Path | None = None,
    surprises: SurpriseLog | None = None,
) -> dict[str, ModelEvaluation]:
    """Results of `base`, `student`, `champion` (if it is given) and `teacher`, in this order.

    An attempt that would fail again (an unexpected exception, or a conversation that is too long) has no chain;
    `select_comparable` drops its problem.

    Args:
        champion: folder with the champion's weights; None: there is no champion, or it is the student.
        surprises: counts unexpected exceptions; by default those of the stage `evaluate`.

    Raises:
        ProviderError: a model cannot be used, an attempt failed that the next run may repeat, or more than
            `rollout.max_failure_rate` of a model's attempts failed.
        BudgetError: the teacher's budget is used up.
        DataError: more than `rollout.max_failure_rate` of a model's chains cannot be checked.
    """
    log = surprises or SurpriseLog("evaluate")
    evaluated = {
        name: _evaluate_target(evaluation_target(name, folder, params.evaluate), problems, variants, params, log)
        for name, folder in (("base", paths.BASE), ("student", paths.STUDENT))
    }
    if champion is not None:
        target = evaluation_target("champion", champion, params.evaluate)
        evaluated["champion"] = _evaluate_target(target, problems, (), params, log)
    evaluated["teacher"] = _evaluate_teacher(problems, params, log)
    return evaluated


def _evaluate_target(
    target: EvaluationTarget, problems: Sequence[Problem], variants: Sequence[Variant], params: Params, log: SurpriseLog
) -> ModelEvaluation:
    """Evaluate a local model: greedily, with samples if `evaluate.samples` > 1, and on the variants."""

    def plan_of(sampling: SamplingParams, label: str = "") -> list[Attempt]:
        return local_plan(problems, target.name, target.identity, sampling, params.rollout, params.seed, label)

    settings, limit = params.evaluate, params.rollout.max_failure_rate
    sampling = SamplingParams(chains=settings.samples, temperature=settings.temperature, top_p=1.0, problems=None)
    greedy, sampled = plan_of(GREEDY), plan_of(sampling, SAMPLE) if settings.samples > 1 else []
    with open_journal(journal_path(f"evaluate_{target.name}")) as journal:
        variant_chains = asyncio.run(_run_attempts(target, [*greedy, *sampled], variants, journal, params, log))
        samples: dict[str, list[CheckedChain]] = defaultdict(list)
        for checked in _checked_chains(problems, sampled, journal, log, limit):
            samples[checked.chain.problem_id].append(checked)
        complete_samples = {
            problem_id: chains for problem_id, chains in samples.items() if len(chains) == settings.samples
        }
        chains = _chains_by_problem(problems, greedy, journal, log, limit)
        attempts = _attempts_by_problem(greedy, journal)
        return ModelEvaluation(chains, _mean_seconds(attempts), complete_samples, variant_chains, attempts)


async def _run_attempts(
    target: EvaluationTarget,
    plan: Sequence[Attempt],
    variants: Sequence[Variant],
    journal: Journal[JournalEntry],
    params: Params,
    log: SurpriseLog,
) -> list[CheckedChain | None]:
    """Run the attempts that the journal does not have yet, and all variants, which are not journaled.

    Returns:
        The chain of each variant, in the variants' order; None where the attempt failed.
    """
    if not variants and not missing_attempts(plan, journal):
        return []
    rollout, max_in_flight = params.rollout, max_concurrency(target, params.evaluate, params.rollout)
    async with open_target(target, params.evaluate, plan, journal) as model:
        result = await roll_out(plan, model, journal, max_in_flight, Meter(), rollout, log)
        _raise_on_failures(result.failures, len(plan), rollout.max_failure_rate)
        greedy, protocol = plan[0].sampling, rollout.protocol
        variant_chains, failures = await solve_variants(variants, model, greedy, protocol, max_in_flight, log)
        _raise_on_failures(failures, len(variants), rollout.max_failure_rate)
        return variant_chains


def _raise_on_failures(failures: Sequence[Failure], attempts: int, limit: float) -> None:
    """Raise if an attempt failed that the next run can repeat, or if too many failed for good."""
    raise_if_too_many_failures([failure for failure in failures if not failure.lasting], attempts, 0)
    raise_if_too_many_failures(failures, attempts, limit)


def _evaluate_teacher(problems: Sequence[Problem], params: Params, log: SurpriseLog) -> ModelEvaluation:
    """Evaluate the teacher, greedily only: samples cost money, and its numbers are only for comparison."""
    plan = teacher_plan(problems, params.teacher, GREEDY, params.rollout, params.seed)
    with open_journal(journal_path("evaluate_teacher")) as journal:
        result = roll_out_teacher(problems, params.teacher, plan, params.rollout, journal, log)
        limit = params.rollout.max_failure_rate
        _raise_on_failures(result.failures, len(plan), limit)
        _raise_if_incomplete(result, len(plan))
        chains = _chains_by_problem(problems, plan, journal, log, limit)
        attempts = _attempts_by_problem(plan, journal)
        return ModelEvaluation(chains, _mean_seconds(attempts), attempts=attempts)


def _raise_if_incomplete(rolled: RolloutResult, attempts: int) -> None:
    """Raise if the budget ended the rollout: a comparison needs all chains."""
    if rolled.limit_reached:
        raise BudgetError(
            f"teacher: the budget is used up ({rolled.limit_reached}) with "
            f"{attempts - rolled.not_run:,} of {attempts:,} attempts done; they are kept in the journal: run again to "
            "spend as much once more, or raise the limit"
        )


def _checked_chains(
    problems: Sequence[Problem], plan: Sequence[Attempt], journal: Journal[JournalEntry], log: SurpriseLog, limit: float
) -> Iterator[CheckedChain]:
    """The checked chains of a plan. A chain whose check raises an unexpected exception is counted and dropped.

    Args:
        limit: the largest share of the plan whose checks may raise.

    Raises:
        DataError: more checks raised than the limit allows.
    """
    by_id = {problem.id: problem for problem in problems}
    unchecked = 0
    for chain in journaled_chains(plan, journal):
        try:
            checked = check_chain(chain, by_id[chain.problem_id])
        except CallwrightError:
            raise
        except Exception as error:
            log.add(surprise_of(error), chain.id)
            unchecked += 1
        else:
            yield checked
    if unchecked > limit * len(plan):
        raise DataError(
            f"{unchecked:,} of {len(plan):,} chains cannot be checked (limit {limit:.0%}): "
            f"{log.path} says what went wrong"
        )


def _chains_by_problem(
    problems: Sequence[Problem], plan: Sequence[Attempt], journal: Journal[JournalEntry], log: SurpriseLog, limit: float
) -> dict[str, CheckedChain]:
    return {checked.chain.problem_id: checked for checked in _checked_chains(problems, plan, journal, log, limit)}


def _attempts_by_problem(plan: Sequence[Attempt], journal: Journal[JournalEntry]) -> dict[str, JournalEntry]:
    return {attempt.problem.id: entry for attempt in plan if (entry := find_entry(attempt, journal))}


def _mean_seconds(attempts: Mapping[str, JournalEntry]) -> float:
    return sum(sum(attempt.request_s) for attempt in attempts.values()) / max(len(attempts), 1)
