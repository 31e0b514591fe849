import json
import re
import resource
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.errors import DataError
from callwright.records import Call, Chain, Problem
from callwright.rollouts.sample import Failure
from callwright.storage import files, jsonl
from callwright.storage.journal import Journal
from tests.fakes import chain, checked, problem

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**40), 10**40) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
finite = json_values.filter(lambda value: "Infinity" not in json.dumps(value))


def data_error(message: str) -> pytest.RaisesExc:
    return pytest.raises(DataError, match=re.escape(message))


@given(finite)
def test_a_written_record_is_read_back_unchanged(value):
    call = Call("f", {"0": value})
    assert jsonl.loads(Call, jsonl.dumps(call), "here") == call


def test_nested_records_are_read_back_as_records(tmp_path):
    records = [checked("add(1/3, 2)", "sum(2", "answer(5)", correct=True)]
    path = tmp_path / "chains.jsonl"
    assert jsonl.write(path, records) == 1
    assert list(jsonl.read(type(records[0]), path)) == records


def test_text_and_line_breaks_stay_on_one_line(tmp_path):
    path = tmp_path / "problems.jsonl"
    records = [problem(question="Zoë:\nhow many?\u2028½"), problem(question="\r\n")]
    jsonl.write(path, records)
    assert path.read_bytes().count(b"\n") == 2
    assert list(jsonl.read(Problem, path)) == records


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"name": "add"}', "arguments: Field required"),
        ('{"name": 3, "arguments": {}}', "name: Input should be a valid string"),
        ('{"name": "add", "arguments": {}', "the line: Invalid JSON"),
        ("[]", "the line: "),
        ("\xff", "the line: Invalid JSON"),
    ],
)
def test_the_error_for_a_malformed_line_has_path_line_and_field(tmp_path, line, message):
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b'{"name": "add", "arguments": {}}\n\n' + line.encode("latin-1") + b"\n")
    with data_error(f"{path}:3: {message}") as caught:
        list(jsonl.read(Call, path))
    assert str(caught.value).endswith("not a Call record")
    assert "\n" not in str(caught.value)


def test_the_error_for_a_nested_field_has_its_whole_path(tmp_path):
    path = tmp_path / "chains.jsonl"
    record = json.loads(jsonl.dumps(chain("add(2, 3)", "answer(5)")))
    record["steps"][1]["thought"] = None
    path.write_text(json.dumps(record) + "\n")
    with data_error(f"{path}:1: steps.1.thought: "):
        list(jsonl.read(Chain, path))


def test_the_error_for_a_missing_file_says_what_to_run(tmp_path):
    with data_error(f"{tmp_path / 'no.jsonl'} is missing: run the stage that writes it (dvc repro)"):
        list(jsonl.read(Call, tmp_path / "no.jsonl"))
    with data_error(f"{tmp_path / 'no.json'} is missing"):
        files.read_json(tmp_path / "no.json")


def test_reading_a_folder_is_a_data_error(tmp_path):
    with data_error(f"{tmp_path} cannot be read: Is a directory"):
        list(jsonl.read(Call, tmp_path))


