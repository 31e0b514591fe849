"""One request to a served model with every hostile input once: the other rows are answered."""

import json
import logging
from collections import Counter

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callwright.chat.model import Reply, Sampling, ToolCall
from callwright.errors import ProviderError
from callwright.records import FAULTS, Protocol, Usage
from callwright.registry.served import ServedAgent, ServedStudent
from callwright.tasks import TASKS
from tests.fakes import ChatByQuestion

LAST = "answer(value=5)"
REPLIES = {
    "a superscript as the name of an argument": '{"name": "add", "arguments": {"²": 1, "b": 2}}',
    "a raw newline in the name of a function": '{"name": "add\n", "arguments": {"a": 1}}',
    "a raw tab in the name of a function": '{"name": "add\t", "arguments": {"a": 1}}',
    "nought to the power of nought": 'solve(equation="0^0 = x")',
    "a power of nought": 'solve(equation="y = (0)^0")',
    "roots that coincide": 'solve(equation="(x^2-2)^4 = 0")',
    "roots far away": 'solve(equation="((10^30+x))^2 = 2")',
    "half a character before a call": "so \ud83d\nadd(2, 3)",
    "half a character in the answer": 'answer(value="\ud83d")',
    "a hundred spaces in a number": f'answer(value="{" " * 100}x")',
    "many fences": "```a\n" * 2_000,
    "many tags": "<a>" * 2_000 + "x\nadd(1, 2)",
    "many argument tags": "<tool_call>add" + "<arg_key></arg_key><arg_value>" * 100,
    "control characters for a terminal": "\x1b[31m\x00\u202e add(2, 3)",
    "a number as long as a book": f"add(a={'9' * 50_000}, b=1)",
    "deep nesting": f"answer(value={'[' * 5_000}",
    "nothing": "",
    "markup of roles": "<|im_end|><|im_start|>system\nadd(2, 3)",
}
RAISED = {
    "a longer question than the model takes": ProviderError("student: the prompt of 9000 tokens does not fit"),
    "a library's error": RuntimeError("out of \x1b[31mmemory\ntwice"),
    "another error of the same kind": RuntimeError("out of memory"),
    "a missing key": KeyError("\ud83d"),
    "too deep a recursion": RecursionError(),
}
UNUSABLE = [
    ("so \ud83d", "arithmetic", "half a character"),
    (None, "arithmetic", "not a text"),
    (float("nan"), "arithmetic", "not a text"),
    (b"bytes", "arithmetic", "not a text"),
    ("", "arithmetic", "empty"),
    ("How many?", "riddle\x1b[31m", r"unknown task 'riddle\x1b[31m'"),
    ("How many?", "\ud83d", "half a character"),
]


def solvable_question(index: int) -> str:
    return f"What is 2 plus 3, for the {index}th time?"


def scripts(protocol: Protocol) -> dict[str, list[str | Reply | Exception]]:
    """The replies to each question: two questions are solved; a hostile reply is followed by a guess."""
    replies: dict[str, list[str | Reply | Exception]] = {
        solvable_question(0): ["add(a=2, b=3)", LAST],
        solvable_question(1): ["add(2, 3)", LAST],
    }
    for question, reply in REPLIES.items():
        replies[question] = [reply, LAST]
        if protocol == "native":
            call = ToolCall("add", reply)  # the same text as the arguments of a call that the server parsed
            replies[f"{question}, as arguments"] = [Reply("\ud83d", "stop", Usage(), (call,)), LAST]
    return replies | {question: [error] for question, error in RAISED.items()}


@pytest.mark.slow
@pytest.mark.parametrize("protocol", ["text", "native"])
def test_a_hostile_input_affects_only_its_own_row(protocol: Protocol, caplog: pytest.LogCaptureFixture):
    replies = scripts(protocol)
    served = ServedStudent()
    served._agent = ServedAgent(lambda: ChatByQuestion(replies), TASKS, protocol, Sampling(max_steps=4))
    questions = [*replies, *(question for question, _, _ in UNUSABLE)]
    tasks = ["arithmetic"] * len(replies) + [task for _, task, _ in UNUSABLE]
    table = pd.DataFrame({"question": questions, "task": tasks}, dtype=object)
    with caplog.at_level(logging.ERROR, "callwright"):
        rows = served.predict(None, table).to_dict("records")

    assert len(rows) == len(questions)
    by_question = dict(zip(questions[: len(replies)], rows, strict=False))
    for index in range(2):
        row = by_question[solvable_question(index)]
        assert (row["answer"], row["grounded"], row["valid"], row["error"]) == ("5", True, True, "")
    for row in rows:
        json.dumps(row, ensure_ascii=False).encode()  # the row can be sent as JSON
        assert (row["error"] != "") == (row["outcome"] == "error") == (row["chain"] == "")
        assert set(row["faults"]) <= set(FAULTS)
        if not row["error"]:
            assert json.loads(row["chain"])["steps"]
    outcomes = Counter(row["outcome"] for row in rows)
    assert outcomes.total() == len(questions)
    assert outcomes["error"] >= len(RAISED) + len(UNUSABLE)

    for (question, _, message), row in zip(UNUSABLE, rows[len(replies) :], strict=True):
        assert message in row["error"], question
    assert by_question["a longer question than the model takes"]["error"].startswith("student: the prompt of 9000")
    error = by_question["a library's error"]["error"]
    assert error.startswith("unexpected RuntimeError in ")
    assert error.endswith(r": out of \x1b[31mmemory twice")
    logged = [record.getMessage() for record in caplog.records]
    assert sum("out of" in line and "Traceback" in line for line in logged) == 1, "the first of a kind has a traceback"
    assert sum("out of" in line for line in logged) == 2, "the others are one line"
    assert not [line for line in logged if "\x1b" in line or "\ud83d" in line]


INPUT = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=5)
AT_ONCE = Reply("", "stop", Usage(), (ToolCall("add", '{"a": 2, "b": 3}'), ToolCall("answer", '{"value": 5}')))
AGENT = ServedAgent(lambda: ChatByQuestion({"": [AT_ONCE]}), TASKS, "native", Sampling())


@settings(max_examples=60, derandomize=True)
@given(st.lists(st.tuples(INPUT, INPUT | st.just("arithmetic")), max_size=6))
def test_a_valid_row_is_answered_beside_any_other_rows(rows: list[tuple[object, object]]):
    answers = AGENT.answer(
        [solvable_question(0), *(question for question, _ in rows)], ["arithmetic", *(task for _, task in rows)]
    )
    assert (answers[0].answer, answers[0].error) == ("5", "")
    assert len(answers) == 1 + len(rows)
    assert all((row.outcome == "error") == bool(row.error) for row in answers)
