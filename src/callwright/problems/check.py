"""Check each problem against its task before any model is called: its answer can be graded, its solution reaches it."""

from collections.abc import Mapping
from dataclasses import replace

from callwright.errors import CallError, CallwrightError, RowError
from callwright.functions.guard import LIMIT_REACHED
from callwright.functions.toolbox import ANSWER
from callwright.problems.row_fields import MAX_ANSWER_CHARACTERS, check_text
from callwright.records import Call, Json, Problem
from callwright.tasks.parts import TaskLabels
from callwright.tasks.task import Task


def read_label(value: Json, labels: TaskLabels) -> str:
    """Convert the answer of a row to the label of a problem, as its task reads it.

    Args:
        labels: the task's part `labels`.

    Raises:
        RowError: the answer is missing, or is not an answer of the task.
        TypeError: `labels.read` returned something other than text.
    """
    if value is None or value == "":
        raise RowError("answer is missing")
    if not isinstance(value, str | int):
        raise RowError("answer is not text or a finite number" if isinstance(value, float) else "answer is not text")
    label: object = labels.read(value if isinstance(value, bool) else _check_label(str(value).strip()))
    if not isinstance(label, str):
        raise TypeError(f"the task's `labels.read` has to return text, not {label!r:.80}")
    return _check_label(label)


def _check_label(text: str) -> str:
    check_text(text, "answer", MAX_ANSWER_CHARACTERS)
    if not text:
        raise RowError("answer is missing")
    return text


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
        if named_call.name not in task.toolbox.functions:  # only a view would show this function
            error = task.toolbox.unknown_function_error(call.name)
            raise RowError(_REASON_BY_FAULT[error.fault], f"call {number}: {error.message}")
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