def test_a_line_that_is_too_long_is_one_bad_line_and_is_not_read_completely(tmp_path):
    path = tmp_path / "calls.jsonl"
    good = b'{"name": "add", "arguments": {}}\n'
    longest = jsonl.MAX_LINE_BYTES
    path.write_bytes(good + b"1" * (3 * longest) + b"\n" + good)
    tracemalloc.start()
    (_, first), (where, long), (last_where, last) = jsonl.read_lines(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (first, last, last_where) == (good.strip(), good.strip(), f"{path}:3")
    assert peak < 2.7 * longest  # not the whole line
    with data_error(f"{path}:2: the line is longer than 32,000,000 bytes; not a Call record"):
        jsonl.loads(Call, long, where)


def test_the_limit_of_a_line_counts_the_bytes_of_a_text(monkeypatch):
    monkeypatch.setattr(jsonl, "MAX_LINE_BYTES", 34)
    line = '{"name": "%s", "arguments": {}}'  # 29 bytes without the name
    assert jsonl.loads(Call, line % "ééx", "here") == Call("ééx", {})  # 29 + 2 + 2 + 1
    for name in ("ééé", "abcdef", "\udc80\udc80"):  # 3 characters of 2 bytes, 6 of 1 byte, 2 lone surrogates of 3
        for text in (line % name, (line % name).encode("utf-8", "surrogatepass")):
            with data_error("here: the line is longer than 34 bytes; not a Call record"):
                jsonl.loads(Call, text, "here")


@pytest.mark.parametrize("end", ["\n", "\r\n", ""])
def test_lines_can_have_the_line_ends_of_every_system(tmp_path, end):
    path = tmp_path / "calls.jsonl"
    path.write_bytes(b'{"name": "add", "arguments": {}}\r\n\n{"name": "add", "arguments": {}}' + end.encode())
    assert list(jsonl.read(Call, path)) == [Call("add", {})] * 2


def test_a_deeply_nested_json_file_or_a_folder_is_a_data_error(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text("[" * 100_000)
    with data_error(f"{path} is not JSON: it is nested too deeply"):
        files.read_json(path)
    with data_error(f"{tmp_path} cannot be read: Is a directory"):
        files.read_json(tmp_path)


@pytest.mark.parametrize("name", ["missing", "file", "x" * 5_000])
def test_what_is_not_a_folder_has_no_hash(tmp_path, name):
    (tmp_path / "file").write_text("{}")
    with data_error(f"{tmp_path / name} is missing, or not a folder: run the stage that writes it (dvc repro)"):
        files.folder_hash(tmp_path / name)


def test_reading_is_streamed(tmp_path):
    path = tmp_path / "calls.jsonl"
    path.write_text('{"name": "add", "arguments": {}}\nnot a record\n')
    assert next(jsonl.read(Call, path)) == Call("add", {})


def test_a_write_that_fails_midway_leaves_only_the_old_file(tmp_path):
    path = tmp_path / "data/failures.jsonl"
    jsonl.write(path, [Failure("old", "gone")])

    def records():
        yield Failure("new", "gone")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jsonl.write(path, records())
    assert list(jsonl.read(Failure, path)) == [Failure("old", "gone")]
    assert [file.name for file in path.parent.iterdir()] == ["failures.jsonl"]


def test_a_write_replaces_the_file_and_leaves_no_temporary_file(tmp_path):
    path = tmp_path / "failures.jsonl"
    jsonl.write(path, [Failure("a", ""), Failure("b", "")])
    jsonl.write(path, [Failure("c", "")])
    assert list(jsonl.read(Failure, path)) == [Failure("c", "")]
    assert [file.name for file in tmp_path.iterdir()] == ["failures.jsonl"]


def test_writing_to_a_folder_is_a_data_error(tmp_path):
    (tmp_path / "out.jsonl").mkdir()
    with data_error(f"{tmp_path / 'out.jsonl'} cannot be written: Is a directory; the old file, if any, is untouched"):
        jsonl.write(tmp_path / "out.jsonl", [])
    assert [file.name for file in tmp_path.iterdir()] == ["out.jsonl"]


def test_an_unwritable_path_is_a_data_error(tmp_path):
    (tmp_path / "file").write_text("")
    with data_error(f"{tmp_path / 'file/out.jsonl'} cannot be written"):
        jsonl.write(tmp_path / "file/out.jsonl", [])


def test_nan_in_a_report_is_rejected_and_the_old_report_stays(tmp_path):
    path = tmp_path / "report.json"
    files.write_json(path, {"share": 0.5})
    with data_error(f"{path} cannot be written: rows.1.share is nan, which is not a number of JSON; the old file"):
        files.write_json(path, {"rows": [{"share": 0.5}, {"share": float("nan")}]})
    assert files.read_json(path) == {"share": 0.5}


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"name": "so \ud83d"}, "name has half a character (a lone surrogate)"),
        ({"counts": {"so \ud83d": 1}}, "counts.a key has half a character (a lone surrogate)"),
        (float("-inf"), "the value is -inf, which is not a number of JSON"),
    ],
)
def test_a_value_that_json_cannot_hold_is_named_in_one_line(tmp_path, value, reason):
    with data_error(f"{tmp_path / 'report.json'} cannot be written: {reason}; the old file, if any, is untouched"):
        files.write_json(tmp_path / "report.json", value)
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_json_file_is_a_data_error(tmp_path):
    (tmp_path / "report.json").write_text('{"share": 0.')
    with data_error(f"{tmp_path / 'report.json'} is not JSON"):
        files.read_json(tmp_path / "report.json")


def journal(path) -> Journal[Failure]:
    return Journal(path, Failure, key=lambda failure: failure.attempt_id)


def records(opened: Journal[Failure], *keys: str) -> dict[str, Failure]:
    assert len(opened) == len(keys)
    return {key: opened[key] for key in keys if key in opened}


def test_records_are_there_when_the_journal_is_opened_again(tmp_path):
    path = tmp_path / "deep/journal.jsonl"
    first = journal(path)
    first.append(Failure("a", "gone"))
    again = journal(path)  # the first one was not closed, as if its process had died
    assert records(again, "a") == records(first, "a") == {"a": Failure("a", "gone")}


