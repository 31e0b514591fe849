"""Change how the prompt shows the functions, in ways that no training shows. What the functions do stays the same.

A change has few views a task (or one for each needed function), because problems that share a prompt are decoded
faster. The seed determines them.
"""

from collections.abc import Callable
from random import Random

from callwright.functions import needless
from callwright.functions.toolbox import ANSWER
from callwright.records import Problem
from callwright.tasks.task import Task
from callwright.tasks.view import View
from callwright.tasks.view_names import HELD_OUT_NAMES

ViewPerturbation = Callable[[Problem, Task, int], View | None]

_VIEWS = 4  # of a task, for each change that does not depend on what the problem needs


def rename_all(problem: Problem, task: Task, seed: int) -> View | None:
    """All functions but `answer` have new names; None if there are none."""
    functions = _functions(task)
    if not functions:
        return None
    key, rng = _view_of_problem("functions", problem, task, seed)
    return View(key, names=dict(zip(functions, _new_names(task, len(functions), rng), strict=True)))


def rename_needed(problem: Problem, task: Task, seed: int) -> View | None:
    """One function that the problem needs has a new name; None if the problem needs no function.

    It is the last one that the solution calls before `answer`: a model that only knows the true names can solve all
    steps but the last without reading the prompt.
    """
    needed = _last_needed_function(problem, task)
    if needed is None:
        return None
    key, rng = _view_of_function("new_name", needed, task, seed)
    return View(key, names=dict(zip((needed,), _new_names(task, 1, rng), strict=True)))


def swap_needed(problem: Problem, task: Task, seed: int) -> View | None:
    """The last function that the problem needs exchanges its name with another; None if there are no two."""
    needed = _last_needed_function(problem, task)
    others = [name for name in _functions(task) if name != needed]
    if needed is None or not others:
        return None
    key, rng = _view_of_function("swapped", needed, task, seed)
    other = rng.choice(others)
    return View(key, names={needed: other, other: needed})


def reword_descriptions(problem: Problem, task: Task, seed: int) -> View | None:
    """All functions are described in other words, those of the part `descriptions`; None if the task has none."""
    part = task.part("descriptions")
    held_out = part.held_out if part else {}
    key, rng = _view_of_problem("reworded", problem, task, seed)
    descriptions = {name: rng.choice(held_out[name]) for name in task.toolbox.functions if held_out.get(name)}
    return View(key, descriptions=descriptions) if descriptions else None


def add_distractor(problem: Problem, task: Task, seed: int) -> View | None:
    """The prompt also lists a function that no problem needs."""
    names = [function.name for function in needless.HELD_OUT if function.name in task.toolbox.needless]
    if not names:
        return None
    key, rng = _view_of_problem("distractor", problem, task, seed)
    return View(key, functions=with_one_more(_functions(task), rng.choice(names), rng))


def with_one_more(functions: list[str], name: str, rng: Random) -> tuple[str, ...]:
    """The functions, another one at a random position among them, and `answer`."""
    index = rng.randrange(len(functions) + 1)
    return (*functions[:index], name, *functions[index:], ANSWER)


def _functions(task: Task) -> list[str]:
    return [name for name in task.toolbox.functions if name != ANSWER]


def _new_names(task: Task, count: int, rng: Random) -> tuple[str, ...]:
    return HELD_OUT_NAMES.draw(rng, count, {*task.toolbox.functions, *task.toolbox.needless})


def _last_needed_function(problem: Problem, task: Task) -> str | None:
    needed = [call.name for call in problem.solution if call.name in task.toolbox.functions and call.name != ANSWER]
    return needed[-1] if needed else None


def _view_of_problem(change: str, problem: Problem, task: Task, seed: int) -> tuple[str, Random]:
    """The key and the random numbers of one of the `_VIEWS` views, which the question selects."""
    return _view_of_function(change, str(Random(problem.question).randrange(_VIEWS)), task, seed)


def _view_of_function(change: str, function: str, task: Task, seed: int) -> tuple[str, Random]:
    key = f"{change}/{seed}/{task.name}/{function}"
    return key, Random(key)
