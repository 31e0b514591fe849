"""A teacher's rollout in a separate process, so that it can be killed.

python -m tests.rollouts.teacher_process PROBLEMS URL FOLDER
"""

import os
from pathlib import Path

from callwright.params import Params, SamplingParams
from callwright.records import Problem
from callwright.rollouts.journal import open_journal
from callwright.rollouts.plan import teacher_plan
from callwright.rollouts.run import roll_out_teacher
from callwright.rollouts.summary import publish, raise_if_too_many_failures
from callwright.storage.jsonl import read
from callwright.tasks import TASKS
from tests.working_tree import ROOT

PARAMS = ROOT / "params.yaml"
CHAINS, CONCURRENCY = 3, 8


def main(problems_file: Path, url: str, folder: Path) -> None:
    os.environ["TEACHER_API_KEY"] = "none"  # a fork server keeps the environment of the process that started it
    params = Params.load(PARAMS)
    problems = list(read(Problem, problems_file))
    teacher = params.teacher.model_copy(update={"base_url": url})
    rollout = params.rollout.model_copy(update={"concurrency": CONCURRENCY})
    sampling = SamplingParams(chains=CHAINS, temperature=0.7, top_p=1.0, problems=None)
    plan = teacher_plan(problems, TASKS, teacher, sampling, rollout, seed=7)
    with open_journal(folder / "journal.jsonl") as journal:
        result = roll_out_teacher(problems, TASKS, teacher, plan, rollout, journal)
        raise_if_too_many_failures(result.failures, len(plan), 0)
        publish(folder / "chains.jsonl", plan, TASKS, journal, result)
