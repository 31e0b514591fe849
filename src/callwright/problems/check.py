"""Check problems with their task before anything is paid for: answers can be graded, and solutions reach them."""

from collections.abc import Mapping
from dataclasses import replace

from callwright.errors import CallError, CallwrightError, RowError
from callwright.functions.guard import LIMIT_REACHED
from callwright.functions.toolbox import ANSWER
from callwright.records import Call, Problem
from callwright.tasks.task import Task

_REASON_BY_FAULT = {
    "unknown_function": "its solution calls a function that the task does not have",
    "bad_arguments": "its solution has a call with wrong arguments",
    "execution_error": "its solution has a call that does not execute",
}


def check_problem(problem: Problem, tasks: Mapping[str, Task], execute: bool) -> Problem:
    """Check that a problem can be solved: its task exists and takes its answer, and its solution reaches the answer.

    Args:
        execute: run the calls of the solution; False where the reader of the source has run them.

    Returns:
        The problem. Each argument of its solution has its parameter's name, as later stages look arguments up by name.

    Raises:
        RowError: it cannot.
        Exception: whatever a function or a grader of the user raised.
    """
    if problem.task not in tasks:
        raise RowError("its task does not exist", f"there is no task {problem.task}; the tasks are {', '.join(tasks)}")
    task = tasks[problem.task]
    _check_answer(problem, task)
    if execute and problem.solution:
        with_names = replace(problem, solution=_with_parameter_names(problem, task))
        _check_solution(with_names, task)
        return with_names
    return problem


def _with_parameter_names(problem: Problem, task: Task) -> tuple[Call, ...]:
    """The calls of the solution with each argument under its parameter's name."""
    calls = []
    for number, call in enumerate(problem.solution, start=1):
        with_names = task.toolbox.name_arguments(call)
        if isinstance(with_names, CallError):
            raise RowError(_REASON_BY_FAULT[with_names.fault], f"call {number}: {with_names.message}")
        calls.append(with_names)
    return tuple(calls)


def _check_answer(problem: Problem, task: Task) -> None:
    answer_text = problem.answer
    # Executed before grading, because its error explains what is wrong with the answer, and a grade does not.
    if _answer_takes_text(task):
        observation = task.toolbox.open().execute(Call(ANSWER, {"0": problem.answer}))
        if isinstance(observation, CallError):
            raise RowError("the task does not take its answer", f"{problem.answer[:80]!r}: {observation.message}")
        answer_text = observation.text
    grade = _grade(problem, task, problem.answer)
    if grade != "right":
        raise RowError("the task does not take its answer", f"{problem.answer[:80]!r} is graded {grade} against itself")
    if answer_text != problem.answer and _grade(problem, task, answer_text) != "right":
        raise RowError("the task does not take its answer", f"{problem.answer[:80]!r} becomes {answer_text[:80]!r}")


def _answer_takes_text(task: Task) -> bool:
    """Whether the task's `answer` has one parameter, which may be text as a label is."""
    parameters = task.toolbox.functions[ANSWER].schema()["function"]["parameters"]["properties"]
    if len(parameters) != 1:
        return False
    (schema,) = parameters.values()
    return any(kind.get("type") == "string" for kind in schema.get("anyOf", [schema]))


def _grade(problem: Problem, task: Task, answer: str) -> str:
    try:
        return task.grade(problem, answer)
    except CallwrightError as error:
        raise RowError("the task does not take its answer", str(error)) from None


def _check_solution(problem: Problem, task: Task) -> None:
    tools = task.toolbox.open()
    reached = ""
    for number, call in enumerate(problem.solution, start=1):
        if call.name == ANSWER and number < len(problem.solution):
            raise RowError("its solution goes on after its answer", f"call {number}")
        observation = tools.execute(call)
        if isinstance(observation, CallError):
            limit = observation.message.startswith(LIMIT_REACHED)
            reason = "its solution is beyond the solver's limits" if limit else _REASON_BY_FAULT[observation.fault]
            raise RowError(reason, f"call {number}: {observation.message}")
        reached = observation.text
    grade = _grade(problem, task, reached)
    if grade != "right":
        reason = "the task cannot decide whether its solution reaches its answer"
        if grade == "wrong":
            reason = "its solution does not reach its answer"
        raise RowError(reason, f"it answers {reached[:80]}, the answer is {problem.answer[:80]}")
