"""Every model on the same problems, greedily, by the same agent; finished attempts are journaled as in a rollout."""

from collections.abc import Sequence

from callwright import paths
from callwright.params import Params, SamplingParams
from callwright.records import CheckedChain, Problem
from callwright.rollouts.run import local_plan, roll_out_local, roll_out_teacher, teacher_plan
from callwright.rollouts.summary import refuse_failures
from callwright.storage import folder_hash
from callwright.validation.replay import check_chains

GREEDY = SamplingParams(chains=1, temperature=0.0, top_p=1.0, problems=None)
JOURNALS = paths.WORK / "journals"


def evaluate_models(problems: Sequence[Problem], params: Params) -> dict[str, dict[str, CheckedChain]]:
    """Model -> problem id -> checked chain, for the base, the student and the teacher.

    Raises:
        ProviderError: a model cannot be used.
    """
    by_id = {problem.id: problem for problem in problems}
    evaluated: dict[str, dict[str, CheckedChain]] = {}
    for name, folder in (("base", paths.BASE), ("student", paths.STUDENT)):
        plan = local_plan(problems, name, folder_hash(folder), GREEDY, params.rollout, params.seed)
        journal = JOURNALS / f"evaluate_{name}.jsonl"
        chains, failures = roll_out_local(folder, name, plan, params.evaluate.batch_size, journal)
        refuse_failures(failures, len(plan), 0)
        evaluated[name] = {one.chain.problem_id: one for one in check_chains(chains, by_id)}
    plan = teacher_plan(problems, params.teacher, GREEDY, params.rollout, params.seed)
    journal = JOURNALS / "evaluate_teacher.jsonl"
    chains, failures = roll_out_teacher(problems, params.teacher, plan, params.rollout.concurrency, journal)
    refuse_failures(failures, len(plan), 0)
    evaluated["teacher"] = {one.chain.problem_id: one for one in check_chains(chains, by_id)}
    return evaluated
