"""Read problems, split them by group, and keep test questions out of training."""

from callwright import paths
from callwright.agent.parse import parse_call
from callwright.params import Params
from callwright.problems.load import load_problems
from callwright.stage import Clock, run_stage
from callwright.storage import write, write_json
from callwright.tasks import load as load_tasks


def main(_: Clock) -> None:
    params = Params.load()
    tasks = load_tasks(params.functions)
    splits, report = load_problems(params.problems, params.seed, parse_call)
    for split, problems in splits.items():
        tasks.require(problem.task for problem in problems)
        write(paths.problems(split), problems)
    write_json(paths.PROBLEMS_REPORT, report)
    counts = ", ".join(f"{len(problems):,} {split}" for split, problems in splits.items())
    print(f"problems: {counts}; {sum(report['left_out'].values()):,} left out")


if __name__ == "__main__":
    run_stage("problems", main)
