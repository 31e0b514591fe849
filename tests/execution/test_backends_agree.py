"""Whatever goes over chains gives the same bytes in this process, in workers, and for any number of shards.

The chains are the oracle's, of all tasks and with all of its mistakes.
"""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from callwright.agent.parsing.parse import parse_call
from callwright.execution.map_shards import map_shards
from callwright.execution.shards import ChainShard, split_into_shards
from callwright.params import PairsParams, Params
from callwright.preferences import forks
from callwright.problems.load import load_problems
from callwright.records import Chain, CheckedChain, Problem, Verdict
from callwright.rollouts import grade
from callwright.rollouts.journal import JournalEntry, find_entry, open_journal
from callwright.rollouts.plan import Attempt, teacher_plan
from callwright.rollouts.run import roll_out_teacher
from callwright.storage.jsonl import dumps, write
from callwright.surprises import Surprise
from callwright.tasks import TASKS, load_tasks
from callwright.validation import check_chains as checks
from callwright.validation import lines
from tests.fakes import chain, problem
from tests.working_tree import ROOT

PARAMS = Params.load(ROOT / "params.yaml")
SIZE = 16  # chains of a shard, so that few hundred chains are many shards
Finished = list[tuple[Attempt, JournalEntry]]


@pytest.fixture(scope="module")
def problems() -> dict[str, Problem]:
    counts = {task: {"train": 20, "dev": 0, "test": 0, "held_out_test": 0} for task in TASKS}
    params = PARAMS.problems.model_copy(update={"synthetic": counts, "shared_words": None})
    return {problem.id: problem for problem in load_problems(params, 7, TASKS, parse_call).splits["train"]}


@pytest.fixture(scope="module")
def finished(problems: dict[str, Problem], tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """Five attempts of the oracle at each problem."""
    sampling = PARAMS.rollout.teacher.model_copy(update={"chains": 5})
    plan = teacher_plan(problems.values(), TASKS, PARAMS.teacher, sampling, PARAMS.rollout, 7)
    with open_journal(tmp_path_factory.mktemp("rollout") / "journal.jsonl") as journal:
        roll_out_teacher(list(problems.values()), TASKS, PARAMS.teacher, plan, PARAMS.rollout, journal)
        return [(attempt, entry) for attempt in plan if (entry := find_entry(attempt, journal))]


@pytest.fixture(scope="module")
def chains(finished: Finished) -> list[Chain]:
    assert len(finished) >= 250
    return [entry.chain for _, entry in finished]


@pytest.fixture(scope="module")
def checked(chains: list[Chain], problems: dict[str, Problem]) -> list[CheckedChain]:
    return [
        CheckedChain(chain, verdict)
        for chain, verdict in checks.check_chains(chains, problems, TASKS, workers=1)
        if isinstance(verdict, Verdict)
    ]


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many shards, the first of which goes to a worker."""
    monkeypatch.setattr(lines, "LINES_PER_SHARD", SIZE)
    for module in (checks, forks, grade):
        monkeypatch.setattr(module, "CHAINS_PER_SHARD", SIZE)
    for module in (checks, forks, grade, lines):
        monkeypatch.setattr(module, "map_shards", partial(map_shards, local_s=0))


@pytest.mark.slow
def test_validated_lines_are_the_same_from_workers(chains, problems, tmp_path: Path):
    path = tmp_path / "chains.jsonl"
    write(path, chains)
    from_one_worker, from_two_workers = (
        list(lines.check_files([path], problems, TASKS, workers)) for workers in (1, 2)
    )
    assert from_two_workers == from_one_worker
    assert len({line.row.first_fault for line in from_one_worker}) > 4  # the oracle makes mistakes


@pytest.mark.slow
def test_verdicts_of_an_evaluation_are_the_same_from_workers(chains, problems, checked):
    results = checks.check_chains(chains, problems, TASKS, workers=2)
    assert [CheckedChain(chain, verdict) for chain, verdict in results] == checked
    assert 0 < sum(record.verdict.correct for record in checked) < len(checked)


@pytest.mark.slow
def test_grades_of_a_rollout_are_the_same_from_workers(finished):
    from_one_worker, from_two_workers = (list(grade.grade_attempts(finished, TASKS, workers)) for workers in (1, 2))
    assert from_two_workers == from_one_worker
    assert {right for _, _, right in from_one_worker} == {False, True}


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["step", "both"])
def test_pairs_are_the_same_from_workers(checked, problems, mode):
    params = PARAMS.pairs.model_copy(update={"mode": mode})
    (from_one_worker, report), (from_two_workers, other_report) = (
        forks.pairs_from_forks(checked, problems, TASKS, params, workers) for workers in (1, 2)
    )
    assert list(map(dumps, from_two_workers)) == list(map(dumps, from_one_worker))
    assert other_report == report
    assert len(from_one_worker) > 20


@pytest.mark.parametrize("shards", [1, 3, 8])
def test_pairs_do_not_depend_on_the_number_of_shards(checked, problems, shards):
    """As `pairs` will run by shards: each shard alone, and the pairs put together by their problems' ids."""
    whole = pairs_by_shard(checked, problems, 1, PARAMS.pairs)
    assert pairs_by_shard(checked, problems, shards, PARAMS.pairs) == whole
    assert len(whole) > 20


def pairs_by_shard(
    checked: list[CheckedChain], problems: dict[str, Problem], shards: int, params: PairsParams
) -> list[bytes]:
    pairs = []
    problem_shards = split_into_shards(problems.values(), shards, lambda problem: problem.id)
    chain_shards = split_into_shards(checked, shards, lambda record: record.chain.problem_id)
    for shard_problems, shard_chains in zip(problem_shards, chain_shards, strict=True):
        with_chains = {record.chain.problem_id for record in shard_chains}
        chosen = tuple(problem for problem in shard_problems if problem.id in with_chains)
        pairs += forks.pairs_of_shard(TASKS, params, ChainShard(chosen, tuple(shard_chains)))[0]
    return sorted(map(dumps, pairs))


USERS_MODULE = """
from dataclasses import replace

from callwright.tasks.arithmetic.task import ARITHMETIC


def grade(problem, answer):
    if answer == "13":
        raise RuntimeError("thirteen is not graded")
    return ARITHMETIC.grade(problem, answer)


TASKS = (replace(ARITHMETIC, name="sums", grade=grade),)
"""


@pytest.mark.slow
def test_workers_load_a_users_task_and_report_its_surprises(tmp_path: Path, monkeypatch):
    (tmp_path / "tasks_of_a_user.py").write_text(USERS_MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    sums = replace(problem(), task="sums")
    made = [
        chain("add(2, 3)", "answer(5)" if number % 3 else "answer(13)", id=str(number)) for number in range(SIZE * 12)
    ]
    tasks = load_tasks(["tasks_of_a_user"])
    from_one_worker, from_two_workers = (
        list(checks.check_chains(made, {sums.id: sums}, tasks, workers)) for workers in (1, 2)
    )
    assert from_two_workers == from_one_worker
    surprised = {chain.answer for chain, verdict in from_one_worker if isinstance(verdict, Surprise)}
    assert surprised == {"13"}
