"""Draw views at random: other names, another order, other descriptions, needless functions."""

from collections.abc import Sequence
from random import Random

from callwright.functions import needless
from callwright.functions.toolbox import ANSWER
from callwright.params import ViewsParams
from callwright.tasks.task import Task
from callwright.tasks.view import PLAIN, View
from callwright.tasks.view_names import TRAINING_NAMES

_EXCHANGED_SHARE = 0.25  # of the functions, which exchange their true names, so that no name can be trusted
_TRAINING_NEEDLESS = frozenset(function.name for function in needless.TRAINING)


def draw_view(task: Task, params: ViewsParams, rng: Random, key: str) -> View:
    """A view for rollouts and training: what `params` allow, drawn from the pools that the evaluation never uses.

    It reads no param that is about the number of views, on which the rollout and the training depend differently.
    """
    toolbox = task.toolbox
    functions = [name for name in toolbox.functions if name != ANSWER]
    needless_names = [name for name in toolbox.needless if name in _TRAINING_NEEDLESS]
    count = min(rng.randint(0, params.distractors), len(needless_names))
    shown: list[str] = [*functions, *rng.sample(needless_names, count)]
    if params.shuffle:
        rng.shuffle(shown)
    names = _draw_names(shown, functions, rng) if params.rename else {}
    parameters = {}
    if params.parameters:
        for name in shown:
            function = toolbox.find(name)
            assert function is not None
            if len(function.parameters) <= len(TRAINING_NAMES.parameters):  # otherwise they keep their names
                drawn = TRAINING_NAMES.draw_parameters(rng, len(function.parameters))
                parameters[name] = dict(zip(function.parameters, drawn, strict=True))
    descriptions = _draw_descriptions(task, shown, rng) if params.reword else {}
    return View(key, (*shown, ANSWER), names, parameters, descriptions)


def draw_views(task: Task, params: ViewsParams, count: int, seed: int, label: str) -> list[View]:
    """Views of a task, the plain one first.

    Args:
        label: goes into the keys, and into the random numbers.
    """
    keys = [f"{label}/{seed}/{number}" for number in range(1, count)]
    return [PLAIN, *(draw_view(task, params, Random(f"view/{task.name}/{key}"), key) for key in keys)]


def _draw_names(shown: Sequence[str], functions: Sequence[str], rng: Random) -> dict[str, str]:
    """Shown names: most from the pool, some exchanged among the task's functions. No function keeps its name."""
    exchanged = [name for name in functions if rng.random() < _EXCHANGED_SHARE]
    if len(exchanged) < 2:  # with whom would it exchange its name?
        exchanged = []
    renamed = [name for name in shown if name not in exchanged]
    names = dict(zip(renamed, TRAINING_NAMES.draw(rng, len(renamed), (*functions, ANSWER)), strict=True))
    shuffled = rng.sample(exchanged, len(exchanged))
    return names | dict(zip(shuffled, [*shuffled[1:], *shuffled[:1]], strict=True))


def _draw_descriptions(task: Task, shown: Sequence[str], rng: Random) -> dict[str, str]:
    part = task.part("descriptions")
    if part is None:
        return {}
    descriptions = {}
    for name in shown:
        function = task.toolbox.find(name)
        assert function is not None
        descriptions[name] = rng.choice((function.description, *part.training.get(name, ())))
    return descriptions
