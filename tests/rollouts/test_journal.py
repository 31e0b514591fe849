import asyncio
import threading
import time
from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.rollouts.journal import JOURNALS_ENV, GroupCommit, JournalEntry, journal_path, open_journal
from tests.fakes import chain

SOLVED = chain("add(2, 3)", "answer(5)")


def test_the_journal_is_in_the_projects_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(JOURNALS_ENV, raising=False)
    monkeypatch.chdir(tmp_path)
    assert journal_path("teacher") == Path(".callwright/journals/teacher.jsonl")


def test_an_experiment_in_a_temporary_copy_uses_the_journal_of_the_project(monkeypatch, tmp_path):
    monkeypatch.delenv(JOURNALS_ENV, raising=False)
    copy = tmp_path / ".dvc/tmp/exps/tmp1a2b/project"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    assert journal_path("teacher") == tmp_path / ".callwright/journals/teacher.jsonl"


def test_an_environment_variable_names_another_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(JOURNALS_ENV, str(tmp_path))
    assert journal_path("teacher") == tmp_path / "teacher.jsonl"


def test_a_journal_keeps_the_seconds_of_each_request(tmp_path):
    entry = JournalEntry("k", SOLVED, (0.25, 1.5))
    with open_journal(tmp_path / "journal.jsonl") as journal:
        journal.append(entry)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        assert journal["k"] == entry


def test_a_file_in_place_of_the_folder_is_one_error_line(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DataError, match=r"journal .*/file/journal\.jsonl cannot be opened: \w"),
        open_journal(tmp_path / "file/journal.jsonl"),
    ):
        pass


def test_a_second_run_waits_until_the_first_closes_the_journal_and_logs_it(tmp_path, caplog):
    lengths: list[int] = []

    def second() -> None:
        with open_journal(tmp_path / "journal.jsonl") as journal:
            lengths.append(len(journal))

    second_run = threading.Thread(target=second)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        second_run.start()
        time.sleep(0.2)
        journal.append(JournalEntry("k", SOLVED))
        assert lengths == []
    second_run.join(10)
    line = f"journal {tmp_path}/journal.jsonl is in use by another run: waiting for it to end"
    assert [record.getMessage() for record in caplog.records if record.name == "callwright"] == [line]
    assert lengths == [1]


async def test_attempts_that_finish_together_share_syncs(tmp_path):
    with open_journal(tmp_path / "journal.jsonl") as journal:
        syncs: list[int] = []
        sync = journal.sync

        def counting_sync() -> None:
            syncs.append(len(journal))
            sync()

        journal.sync = counting_sync
        commit = GroupCommit(journal)
        await asyncio.gather(*(commit.append(JournalEntry(str(number), SOLVED)) for number in range(40)))
        assert len(journal) == 40
        assert len(syncs) <= 2  # one may be running when the others are added
        assert syncs[-1] == 40
