"""Sample chains: the teacher's, and the base's own."""

from callwright import paths
from callwright.params import Params
from callwright.records import Problem
from callwright.rollouts.run import local_plan, roll_out_local, roll_out_teacher, teacher_plan
from callwright.rollouts.summary import refuse_failures, summarise
from callwright.stage import Clock, run_stage
from callwright.storage import folder_hash, read, write, write_json
from callwright.tasks import load as load_tasks

JOURNALS = paths.WORK / "journals"


def main(_: Clock) -> None:
    params = Params.load()
    load_tasks(params.functions)
    rollout = params.rollout
    problems = [*read(Problem, paths.problems("train")), *read(Problem, paths.problems("dev"))]
    by_id = {problem.id: problem for problem in problems}

    plan = teacher_plan(problems, params.teacher, rollout.teacher, rollout, params.seed)
    teacher, lost = roll_out_teacher(problems, params.teacher, plan, rollout.concurrency, JOURNALS / "teacher.jsonl")
    refuse_failures(lost, len(plan), rollout.max_failure_rate)

    plan = local_plan(problems, "base", folder_hash(paths.BASE), rollout.student, rollout, params.seed)
    student, student_lost = roll_out_local(paths.BASE, "base", plan, rollout.batch_size, JOURNALS / "student.jsonl")
    refuse_failures(student_lost, len(plan), rollout.max_failure_rate)

    report = {"teacher": summarise(teacher, lost, by_id), "student": summarise(student, student_lost, by_id)}
    write(paths.TEACHER_CHAINS, teacher)
    write(paths.STUDENT_CHAINS, student)
    write(paths.FAILURES, [*lost, *student_lost])
    write_json(paths.ROLLOUT_REPORT, report)
    for name, summary in report.items():
        print(f"rollout: {name}: {summary['chains']:,} chains, {summary['answered_right']:.1%} answered right")


if __name__ == "__main__":
    run_stage("rollout", main)
