"""The validate stage: execute every call again, judge every chain, and check the data's quality."""

from callwright import paths
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.records import SPLITS, Problem
from callwright.reporting.data_docs import write_checks, write_index
from callwright.storage.files import write_json
from callwright.storage.jsonl import read, write, write_lines
from callwright.surprises import SurpriseLog
from callwright.tasks import load_tasks
from callwright.validation import drift
from callwright.validation.quality import raise_if_too_many_quarantined, validate_chains
from callwright.validation.suites.problems import check_problems
from callwright.validation.suites.suite import Suites, checks_report, raise_if_critical_failed, warning_lines

CHAINS = (paths.TEACHER_CHAINS, paths.STUDENT_CHAINS)


def run(_: Clock) -> None:
    params = Params.load()
    bounds = params.validate_
    tasks = load_tasks(params.functions)
    problems = [problem for split in SPLITS for problem in read(Problem, paths.problems(split))]
    models = {params.teacher.model, "base"}
    by_id = {problem.id: problem for problem in problems}
    suites = Suites(paths.CHAINS_DOCS)
    write_index(paths.DATA_DOCS)
    try:
        problem_checks = check_problems(problems, tasks, bounds, suites)
        raise_if_critical_failed(problem_checks)
        validated = validate_chains(CHAINS, by_id, tasks, models, bounds, suites, paths.DATA_HISTORY)
    finally:
        write_checks(paths.CHAINS_DOCS, suites)
    checks = [*problem_checks, *validated.checks]
    report = {**validated.report, "checks": checks_report(checks)}
    write_lines(paths.VALIDATED, validated.kept)
    write(paths.QUARANTINE, validated.quarantined)
    write_json(paths.QUALITY_REPORT, report)
    counts = report["chains"]
    print(f"validate: {counts['kept']:,} of {counts['in']:,} chains kept; correct: {report.get('correct', {})}")
    surprises = SurpriseLog("validate")
    for location, surprise in validated.surprises.items():
        surprises.add(surprise, location)
    if summary := surprises.summary():
        print(f"validate: {summary}")
    for line in warning_lines(checks):
        print(f"validate: warning: {line}")
    raise_if_too_many_quarantined(validated, bounds.max_quarantined_share)
    raise_if_critical_failed(checks)
    if validated.version is not None:
        drift.record(paths.DATA_HISTORY, validated.version)


def main() -> None:
    """Run the stage as a process (see `run_stage`)."""
    run_stage("validate", run)


if __name__ == "__main__":
    main()
