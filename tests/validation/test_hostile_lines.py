"""Hostile lines in chain files: each is kept or quarantined with its reason, and never stops the other lines."""

import json
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.agent.loop import take_steps
from callwright.agent.protocol import TEXT
from callwright.chat.model import Reply
from callwright.errors import DataError
from callwright.execution.shards import ChainShard
from callwright.records import Call, Chain, Problem, Usage
from callwright.reports.quality import ChainCounts
from callwright.rollouts.grade import AnswerShard, grade_shard
from callwright.storage import jsonl
from callwright.surprises import Surprise
from callwright.tasks import TASKS, Tasks, load_tasks
from callwright.validation.check_chains import check_shard
from callwright.validation.lines import MAX_LINE_BYTES, LineShard, check_files, check_line_shard
from callwright.validation.quality import raise_if_too_many_quarantined, validate_chains
from callwright.validation.suites.suite import Suites
from tests.fakes import chain, problem, step, tasks_with
from tests.validation.conftest import SHIPPED, RunValidation

PROBLEM = problem()
GOOD = chain("add(2, 3)", "answer(5)", id="good")
LINE = jsonl.dumps(GOOD)
LOGIC = {
    "entailment": ("assume('Cat(tom)')", "entails('Cat(tom)')", "answer('True')"),
    "translation": ("predicate('Dog', ['x'])", "exists('x', 'Dog(x)')", "answer('exists x. Dog(x)')"),
}


@cache
def logic_chains() -> dict[str, tuple[Problem, Chain]]:
    """Task -> a problem and a chain that solves it."""
    chains: dict[str, tuple[Problem, Chain]] = {}
    for task, replies in LOGIC.items():
        toolbox = TASKS[task].toolbox
        tools = toolbox.open()
        steps_per_reply = (take_steps(Reply(text, "stop", Usage()), TEXT, toolbox, tools) for text in replies)
        steps = tuple(step for steps in steps_per_reply for step in steps)
        answer = str(steps[-1].observation)
        solution = tuple(step.call for step in steps if step.call)
        logic_problem = Problem(task, task, "Tom is a cat. Some dog.", answer, solution, "source", "group", "train")
        chains[task] = logic_problem, replace(GOOD, id=task, problem_id=task, steps=steps, answer=answer)
    return chains


@cache
def good_lines() -> tuple[bytes, ...]:
    return LINE, *(jsonl.dumps(logic_chain) for _, logic_chain in logic_chains().values())


def rows(*lines: bytes, tasks: Tasks = TASKS):
    """The row of each line, checked in this process."""
    problems = (PROBLEM, *(logic_problem for logic_problem, _ in logic_chains().values()))
    numbered = tuple((f"f:{number}", line) for number, line in enumerate(lines))
    return [line.row for line in check_line_shard(tasks, LineShard(numbered, tuple(map(jsonl.dumps, problems))))]


HOSTILE = {
    "a lone surrogate as an escape": LINE.replace(b'"thought":""', rb'"thought":"\ud83d"', 1),
    "a lone surrogate in the id": LINE.replace(b'"good"', rb'"\udc00"', 1),
    "a surrogate in UTF-8": LINE.replace(b'"good"', b'"\xed\xa0\xbd"', 1),
    "invalid UTF-8": LINE.replace(b'"good"', b'"\xff\xfe"', 1),
    "NaN": LINE.replace(b'"a":2', b'"a":NaN', 1),
    "minus infinity": LINE.replace(b'"a":2', b'"a":-Infinity', 1),
    "a number of 401 digits": LINE.replace(b'"a":2', b'"a":1' + b"0" * 400, 1),
    "a number of 5,000 digits": LINE.replace(b'"a":2', b'"a":1' + b"0" * 5_000, 1),
    "a huge exponent": LINE.replace(b'"a":2', b'"a":1e999', 1),
    "a step number of 400 digits": LINE.replace(b'"prompt_tokens":20', b'"prompt_tokens":1' + b"0" * 400, 1),
    "10,000 lists in each other": LINE.replace(b'"a":2', b'"a":' + b"[" * 10_000 + b"]" * 10_000, 1),
    "10,000 lists in each other around NaN": LINE.replace(
        b'"a":2', b'"a":' + b"[" * 10_000 + b"NaN" + b"]" * 10_000, 1
    ),
    "150 lists in each other": LINE.replace(b'"a":2', b'"a":' + b"[" * 150 + b"]" * 150, 1),
    "nothing but brackets": b"[" * 100_000,
    "a list": b"[1, 2]",
    "a number": b"5",
    "null": b"null",
    "zero bytes": b"\x00" * 100,
    "a longer line than is read": LINE[:-1] + b" " * MAX_LINE_BYTES + b"}",
}


