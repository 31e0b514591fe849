"""The rollout stage: sample chains of the teacher and of the base."""

from collections.abc import Mapping, Sequence
from functools import cache, partial

from callwright import paths
from callwright.chat.local.backend import local_model_identity
from callwright.params import Params
from callwright.params.address import ORACLE
from callwright.pipeline.stage import Clock, run_stage
from callwright.records import Problem
from callwright.reports.rollout import RolloutReport
from callwright.rollouts.journal import journal_path, open_journal
from callwright.rollouts.parallel import ParallelModel, sample_in_parallel
from callwright.rollouts.plan import Attempt, local_plan, teacher_plan
from callwright.rollouts.run import roll_out_local, roll_out_teacher
from callwright.rollouts.sample import Failure, RolloutResult
from callwright.rollouts.summary import check_budget_used_up, publish, raise_if_too_many_failures
from callwright.storage.files import is_folder
from callwright.storage.jsonl import read, write
from callwright.surprises import SurpriseLog
from callwright.tasks import Tasks, load_tasks
from callwright.tasks.draw_view import draw_views
from callwright.tasks.view import View


def run(_: Clock) -> None:
    params = Params.load()
    tasks = load_tasks(params.functions)
    problems = [*read(Problem, paths.problems("train")), *read(Problem, paths.problems("dev"))]
    surprises = SurpriseLog("rollout")
    try:
        report = _roll_out(problems, tasks, params, surprises)
    finally:
        if line := surprises.summary():
            print(f"rollout: {line}")
    for name, rollout in report.by_model().items():
        print(f"rollout: {name}: {rollout.chains:,} chains, {rollout.answered_right:.1%} answered right")


def _roll_out(problems: list[Problem], tasks: Tasks, params: Params, surprises: SurpriseLog) -> RolloutReport:
    rollout = params.rollout
    failures = list[Failure]()

    def write_failures(result: RolloutResult, attempts: int) -> None:
        failures.extend(result.failures)
        write(paths.FAILURES, failures)
        raise_if_too_many_failures(result.failures, attempts, rollout.max_failure_rate)

    views = {
        name: draw_views(tasks[name], params.views, params.views.rollout, params.seed, "rollout")
        for name in dict.fromkeys(problem.task for problem in problems)
    }
    plan_teacher = partial(
        teacher_plan, problems, tasks, params.teacher, rollout.teacher, rollout, params.seed, views=views
    )
    plan_student = partial(_plan_student, problems, tasks, params, views)
    student_plan = cache(plan_student)  # made when it is needed, as it needs the base
    plan = plan_teacher()
    if params.teacher.base_url == ORACLE and not rollout.budget.limits() and is_folder(paths.BASE):
        # Another teacher computes elsewhere, and a budget holds for one process.
        sample_teacher = partial(roll_out_teacher, problems, tasks, params.teacher, rollout=rollout)
        sample_student = partial(roll_out_local, paths.BASE, "base", batch_size=rollout.batch_size, rollout=rollout)
        teacher_path, student_path = journal_path("teacher"), journal_path("student")
        sample_in_parallel(
            [
                ParallelModel(params.teacher.model, teacher_path, plan, plan_teacher, sample_teacher),
                ParallelModel("base", student_path, student_plan(), plan_student, sample_student, paths.BASE),
            ]
        )
    with open_journal(journal_path("teacher")) as journal:
        result = roll_out_teacher(problems, tasks, params.teacher, plan, rollout, journal, surprises)
        write_failures(result, len(plan))
        if notice := check_budget_used_up("teacher", result, len(plan), rollout.budget):
            print(f"rollout: {notice}")
        teacher = publish(paths.TEACHER_CHAINS, plan, tasks, journal, result, rollout.prices, surprises)

    plan = student_plan()
    with open_journal(journal_path("student")) as journal:
        result = roll_out_local(paths.BASE, "base", plan, rollout.batch_size, rollout, journal, surprises)
        write_failures(result, len(plan))
        student = publish(paths.STUDENT_CHAINS, plan, tasks, journal, result, surprises=surprises)

    report = RolloutReport(teacher=teacher, student=student)
    report.save()
    return report


def _plan_student(
    problems: Sequence[Problem], tasks: Tasks, params: Params, views: Mapping[str, Sequence[View]]
) -> list[Attempt]:
    """The attempts of the base, which is the student before its training."""
    rollout = params.rollout
    identity = local_model_identity(paths.BASE) if rollout.student.chains else ""  # not asked without chains
    return local_plan(problems, tasks, "base", identity, rollout.student, rollout, params.seed, views=views)


def main() -> None:
    """Run the stage as a process (see `run_stage`)."""
    run_stage("rollout", run)


if __name__ == "__main__":
    main()
