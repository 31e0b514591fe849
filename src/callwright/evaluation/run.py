"""Every model on the same problems, greedily, by the same agent; finished attempts are journaled as in a rollout."""

from collections.abc import Sequence

from callwright import paths
from callwright.params import Params, SamplingParams
from callwright.records import CheckedChain, Problem
from callwright.rollouts.budget import BudgetError
from callwright.rollouts.journal import Journaled, journal_path, open_journal
from callwright.rollouts.plan import Attempt, local_plan, teacher_plan
from callwright.rollouts.run import roll_out_local, roll_out_teacher
from callwright.rollouts.sample import Rolled
from callwright.rollouts.summary import chains_of, refuse_failures
from callwright.storage import Journal, folder_hash
from callwright.validation.replay import check_chains

GREEDY = SamplingParams(chains=1, temperature=0.0, top_p=1.0, problems=None)


def evaluate_models(problems: Sequence[Problem], params: Params) -> dict[str, dict[str, CheckedChain]]:
    """Model -> problem id -> checked chain, for the base, the student and the teacher.

    Raises:
        ProviderError: a model cannot be used, or lost an attempt.
        BudgetError: the teacher's budget is used up.
    """
    evaluated: dict[str, dict[str, CheckedChain]] = {}
    rollout = params.rollout
    for name, folder in (("base", paths.BASE), ("student", paths.STUDENT)):
        plan = local_plan(problems, name, folder_hash(folder), GREEDY, rollout, params.seed)
        with open_journal(journal_path(f"evaluate_{name}")) as journal:
            rolled = roll_out_local(folder, name, plan, params.evaluate.batch_size, rollout, journal)
            evaluated[name] = _checked(name, problems, plan, rolled, journal)
    plan = teacher_plan(problems, params.teacher, GREEDY, rollout, params.seed)
    with open_journal(journal_path("evaluate_teacher")) as journal:
        rolled = roll_out_teacher(problems, params.teacher, plan, rollout, journal)
        evaluated["teacher"] = _checked("teacher", problems, plan, rolled, journal)
    return evaluated


def _checked(
    name: str, problems: Sequence[Problem], plan: Sequence[Attempt], rolled: Rolled, journal: Journal[Journaled]
) -> dict[str, CheckedChain]:
    """A model's checked chains by problem; a comparison needs all of them, so nothing may be missing."""
    refuse_failures(rolled.failures, len(plan), 0)
    if rolled.reached:
        raise BudgetError(
            f"{name}: the budget is used up ({rolled.reached}) with {len(plan) - rolled.unmade:,} of {len(plan):,} "
            "attempts done; they are kept in the journal: run again to spend as much once more, or raise the limit"
        )
    by_id = {problem.id: problem for problem in problems}
    return {one.chain.problem_id: one for one in check_chains(chains_of(plan, journal), by_id)}
