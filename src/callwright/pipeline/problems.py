"""The problems stage: read problems, check them, split them by group, and keep test questions out of training."""

from callwright import paths
from callwright.agent.parsing.parse import parse_call
from callwright.params import Params
from callwright.pipeline.early_checks import check_later_stages
from callwright.pipeline.stage import Clock, run_stage
from callwright.problems.load import format_report, load_problems, raise_if_unusable, report_of
from callwright.standins.embedded.seen_questions import read_questions_of_base
from callwright.storage.jsonl import write
from callwright.surprises import SurpriseLog
from callwright.tasks import load_tasks


def run(_: Clock) -> None:
    params = Params.load()
    check_later_stages(params)
    tasks = load_tasks(params.functions)
    seen = read_questions_of_base(params.student.source)
    loaded = load_problems(params.problems, params.seed, tasks, parse_call, seen_questions=seen)
    surprises = SurpriseLog("problems")
    for surprise, location in loaded.surprises:
        surprises.add(surprise, location)
    if summary := surprises.summary():
        print(f"problems: {summary}")
    write(paths.DROPPED_ROWS, loaded.dropped)
    raise_if_unusable(loaded, params.problems.max_left_out, paths.DROPPED_ROWS)
    for split, problems in loaded.splits.items():
        write(paths.problems(split), problems)
    report_of(loaded).save()
    print("\n".join(format_report(loaded)))


def main() -> None:
    """Run the stage as a process (see `run_stage`)."""
    run_stage("problems", run)


if __name__ == "__main__":
    main()
