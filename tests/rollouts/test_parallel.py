"""Models that are sampled at the same time, in processes: the same results, and one line if something is wrong."""

import os
import signal
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.execution import map_shards
from callwright.params import Params
from callwright.records import Chain
from callwright.rollouts import parallel
from callwright.rollouts.journal import JournalEntry, find_entry, journal_path, open_journal, part_path, parts_of
from callwright.rollouts.parallel import MAX_MODEL_BYTES, ParallelModel, deal_out, sample_in_parallel
from callwright.rollouts.plan import Attempt, teacher_plan
from callwright.rollouts.run import roll_out_teacher
from callwright.storage.journal import Journal
from callwright.tasks import TASKS, Tasks
from callwright.tasks.arithmetic.synthetic.problems import synthetic_problems
from callwright.tasks.view import View
from tests.fakes import teacher
from tests.working_tree import ROOT

PARAMS = Params.load(ROOT / "params.yaml")
ROLLOUT = PARAMS.rollout.model_copy(update={"max_tokens": 8, "max_steps": 2})
TEACHER = teacher()
PROBLEMS = synthetic_problems({"test": 4}, 0, seed=5)
MODEL = {"name": "any"}


@pytest.fixture(autouse=True)
def _two_cores(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project on a machine with two cores, where few attempts are worth a process."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(parallel, "available_cores", lambda: 2)
    monkeypatch.setattr(parallel, "MIN_ATTEMPTS", 2)


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many processes sampled, at each time that any did."""
    started = list[int]()

    def counted(*args: object, workers: int, **options: object) -> object:
        started.append(workers)
        return map_shards.map_shards(*args, workers=workers, **options)

    monkeypatch.setattr(parallel, "map_shards", counted)
    return started


def plan(chains: int = 3) -> list[Attempt]:
    sampling = ROLLOUT.teacher.model_copy(update={"chains": chains})
    return teacher_plan(PROBLEMS, TASKS, TEACHER, sampling, ROLLOUT, 7)


def oracle(name: str, **changes: object) -> ParallelModel:
    """The oracle, whose chains go to a journal of this name."""
    sample = partial(roll_out_teacher, PROBLEMS, TASKS, TEACHER, rollout=ROLLOUT)
    fields = {"attempts": plan(), "plan": plan, "sample": sample}
    return ParallelModel(name, journal_path(name), **(fields | changes))


def chains(name: str) -> list[Chain | None]:
    with open_journal(journal_path(name)) as journal:
        return [entry and entry.chain for entry in (find_entry(attempt, journal) for attempt in plan())]


@pytest.mark.slow
def test_two_models_fill_their_journals_with_the_chains_that_one_process_samples(processes: list[int]):
    with open_journal(journal_path("alone")) as journal:
        roll_out_teacher(PROBLEMS, TASKS, TEACHER, plan(), ROLLOUT, journal)
    sample_in_parallel([oracle("first"), oracle("second")])
    assert processes == [2]
    assert chains("first") == chains("second") == chains("alone")
    assert None not in chains("alone")


@pytest.mark.slow
def test_what_is_in_the_journals_starts_no_process(processes: list[int]):
    sample_in_parallel([oracle("first"), oracle("second")])
    sample_in_parallel([oracle("first"), oracle("second")])
    sample_in_parallel([oracle("first"), oracle("third")])
    assert processes == [2]
    assert not any(chains("third"))


@pytest.mark.slow
def test_a_model_with_weights_is_sampled_in_parts_which_end_in_its_journal(tmp_path: Path, processes: list[int]):
    with open_journal(journal_path("alone")) as journal:
        roll_out_teacher(PROBLEMS, TASKS, TEACHER, plan(), ROLLOUT, journal)
    weights = tmp_path / "weights"
    weights.mkdir()
    sample_in_parallel([oracle("model", folder=weights)])
    assert processes == [2]
    assert len(parts_of(journal_path("model"))) == 2  # one for each core
    assert not journal_path("model").read_text()
    assert chains("model") == chains("alone")
    assert parts_of(journal_path("model")) == []


def test_attempts_are_dealt_out_in_equal_parts_and_prompts_are_computed_twice_only_if_they_are_large():
    def made(counts: dict[str, int]) -> list[Attempt]:
        attempts = plan(chains=20)[:100]
        views = [View(name) for name, count in counts.items() for _ in range(count)]
        return [replace(attempt, view=view) for attempt, view in zip(attempts, views, strict=False)]

    def dealt(counts: dict[str, int]) -> list[Counter[str]]:
        return [Counter(attempt.view.key for attempt in part) for part in deal_out(made(counts), 2)]

    assert dealt({"a": 4, "b": 4, "c": 4, "d": 3, "e": 3}) == [{"a": 4, "c": 4}, {"b": 4, "d": 3, "e": 3}]
    assert dealt({"a": 12, "b": 4, "c": 2}) == [{"a": 6, "b": 4}, {"a": 6, "c": 2}]
    assert dealt({"a": 10}) == [{"a": 5}, {"a": 5}]


@pytest.mark.slow
def test_a_killed_process_leaves_its_part_for_the_next_run(tmp_path: Path):
    weights = tmp_path / "weights"
    weights.mkdir()
    with pytest.raises(DataError, match="was killed"):
        sample_in_parallel([oracle("model", folder=weights, sample=sample_three_and_die)])
    finished = sum(len(part.read_text().splitlines()) for part in parts_of(journal_path("model")))
    assert finished >= 3
    assert len([chain for chain in chains("model") if chain]) == finished
    sample_in_parallel([oracle("model", folder=weights)])
    assert None not in chains("model")


def test_a_part_that_is_being_written_stays_where_it_is():
    part = part_path(journal_path("model"), 0)
    with open_journal(part) as journal:
        roll_out_teacher(PROBLEMS, TASKS, TEACHER, plan(), ROLLOUT, journal)
        assert not any(chains("model"))
    assert None not in chains("model")
    assert not part.exists()


def sample_three_and_die(attempts: list[Attempt], journal: Journal[JournalEntry], **_: object) -> None:
    roll_out_teacher(PROBLEMS, TASKS, TEACHER, attempts[:3], ROLLOUT, journal)
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.slow
def test_a_killed_process_is_one_line_and_keeps_its_finished_attempts():
    message = r"^a worker process was killed, most likely because memory ran out; run again with more memory$"
    with pytest.raises(DataError, match=message):
        sample_in_parallel([oracle("first"), oracle("second", sample=sample_three_and_die)])
    before = journal_path("second").read_text()
    assert len(before.splitlines()) == 3
    sample_in_parallel([oracle("first"), oracle("second")])  # does nothing if `first` was finished before
    assert journal_path("second").read_text().startswith(before)


def fail(**_: object) -> None:
    raise ZeroDivisionError("a defect")


@pytest.mark.slow
def test_an_error_in_a_process_is_left_to_the_caller(capfd: pytest.CaptureFixture[str]):
    sample_in_parallel([oracle("first", sample=fail), oracle("second")])
    assert not any(chains("first"))
    assert capfd.readouterr() == ("", "")


def exit_process(**_: object) -> None:
    raise SystemExit(3)


@pytest.mark.slow
def test_a_function_that_exits_ends_its_process_only():
    sample_in_parallel([oracle("first"), oracle("second", sample=exit_process)])
    assert None not in chains("first")


def suitable(*models: ParallelModel, cores: int = 2) -> list[str]:
    return [model.name for model in parallel.suitable_models(models, cores)]


def test_models_are_sampled_at_the_same_time_on_two_cores_without_a_gpu(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    first, second = oracle("first", folder=tmp_path), oracle("second")
    assert suitable(first, second) == ["first", "second"]
    assert suitable(first, second, cores=1) == []
    assert suitable(first, oracle("second", attempts=plan(chains=3)[:1])) == ["first"]
    by_hand = partial(roll_out_teacher, PROBLEMS, Tasks(TASKS.values()), TEACHER, rollout=ROLLOUT)
    assert suitable(first, oracle("second", sample=by_hand)) == []
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(MAX_MODEL_BYTES)
    assert suitable(first, second) == ["first", "second"]
    (tmp_path / "config.json").write_text("{}")
    assert suitable(first, second) == ["second"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert suitable(oracle("first"), second) == []