def test_the_good_lines_are_correct():
    assert [row.correct for row in rows(*good_lines())] == [True, True, True]


def test_every_hostile_line_differs_from_the_good_one():
    assert LINE not in HOSTILE.values()


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_line_is_not_usable_and_the_next_line_is_judged(kind: str):
    bad, good = rows(HOSTILE[kind], LINE)
    assert bad.unexpected is None
    assert bad.unreadable or bad.mismatch or (bad.prompt_tokens or 0) > 500_000
    assert good.correct is True


def test_a_file_with_all_hostile_lines_keeps_the_good_ones(run_validation: RunValidation):
    good = [chain(*replies, id=f"good {number}") for number in range(8) for replies in REPLIES[number % 2 :][:1]]
    result = run_validation(*good, *HOSTILE.values())
    assert result.report.chains == ChainCounts(read=8 + len(HOSTILE), kept=8, quarantined=len(HOSTILE))
    assert result.surprises == {}
    assert all(line.reasons for line in result.quarantined)
    assert jsonl.dumps(result.quarantined[0])


REPLIES = (("add(2, 3)", "answer(5)"), ("multiply(2, 3)", "answer(6)"))

VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20),
        st.sampled_from([10**400, -(10**60), "²", "1/0", "x^0=1", "\ud83d", "1e400", "9" * 800, "answer", "add"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
FORMULAS = st.sampled_from(
    [
        "Cat(tom)",
        "all x. Cat(x)",
        "Cat(x)",
        "not",
        "((((",
        "P(a, b, c)",
        "all x. exists y. R(x, y)",
        "∀",
        "\ud83d(a)",
        "x" * 3_000,
    ]
)
NAMES = st.sampled_from(
    [
        "add",
        "answer",
        "divide",
        "solve",
        "power",
        "remainder",
        "assume",
        "entails",
        "conjoin",
        "for_all",
        "²",
        "",
        "a" * 300,
    ]
)
KEYS = st.sampled_from(
    ["a", "b", "0", "1", "²", "٣", "value", "formula", "equation", "variable", "body", "left", "right"]
)
ARGUMENTS = st.dictionaries(KEYS, st.one_of(VALUES, FORMULAS, st.integers(-9, 9)), max_size=3)
FIELDS = ("id", "problem_id", "model", "protocol", "steps", "outcome", "answer", "usage")


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A good line with up to three parts changed, mostly calls, and sometimes some of its bytes."""
    record = json.loads(draw(st.sampled_from(good_lines())))
    for _ in range(draw(st.integers(0, 3))):
        steps = record.get("steps")
        match draw(st.sampled_from(["call", "call", "call", "call", "step", "swap", "field", "drop"])):
            case "call" if isinstance(steps, list) and steps:
                changed = {"name": draw(NAMES), "arguments": draw(ARGUMENTS)}
                number = draw(st.integers(0, len(steps) - 1))
                steps[number] = {**json.loads(LINE)["steps"][0], "call": changed}
            case "step" if isinstance(steps, list):
                record["steps"] = [*steps[:1], *steps]
            case "swap" if isinstance(steps, list):
                steps.reverse()
            case "field":
                record[draw(st.sampled_from(FIELDS))] = draw(VALUES)
            case "drop":
                record.pop(draw(st.sampled_from(FIELDS)), None)
    line = json.dumps(record, ensure_ascii=draw(st.booleans())).encode(errors="surrogatepass")
    if draw(st.integers(0, 7)) == 0:
        index, junk = draw(st.integers(0, len(line))), draw(st.binary(max_size=4))
        line = line[:index] + junk + line[index + draw(st.integers(0, 3)) :]
    return line.replace(b"\n", b" ")


@settings(max_examples=2_000, deadline=None, derandomize=True)
@given(lines())
def test_no_line_causes_an_unexpected_exception(line: bytes):
    bad, good = rows(line, LINE)
    assert bad.unexpected is None, bad.unexpected
    assert bad.unreadable or bad.orphan or bad.correct is not None
    assert good.correct is True


def raise_error(*_: object) -> str:
    raise RuntimeError("the check fell over")


def test_a_grader_that_raises_quarantines_only_its_line_with_the_error_as_reason(tmp_path, monkeypatch):
    (tmp_path / "own_grader.py").write_text(GRADER)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    chains = [chain(*REPLIES[0], id=f"good {number}") for number in range(7)]
    chains += [chain(*REPLIES[1], id="bad"), chain("add(9, 9)", "answer(18)", id="wrong")]
    path = tmp_path / "chains.jsonl"
    jsonl.write(path, chains)
    problems = {"p": problem(task="sums")}
    history = tmp_path / "history.json"
    tasks = load_tasks(["own_grader"])
    result = validate_chains([path], problems, tasks, {"oracle"}, SHIPPED, Suites(None), history)
    assert result.report.chains == ChainCounts(read=9, kept=8, quarantined=1)
    (line,) = result.quarantined
    assert line.where.endswith(":8")
    (reason,) = line.reasons
    assert reason.startswith(
        "unexpected: expected that a line is executed and judged without an unexpected error; found "
    )
    assert "unexpected RuntimeError in " in reason
    assert reason.endswith("the grader fell over")
    assert json.loads(line.text or "")["id"] == "bad"
    ((where, surprise),) = result.surprises.items()
    assert where == line.where
    assert "own_grader.py" in surprise.traceback_text
    with pytest.raises(DataError, match="1 of 9 chains were quarantined"):
        raise_if_too_many_quarantined(result, 0.05)


GRADER = """
from dataclasses import replace

from callwright.tasks.arithmetic.task import ARITHMETIC


def grade(problem, answer):
    if answer == "6":
        raise RuntimeError("the grader fell over")
    return ARITHMETIC.grade(problem, answer)


TASKS = (replace(ARITHMETIC, name="sums", grade=grade),)
"""


def test_a_grounding_check_that_raises_affects_only_its_line():
    tasks = tasks_with(replace(TASKS["arithmetic"], grounding_faults=raise_error))
    checked, unanswered = rows(LINE, jsonl.dumps(chain("add(2, 3)")), tasks=tasks)
    assert checked.unexpected is not None
    assert checked.correct is None
    assert unanswered.correct is False


def end_process(*_: object) -> str:
    raise SystemExit("the license has expired")


def test_a_grader_that_ends_the_process_affects_only_its_line():
    tasks = tasks_with(replace(TASKS["arithmetic"], grade=end_process))
    unanswered, graded = rows(jsonl.dumps(chain("add(2, 3)")), LINE, tasks=tasks)
    assert unanswered.correct is False
    assert graded.unexpected is not None
    assert graded.unexpected.startswith("unexpected SystemExit in test_hostile_lines.py:")
    assert graded.unexpected.endswith(": the license has expired")


def test_a_grader_that_ends_the_process_is_a_surprise_of_its_chain_and_of_its_answer():
    tasks = tasks_with(replace(TASKS["arithmetic"], grade=end_process))
    shard = ChainShard((PROBLEM,), (chain("add(2, 3)", "answer(5)"),))
    (verdict,) = check_shard(tasks, shard)
    (grade,) = grade_shard(tasks, AnswerShard(shard, [(PROBLEM.id, "5")]))
    assert isinstance(verdict, Surprise)
    assert isinstance(grade, Surprise)
    assert verdict.message == grade.message == "the license has expired"


def interrupt(*_: object) -> str:
    raise KeyboardInterrupt


def test_an_interrupt_while_an_answer_is_graded_stops_the_stage():
    tasks = tasks_with(replace(TASKS["arithmetic"], grade=interrupt))
    with pytest.raises(KeyboardInterrupt):
        rows(LINE, tasks=tasks)


@pytest.mark.slow
def test_surprises_of_worker_processes_reach_the_caller(tmp_path, monkeypatch):
    """A defective function of the user raises in processes that import its module."""
    (tmp_path / "own_broken.py").write_text(BROKEN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    broken = chain(step("add(2, 3)", call=Call("broken", {"a": 3})), "answer(5)", id="broken")
    path = tmp_path / "chains.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in [LINE, jsonl.dumps(broken)] * 1_500))
    checked = list(check_files([path], {"p": PROBLEM}, load_tasks(["own_broken"]), workers=2))
    assert [line.row.correct for line in checked[:2]] == [True, None]
    assert sum(line.surprise is not None for line in checked) == 1_500
    assert "own_broken.py" in checked[1].surprise.traceback_text


BROKEN = '''
from callwright.functions.function import function
from callwright.functions.numbers import Number


@function(example={"a": 2})
def broken(a: Number) -> Number:
    """Two times a number."""
    return {2: 4}[int(a)]


FUNCTIONS = {"arithmetic": (broken,)}
'''
