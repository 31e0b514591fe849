"""Check each problem against its task before any model is called: its answer can be graded, its solution reaches it."""

import re
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from callwright.errors import CallError, CallwrightError, RowError
from callwright.functions.guard import LIMIT_REACHED
from callwright.functions.numbers import MAX_EXPONENT, MAX_NUMBER_CHARACTERS, format_number, read_number
from callwright.functions.toolbox import ANSWER
from callwright.problems.row_fields import MAX_ANSWER_CHARACTERS, check_text
from callwright.records import Call, Json, Problem
from callwright.tasks.entailment.functions import read_truth_value
from callwright.tasks.task import Task

_SCIENTIFIC = re.compile(r"-?[0-9]+(?:\.[0-9]+)?[eE]([+-]?[0-9]{1,20})")
_HAS_NUMBER = re.compile(r"[0-9]")


def read_label(value: Json, task: str) -> str:
    """Convert the answer of a row to the label of a problem.

    Numbers stay exact and keep their percent sign. Truth values become True, False or Unknown. Answers of other tasks
    stay unchanged.

    Raises:
        RowError: the answer is missing, or is not an answer of this task.
    """
    if task == "entailment" and isinstance(value, bool):
        value = str(value)
    if value is None or value == "":
        raise RowError("answer is missing")
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RowError("answer is not text or a finite number" if isinstance(value, float) else "answer is not text")
    text = check_text(str(value).strip(), "answer", MAX_ANSWER_CHARACTERS)
    if not text:
        raise RowError("answer is missing")
    if task == "arithmetic":
        return _number_label(text)
    return str(read_truth_value(text)) if task == "entailment" else text


def _number_label(text: str) -> str:
    if scientific := _SCIENTIFIC.fullmatch(text):
        if abs(int(scientific[1])) > MAX_EXPONENT:
            raise RowError("answer is a number that is too large or too small", text[:40])
        return format_number(Fraction(text))
    number = read_plain_number(text)
    return f"{format_number(number * 100)}%" if text.endswith("%") else format_number(number)


def read_plain_number(text: str) -> Fraction:
    """Parse a label as a number; "25%" is 1/4.

    Raises:
        RowError: the text is not exactly one number, or includes words such as a unit.
    """
    number_text = " ".join(text.split())
    if len(number_text) > MAX_NUMBER_CHARACTERS:
        raise RowError(f"answer is a number of more than {MAX_NUMBER_CHARACTERS} characters")
    try:
        return read_number(number_text)
    except ValueError:
        if _HAS_NUMBER.search(number_text):
            reason = "answer is more than one number: give the number alone, without its unit"
            raise RowError(reason, repr(number_text[:80])) from None
        raise RowError("answer is not a number", repr(number_text[:80])) from None


_ANSWER_NOT_TAKEN = "the task does not take its answer"
_REASON_BY_FAULT = {
    "unknown_function": "its solution calls a function that the task does not have",
    "bad_arguments": "its solution has a call with wrong arguments",
    "execution_error": "its solution has a call that does not execute",
}


def check_problem(problem: Problem, tasks: Mapping[str, Task]) -> Problem:
    """Check that a problem can be solved: its task exists and accepts its answer, and its solution reaches the answer.

    Returns:
        The problem. Each argument of its solution has its parameter's name, as later stages look up arguments by name.

    Raises:
        RowError: the problem cannot be solved.
        Exception: an exception of a user's function or grader.
    """
    if problem.task not in tasks:
        raise RowError("its task does not exist", f"there is no task {problem.task}; the tasks are {', '.join(tasks)}")
    task = tasks[problem.task]
    _check_answer(problem, task)
    if problem.solution:
        problem = replace(problem, solution=_with_parameter_names(problem, task))
        _check_solution(problem, task)
    return problem


def _with_parameter_names(problem: Problem, task: Task) -> tuple[Call, ...]:
    """The calls of the solution, with parameter names as the keys of arguments."""
    calls = []
    for number, call in enumerate(problem.solution, start=1):
        named_call = task.toolbox.name_arguments(call)
        if isinstance(named_call, CallError):
            raise RowError(_REASON_BY_FAULT[named_call.fault], f"call {number}: {named_call.message}")
        calls.append(named_call)
    return tuple(calls)


def _check_answer(problem: Problem, task: Task) -> None:
    answer_text = problem.answer
    # Execute `answer` before grading: its error message says what is wrong with the answer, a grade does not.
    if _answer_takes_text(task):
        observation = task.toolbox.open().execute(Call(ANSWER, {"0": problem.answer}))
        if isinstance(observation, CallError):
            raise RowError(_ANSWER_NOT_TAKEN, f"{problem.answer[:80]!r}: {observation.message}")
        answer_text = observation.text
    grade = _grade(problem, task, problem.answer)
    if grade != "right":
        raise RowError(_ANSWER_NOT_TAKEN, f"{problem.answer[:80]!r} is graded {grade} against itself")
    if answer_text != problem.answer and _grade(problem, task, answer_text) != "right":
        raise RowError(_ANSWER_NOT_TAKEN, f"{problem.answer[:80]!r} becomes {answer_text[:80]!r}")


def _answer_takes_text(task: Task) -> bool:
    """Whether the task's `answer` has one parameter that accepts text, as labels are text."""
    parameters = task.toolbox.functions[ANSWER].schema()["function"]["parameters"]["properties"]
    if len(parameters) != 1:
        return False
    (schema,) = parameters.values()
    return any(option.get("type") == "string" for option in schema.get("anyOf", [schema]))


def _grade(problem: Problem, task: Task, answer: str) -> str:
    try:
        return task.grade(problem, answer)
    except CallwrightError as error:
        raise RowError(_ANSWER_NOT_TAKEN, str(error)) from None


def _check_solution(problem: Problem, task: Task) -> None:
    tools = task.toolbox.open()
    final_answer = ""
    for number, call in enumerate(problem.solution, start=1):
        if call.name == ANSWER and number < len(problem.solution):
            raise RowError("its solution goes on after its answer", f"call {number}")
        observation = tools.execute(call)
        if isinstance(observation, CallError):
            limit_reached = observation.message.startswith(LIMIT_REACHED)
            reason = (
                "its solution is beyond the solver's limits" if limit_reached else _REASON_BY_FAULT[observation.fault]
            )
            raise RowError(reason, f"call {number}: {observation.message}")
        final_answer = observation.text
    grade = _grade(problem, task, final_answer)
    if grade != "right":
        reason = "the task cannot decide whether its solution reaches its answer"
        if grade == "wrong":
            reason = "its solution does not reach its answer"
        raise RowError(reason, f"it answers {final_answer[:80]}, the answer is {problem.answer[:80]}")
