"""The promote stage: promote the student if it passes the gate, and write the report."""

from callwright import paths
from callwright.params import Params
from callwright.params.address import ORACLE
from callwright.pipeline.stage import Clock, run_stage
from callwright.records import CheckedChain, Problem
from callwright.registry.promote import promote
from callwright.reporting.report import write_report
from callwright.reporting.transcripts import transcripts_of
from callwright.reports.curves import load_curves
from callwright.reports.metrics import Metrics
from callwright.reports.model_files import Recipe
from callwright.reports.quality import Quality
from callwright.reports.report import valid_or_raise
from callwright.reports.rollout import RolloutReport
from callwright.reports.train import TrainReport
from callwright.storage.jsonl import read
from callwright.tasks import load_tasks


def run(_: Clock) -> None:
    params = Params.load()
    tasks = load_tasks(params.functions)
    paths.REGISTRY.unlink(missing_ok=True)  # if this run fails, no earlier decision must be left
    # Everything is read before the registry changes: a bad file must not stop the stage after a promotion.
    metrics, quality = Metrics.load_or_errors(), Quality.load_or_errors()
    training, rollout, curves = TrainReport.load(), RolloutReport.load(), load_curves()
    embedded_base = Recipe.load().is_embedded
    evaluated = {
        model: {checked.chain.problem_id: checked for checked in read(CheckedChain, paths.evaluation(model))}
        for model in ("base", "student")
    }
    problems = [problem for problem in read(Problem, paths.problems("test")) if problem.id in evaluated["student"]]
    transcripts = transcripts_of(problems, evaluated["base"], evaluated["student"])
    decision = promote(params, tasks, metrics, quality)
    decision.save()
    metrics, quality = valid_or_raise(metrics), valid_or_raise(quality)  # the page cannot show bad values
    write_report(
        paths.REPORT,
        metrics=metrics,
        decision=decision,
        quality=quality,
        training=training,
        rollout=rollout,
        curves=curves,
        transcripts=transcripts,
        stand_in=params.teacher.base_url == ORACLE,
        embedded_base=embedded_base,
    )
    if decision.is_promoted:
        print(f"promote: {decision.model} version {decision.version} is champion")
    else:
        print(f"promote: refused: {'; '.join(decision.reasons)}")


def main() -> None:
    """Run the stage as a process (see `run_stage`)."""
    run_stage("promote", run)


if __name__ == "__main__":
    main()
