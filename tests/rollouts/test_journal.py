import asyncio
import threading
import time
from pathlib import Path

import pytest

from callwright.errors import DataError
from callwright.rollouts.journal import JOURNALS_ENV, GroupCommit, JournalEntry, journal_path, open_journal
from tests.fakes import chain

SOLVED = chain("add(2, 3)", "answer(5)")


def test_the_journal_lies_in_the_projects_folder(monkeypatch, tmp_path):
    monkeypatch.delenv(JOURNALS_ENV, raising=False)
    monkeypatch.chdir(tmp_path)
    assert journal_path("teacher") == Path(".callwright/journals/teacher.jsonl")


def test_an_experiment_in_a_temporary_copy_uses_the_projects_own_journal(monkeypatch, tmp_path):
    monkeypatch.delenv(JOURNALS_ENV, raising=False)
    copy = tmp_path / ".dvc/tmp/exps/tmp1a2b/project"
    copy.mkdir(parents=True)
    monkeypatch.chdir(copy)
    assert journal_path("teacher") == tmp_path / ".callwright/journals/teacher.jsonl"


def test_a_variable_names_another_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(JOURNALS_ENV, str(tmp_path))
    assert journal_path("teacher") == tmp_path / "teacher.jsonl"


def test_a_journal_keeps_the_seconds_of_each_request(tmp_path):
    record = JournalEntry("k", SOLVED, (0.25, 1.5))
    with open_journal(tmp_path / "journal.jsonl") as journal:
        journal.append(record)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        assert journal["k"] == record


def test_a_folder_that_is_a_file_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(DataError, match=r"journal .*/file/journal\.jsonl cannot be opened: \w"),
        open_journal(tmp_path / "file/journal.jsonl"),
    ):
        pass


def test_a_second_run_waits_until_the_first_has_closed_the_journal_and_says_so(tmp_path, caplog):
    seen: list[int] = []

    def second() -> None:
        with open_journal(tmp_path / "journal.jsonl") as journal:
            seen.append(len(journal))

    other = threading.Thread(target=second)
    with open_journal(tmp_path / "journal.jsonl") as journal:
        other.start()
        time.sleep(0.2)
        journal.append(JournalEntry("k", SOLVED))
        assert seen == []
    other.join(10)
    said = f"journal {tmp_path}/journal.jsonl is in use by another run: waiting for it to end"
    assert [record.getMessage() for record in caplog.records if record.name == "callwright"] == [said]
    assert seen == [1]


async def test_attempts_that_finish_together_share_syncs(tmp_path):
    with open_journal(tmp_path / "journal.jsonl") as journal:
        syncs: list[int] = []
        sync = journal.sync

        def counted() -> None:
            syncs.append(len(journal))
            sync()

        journal.sync = counted
        commit = GroupCommit(journal)
        await asyncio.gather(*(commit.append(JournalEntry(str(number), SOLVED)) for number in range(40)))
        assert len(journal) == 40
        assert len(syncs) <= 2  # one may be under way when the others are added
        assert syncs[-1] == 40
