"""Every model on the same problems, by the same agent; finished attempts are journaled as in a rollout."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from callwright import paths
from callwright.errors import CallwrightError, DataError
from callwright.evaluation.candidate import Candidate, candidate, concurrency, opened
from callwright.evaluation.evaluated import Evaluated
from callwright.evaluation.perturb.run import Variant, solve_variants
from callwright.params import Params, SamplingParams
from callwright.records import CheckedChain, Problem
from callwright.rollouts.budget import BudgetError, Meter
from callwright.rollouts.journal import Journaled, journal_path, open_journal, record_of
from callwright.rollouts.plan import Attempt, local_plan, teacher_plan
from callwright.rollouts.run import roll_out, roll_out_teacher
from callwright.rollouts.sample import Failure, Rolled, missing
from callwright.rollouts.summary import chains_of, refuse_failures
from callwright.storage.journal import Journal
from callwright.surprises import SurpriseLog, surprise_of
from callwright.validation.replay import check_chain

GREEDY = SamplingParams(chains=1, temperature=0.0, top_p=1.0, problems=None)


def evaluate_models(
    problems: Sequence[Problem],
    variants: Sequence[Variant],
    params: Params,
    champion: Path | None = None,
    surprises: SurpriseLog | None = None,
) -> dict[str, Evaluated]:
    """What `base`, `student`, `champion` (if there is one) and `teacher` came to.

    An attempt that would fail again (something unexpected happened, or the conversation got too long) has no chain;
    `comparison_of` leaves its problem out.

    Args:
        champion: folder with the weights of the registered model in use; None: there is none beside the student.
        surprises: counts unexpected exceptions; by default those of the stage `evaluate`.

    Raises:
        ProviderError: a model cannot be used, lost an attempt that the next run may make, or has no chain of more than
            `rollout.max_failure_rate` of the problems.
        BudgetError: the teacher's budget is used up.
    """
    log = surprises or SurpriseLog("evaluate")
    evaluated = {
        name: _evaluate(candidate(name, folder, params), problems, variants, params, log)
        for name, folder in (("base", paths.BASE), ("student", paths.STUDENT))
    }
    if champion is not None:
        evaluated["champion"] = _evaluate(candidate("champion", champion, params), problems, (), params, log)
    evaluated["teacher"] = _evaluate_teacher(problems, params, log)
    return evaluated


def _evaluate(
    model_asked: Candidate, problems: Sequence[Problem], variants: Sequence[Variant], params: Params, log: SurpriseLog
) -> Evaluated:
    """Ask one of our own models: greedily, with samples if `evaluate.samples` > 1, and on the variants."""

    def plan_of(sampling: SamplingParams) -> list[Attempt]:
        return local_plan(problems, model_asked.name, model_asked.identity, sampling, params.rollout, params.seed)

    settings, limit = params.evaluate, params.rollout.max_failure_rate
    sampling = SamplingParams(chains=settings.samples, temperature=settings.temperature, top_p=1.0, problems=None)
    greedy, sampled = plan_of(GREEDY), plan_of(sampling) if settings.samples > 1 else []
    with open_journal(journal_path(f"evaluate_{model_asked.name}")) as journal:
        changed = asyncio.run(_ask(model_asked, [*greedy, *sampled], variants, journal, params, log))
        samples: dict[str, list[CheckedChain]] = defaultdict(list)
        for checked in _checked_chains(problems, sampled, journal, log, limit):
            samples[checked.chain.problem_id].append(checked)
        complete = {name: chains for name, chains in samples.items() if len(chains) == settings.samples}
        chains, attempts = _by_problem(problems, greedy, journal, log, limit), _attempts(greedy, journal)
        return Evaluated(chains, _seconds(attempts), complete, changed, attempts)


async def _ask(
    one: Candidate,
    plan: Sequence[Attempt],
    variants: Sequence[Variant],
    journal: Journal[Journaled],
    params: Params,
    log: SurpriseLog,
) -> list[CheckedChain | None]:
    """Make what the journal lacks of the plan; returns a chain of each variant, which are asked every time."""
    if not variants and not missing(plan, journal):
        return []
    rollout, at_once = params.rollout, concurrency(one, params)
    async with opened(one, params, plan, journal) as model:
        rolled = await roll_out(plan, model, journal, at_once, Meter(), rollout, log)
        _refuse_failures(rolled.failures, len(plan), rollout.max_failure_rate)
        greedy, protocol = plan[0].sampling, rollout.protocol
        changed, failures = await solve_variants(variants, model, greedy, protocol, at_once, log)
        _refuse_failures(failures, len(variants), rollout.max_failure_rate)
        return changed


def _refuse_failures(failures: Sequence[Failure], attempts: int, limit: float) -> None:
    """Raise if an attempt failed that the next run can repeat, or if too many failed for good."""
    refuse_failures([failure for failure in failures if not failure.lasting], attempts, 0)
    refuse_failures(failures, attempts, limit)


def _evaluate_teacher(problems: Sequence[Problem], params: Params, log: SurpriseLog) -> Evaluated:
    """The teacher answers greedily only: samples cost money, and the teacher is not what is evaluated."""
    plan = teacher_plan(problems, params.teacher, GREEDY, params.rollout, params.seed)
    with open_journal(journal_path("evaluate_teacher")) as journal:
        rolled = roll_out_teacher(problems, params.teacher, plan, params.rollout, journal, log)
        limit = params.rollout.max_failure_rate
        _refuse_failures(rolled.failures, len(plan), limit)
        _refuse_unmade(rolled, len(plan))
        chains, attempts = _by_problem(problems, plan, journal, log, limit), _attempts(plan, journal)
        return Evaluated(chains, _seconds(attempts), attempts=attempts)


def _refuse_unmade(rolled: Rolled, attempts: int) -> None:
    """A comparison needs all chains, so nothing may be missing."""
    if rolled.reached:
        raise BudgetError(
            f"teacher: the budget is used up ({rolled.reached}) with {attempts - rolled.unmade:,} of {attempts:,} "
            "attempts done; they are kept in the journal: run again to spend as much once more, or raise the limit"
        )


def _checked_chains(
    problems: Sequence[Problem], plan: Sequence[Attempt], journal: Journal[Journaled], log: SurpriseLog, limit: float
) -> Iterator[CheckedChain]:
    """The checked chains of a plan. A chain whose check raises an unexpected error is counted and left out.

    Args:
        limit: the largest share of the plan whose check may raise.

    Raises:
        DataError: more checks raised, so that the rest would say little about the model.
    """
    by_id = {problem.id: problem for problem in problems}
    unchecked = 0
    for chain in chains_of(plan, journal):
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


def _by_problem(
    problems: Sequence[Problem], plan: Sequence[Attempt], journal: Journal[Journaled], log: SurpriseLog, limit: float
) -> dict[str, CheckedChain]:
    return {checked.chain.problem_id: checked for checked in _checked_chains(problems, plan, journal, log, limit)}


def _attempts(plan: Sequence[Attempt], journal: Journal[Journaled]) -> dict[str, Journaled]:
    return {attempt.problem.id: record for attempt in plan if (record := record_of(attempt, journal))}


def _seconds(attempts: Mapping[str, Journaled]) -> float:
    return sum(sum(attempt.request_s) for attempt in attempts.values()) / max(len(attempts), 1)
