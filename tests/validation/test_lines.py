"""Checking the lines of chain files, in one process and in several."""

import pytest

from callwright.errors import DataError
from callwright.records import Chain, CheckedChain, Problem
from callwright.storage import jsonl
from callwright.tasks import TASKS, load_tasks
from callwright.validation.lines import LINES_PER_SHARD, check_files
from callwright.validation.replay import check_chain
from tests.fakes import chain, problem, step

PROBLEMS = {f"p{number}": problem(id=f"p{number}") for number in range(7)}
PROBLEMS["p3"] = problem(id="p3", question="Ana has 2.5 figs, and Ben has as many. How many have they?")
CHAINS = [
    chain("add(2, 3)", "answer(5)", id="right", problem_id="p0"),
    chain("multiply(2, 3)", "answer(6)", id="wrong", problem_id="p1"),
    chain(step("add(2, 3)", observation="6"), "answer(6)", id="forged", problem_id="p2"),
]


def write_lines(folder, lines, name="chains.jsonl"):
    path = folder / name
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def test_a_checked_line_has_the_checked_chain_and_its_row(tmp_path):
    lines = list(check_files([write_lines(tmp_path, map(jsonl.dumps, CHAINS))], PROBLEMS, TASKS))
    for line, recorded in zip(lines, CHAINS, strict=True):
        assert jsonl.loads(CheckedChain, line.text, "here") == check_chain(
            recorded, PROBLEMS[recorded.problem_id], TASKS["arithmetic"]
        )
    rows = [line.row for line in lines]
    assert [(row.id, row.correct, row.first_fault) for row in rows] == [
        ("right", True, "none"),
        ("wrong", False, "wrong_answer"),
        ("forged", False, "replay_mismatch"),
    ]
    assert rows[2].mismatch == "step 1: recorded '6', but executing the call again gives '5'"
    assert (rows[0].steps, rows[0].prompt_tokens, rows[0].completion_tokens) == (2, 20, 4)
    assert rows[0].longest_reply == len("answer(value=5)")


def test_several_files_are_read_in_order_and_blank_lines_are_skipped(tmp_path):
    first = write_lines(tmp_path, [jsonl.dumps(CHAINS[0]), b"", b"  "], "first.jsonl")
    second = write_lines(tmp_path, [jsonl.dumps(CHAINS[1])], "second.jsonl")
    locations = [line.row.where for line in check_files([first, second], PROBLEMS, TASKS)]
    assert [location.rpartition("/")[2] for location in locations] == ["first.jsonl:1", "second.jsonl:1"]


def test_a_problem_of_an_unknown_task_is_a_data_error(tmp_path):
    problems = {"p0": Problem("p0", "cooking", "?", "5", (), "test", "g", "train")}
    with pytest.raises(DataError, match="there is no task cooking"):
        list(check_files([write_lines(tmp_path, [jsonl.dumps(CHAINS[0])])], problems, TASKS))


@pytest.mark.parametrize("key", ['"problem_id"', '"problem\\u005fid"'])
def test_of_two_problem_ids_in_a_line_the_last_counts_as_when_the_chain_is_read(tmp_path, key):
    line = jsonl.dumps(CHAINS[0]).replace(b'"problem_id":"p0"', f'"problem_id":"p9",{key}:"p0"'.encode())
    assert jsonl.loads(Chain, line, "here") == CHAINS[0]
    (checked,) = check_files([write_lines(tmp_path, [line])], PROBLEMS, TASKS)
    assert (checked.row.orphan, checked.row.problem_id, checked.row.correct) == (None, "p0", True)


@pytest.mark.slow
def test_two_processes_give_the_same_rows_as_one_for_broken_lines_and_a_users_functions(tmp_path, monkeypatch):
    """Some chains call a user's function, which every process must load."""
    (tmp_path / "own_functions.py").write_text(OWN_FUNCTIONS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    doubled = jsonl.dumps(chain("add(2, 3)", "answer(5)", problem_id="p3", id="d")).replace(b'"add"', b'"twice"')
    doubled = doubled.replace(b'{"a":2,"b":3}', b'{"a":2.5}')
    lines = [*map(jsonl.dumps, CHAINS), b"{", doubled] * (3 * LINES_PER_SHARD)
    path = write_lines(tmp_path, lines)
    tasks = load_tasks(["own_functions"])
    one_worker_lines = list(check_files([path], PROBLEMS, tasks, workers=1))
    two_worker_lines = list(check_files([path], PROBLEMS, tasks, workers=2))
    assert two_worker_lines == one_worker_lines
    assert len(one_worker_lines) == 5 * 3 * LINES_PER_SHARD
    assert one_worker_lines[4].row.correct is True
    assert one_worker_lines[3].row.unreadable is not None


OWN_FUNCTIONS = '''

from callwright.functions.function import function
from callwright.functions.numbers import Number


@function(example={"a": 2})
def twice(a: Number) -> Number:
    """Two times a number."""
    return a * 2


FUNCTIONS = {"arithmetic": (twice,)}
'''
