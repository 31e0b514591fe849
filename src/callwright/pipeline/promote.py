"""Let the student through the gate, or say why not; write the report."""

import csv
from dataclasses import asdict

from callwright import paths
from callwright.chat.openai.endpoint import ORACLE
from callwright.params import Params
from callwright.pipeline.stage import Clock, run_stage
from callwright.records import CheckedChain, Problem
from callwright.registry.promote import promote
from callwright.reporting.report import write_report
from callwright.reporting.transcripts import transcripts_of
from callwright.storage.files import read_json, write_json
from callwright.storage.jsonl import read
from callwright.tasks import load as load_tasks


def main(_: Clock) -> None:
    params = Params.load()
    load_tasks(params.functions)
    metrics, quality = read_json(paths.METRICS), read_json(paths.QUALITY_REPORT)
    paths.REGISTRY.unlink(missing_ok=True)  # a run that fails leaves no decision, rather than an earlier one
    outcome = promote(params, metrics, quality)
    decision = asdict(outcome)
    write_json(paths.REGISTRY, decision)  # before the page, which metrics that the gate refused may not suffice for
    evaluated = {
        model: {one.chain.problem_id: one for one in read(CheckedChain, paths.evaluation(model))}
        for model in ("base", "student")
    }
    problems = [one for one in read(Problem, paths.problems("test")) if one.id in evaluated["student"]]
    with paths.CURVES.open() as file:
        curves = [{name: float(value) for name, value in row.items() if value} for row in csv.DictReader(file)]
    write_report(
        paths.REPORT,
        metrics=metrics,
        decision=decision,
        quality=quality,
        training=read_json(paths.TRAIN_REPORT),
        rollout=read_json(paths.ROLLOUT_REPORT),
        curves=curves,
        transcripts=transcripts_of(problems, evaluated["base"], evaluated["student"]),
        stand_in=params.teacher.base_url == ORACLE,
    )
    if outcome.decision == "promoted":
        print(f"promote: {outcome.model} version {outcome.version} is champion")
    else:
        print(f"promote: refused: {'; '.join(outcome.reasons)}")


if __name__ == "__main__":
    run_stage("promote", main)