def test_records_are_read_by_key_in_any_order_while_others_are_added(tmp_path):
    path = tmp_path / "journal.jsonl"
    opened = journal(path)
    expected = {str(number): Failure(str(number), "é" * number) for number in range(50)}
    for record in list(expected.values())[:25]:
        opened.append(record)
    opened.close()
    opened = journal(path)
    for key in reversed(list(expected)[:25]):
        assert opened[key] == expected[key]
        later = expected[str(49 - int(key))]
        opened.add(later)
        assert opened[later.attempt_id] == later
    assert records(opened, *expected) == expected
    assert "50" not in opened


@pytest.mark.parametrize("incomplete", [b'{"attempt_id": "b', b'{"attempt_id": "b", "reason": ""}', b"x" * 200_000])
def test_an_incomplete_last_line_is_removed(tmp_path, incomplete):
    path = tmp_path / "journal.jsonl"
    complete = jsonl.dumps(Failure("a", "gone")) + b"\n"
    path.write_bytes(complete + incomplete)
    opened = journal(path)
    assert records(opened, "a") == {"a": Failure("a", "gone")}
    assert path.read_bytes() == complete
    opened.append(Failure("b", ""))
    opened.close()
    assert path.read_bytes() == complete + jsonl.dumps(Failure("b", "")) + b"\n"


def test_a_journal_with_only_an_incomplete_line_is_empty(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"attempt_id": ' + b"x" * 200_000)
    assert len(journal(path)) == 0
    assert path.read_bytes() == b""


def test_of_two_lines_with_the_same_key_the_first_counts(tmp_path):
    path = tmp_path / "journal.jsonl"
    opened = journal(path)
    opened.append(Failure("a", "first"))
    opened.append(Failure("a", "second"))
    assert records(opened, "a") == records(journal(path), "a") == {"a": Failure("a", "first")}


def test_a_complete_line_that_is_not_a_record_is_an_error(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"{}\n")
    with data_error(f"{path}:1: attempt_id: Field required; not a Failure record: delete the line, then run again"):
        journal(path)


def test_a_journal_that_cannot_be_opened_is_a_data_error(tmp_path):
    (tmp_path / "file").write_text("")
    with data_error(f"journal {tmp_path / 'file/journal.jsonl'} cannot be opened"):
        journal(tmp_path / "file/journal.jsonl")


FILL_THE_DISK = """
import sys
from pathlib import Path

from callwright.errors import DataError
from callwright.rollouts.sample import Failure
from callwright.storage.journal import Journal

opened = Journal(Path(sys.argv[1]), Failure, key=lambda failure: failure.attempt_id)
for number in range(1_000):
    try:
        opened.append(Failure(str(number), "x" * 500))
    except DataError as error:
        print(number, error)
        opened.close()
        break
"""


def fill(path: Path, **options) -> None:
    """Write to a journal until the disk is full, then make room: all earlier records are there."""
    completed = subprocess.run(
        [sys.executable, "-c", FILL_THE_DISK, str(path)], capture_output=True, text=True, check=True, **options
    )
    count, line = completed.stdout.split(" ", 1)
    assert line.startswith(f"journal {path}: ")
    assert line.strip().endswith("earlier records are kept: make room, then run again")
    assert line.count("\n") == 1
    assert 10 < int(count) < 1_000
    assert path.read_bytes().endswith(b"\n")  # no incomplete line
    again = journal(path)
    assert set(records(again, *map(str, range(int(count))))) == {str(number) for number in range(int(count))}


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_a_limit_of_the_file_size_is_reported_and_no_record_is_lost(tmp_path):
    fill(tmp_path / "journal.jsonl", preexec_fn=limit_files)


@pytest.fixture
def small_disk(tmp_path: Path):
    """A file system of 64 KiB, and a function that makes it read-only."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> bool:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    if shutil.which("mount") is None or not mount("size=64k"):
        pytest.skip("only root can mount a file system")
    yield folder, lambda: mount("remount,ro")
    subprocess.run(["umount", "--lazy", str(folder)], capture_output=True, check=True)


def test_a_full_disk_is_reported_and_no_record_is_lost(small_disk):
    folder, _ = small_disk
    fill(folder / "journal.jsonl")


def test_a_read_only_disk_is_reported_and_no_record_is_lost(small_disk):
    folder, make_read_only = small_disk
    opened = journal(folder / "journal.jsonl")
    opened.append(Failure("a", "gone"))
    opened.close()
    before = (folder / "journal.jsonl").read_bytes()
    assert make_read_only()
    with data_error(f"journal {folder / 'journal.jsonl'} cannot be opened: Read-only file system"):
        journal(folder / "journal.jsonl")
    assert (folder / "journal.jsonl").read_bytes() == before
