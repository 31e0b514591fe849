"""Views in which lessons are shown: they get harder with the training, from a few short names to whole toolboxes.

Besides the training pool, names are of many other shapes (syllables, letters, digits), so that copying any name is
learned. None shares a word stem with the names that only the evaluation uses.
"""

from collections.abc import Collection, Sequence
from functools import lru_cache
from random import Random

from callwright.functions import needless
from callwright.functions.toolbox import ANSWER
from callwright.standins.embedded.recipe import BuildRecipe
from callwright.tasks.task import Task
from callwright.tasks.view import View
from callwright.tasks.view_names import HELD_OUT_NAMES, TRAINING_NAMES, is_usable, share_stem

_SHORT_NAMES_UNTIL = 2 / 3  # difficulty from which no view is made of names of one token
_NEEDLESS_FROM = 0.6  # difficulty from which needless functions are shown
_RENAMED_PARAMETERS_FROM = 0.3
_EXTRA_FUNCTIONS = 5  # functions that a problem does not need, at difficulty 1, where not all are shown
_ALL_SHOWN_SHARE = 0.6  # of the views at difficulty 1: all functions of the task
_ORDERED_SHARE = 0.2
_SHORT_NAMES_SHARE = 0.4  # of the names in a list to copy
_RENAMED_ONE_SHARE = 0.05
_ONSETS = [
    "b",
    "c",
    "d",
    "f",
    "g",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "t",
    "v",
    "w",
    "z",
    "bl",
    "br",
    "ch",
    "cl",
    "cr",
    "dr",
    "fl",
    "fr",
    "gl",
    "gr",
    "pl",
    "pr",
    "sh",
    "sk",
    "sl",
    "sp",
    "st",
    "th",
    "tr",
    "tw",
    "qu",
]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "ee", "oo", "ou"]
_ENDS = [
    "",
    "",
    "",
    *["b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "x", "nd", "nk", "rt", "st", "ll", "ck"],
]
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def draw_lesson_view(
    task: Task, needed: Collection[str], short_names: Sequence[str], difficulty: float, recipe: BuildRecipe, rng: Random
) -> tuple[View, bool]:
    """A view for some lessons of a task.

    Args:
        needed: functions that the lessons call.
        short_names: words that are one token.
        difficulty: 0 to 1.

    Returns:
        The view, and whether its names are new or exchanged, so that only reading helps.
    """
    shown = _draw_shown(task, needed, difficulty, rng)
    renamable = [name for name in shown if name != ANSWER]
    names, is_new = _draw_names(renamable, [name for name in renamable if name in task.toolbox.functions], recipe, rng)
    if is_new is None:
        short = rng.random() < 1 - difficulty / _SHORT_NAMES_UNTIL and len(short_names) > 3 * len(renamable)
        pool = short_names if short else ()
        names, is_new = _new_names(renamable, task, pool, rng), True
    parameters = {}
    if difficulty > _RENAMED_PARAMETERS_FROM and (share := rng.choice((0, 0, 0, 0.3, 1))):
        for name in shown:
            function = task.toolbox.find(name)
            if function is not None and rng.random() < share:
                drawn = _draw_parameters(len(function.parameters), rng)
                parameters[name] = dict(zip(function.parameters, drawn, strict=True))
    reworded = rng.random() < 0.3 + 0.5 * difficulty
    descriptions = _draw_descriptions(task, shown, rng) if reworded else {}
    key = f"lesson/{rng.getrandbits(64):x}"
    return View(key, tuple(shown), names, parameters, descriptions), is_new


def _draw_shown(task: Task, needed: Collection[str], difficulty: float, rng: Random) -> list[str]:
    functions = list(task.toolbox.functions)
    others = [name for name in functions if name not in needed and name != ANSWER]
    if rng.random() < _ALL_SHOWN_SHARE * difficulty:
        count = len(others)
    else:
        most = min(len(others), 1 + int(difficulty * _EXTRA_FUNCTIONS))
        count = rng.choice((most, rng.randint(0, most)))
    chosen = {*needed, ANSWER, *rng.sample(others, count)}
    shown = [name for name in functions if name in chosen]
    if difficulty > _NEEDLESS_FROM:
        names = [function.name for function in needless.TRAINING if function.name in task.toolbox.needless]
        shown += rng.sample(names, min(rng.choice((0, 0, 1, 2)), len(names)))
    if rng.random() >= _ORDERED_SHARE:
        rng.shuffle(shown)
        if rng.random() < 0.5:  # as views of the pipeline have it
            shown = [*(name for name in shown if name != ANSWER), ANSWER]
    return shown


def _draw_names(
    renamable: Sequence[str], functions: Sequence[str], recipe: BuildRecipe, rng: Random
) -> tuple[dict[str, str], bool | None]:
    """Names that are true or exchanged, and whether they are exchanged; None if new names should be drawn."""
    kind = rng.random() - recipe.true_names
    if kind < 0:
        return {}, False
    if kind < recipe.exchanged_names and len(functions) > 1:
        exchanged = list(functions) if rng.random() < 0.5 else rng.sample(functions, 2)
        return dict(zip(exchanged, [*exchanged[1:], exchanged[0]], strict=True)), True
    if kind < recipe.exchanged_names + _RENAMED_ONE_SHARE and renamable:
        return {rng.choice(renamable): _draw_name(rng)}, False
    return {}, None


def _new_names(renamable: Sequence[str], task: Task, pool: Sequence[str], rng: Random) -> dict[str, str]:
    taken = {*task.toolbox.functions, *task.toolbox.needless, ANSWER}
    names: dict[str, str] = {}
    for function in renamable:
        while (name := rng.choice(pool) if pool else _draw_name(rng)) in taken:
            pass
        names[function] = name
        taken.add(name)
    return names


def draw_names(short_names: Sequence[str], rng: Random) -> list[str]:
    """Names of all shapes, for a list that is copied."""
    return [
        rng.choice(short_names) if rng.random() < _SHORT_NAMES_SHARE else _draw_name(rng)
        for _ in range(rng.randint(4, 9))
    ]


def _draw_name(rng: Random) -> str:
    """A name from the training pool, or of another shape."""
    if rng.random() < 0.5:
        return TRAINING_NAMES.draw(rng, 1)[0]
    while True:
        kind = rng.random()
        if kind < 0.45:
            parts = [_invent(rng)]
        elif kind < 0.75:
            parts = [_invent(rng), rng.choice((_invent(rng), rng.choice(TRAINING_NAMES.words), "of", "to", "by"))]
        elif kind < 0.85:
            parts = [f"{rng.choice(TRAINING_NAMES.words)}{rng.randrange(10)}"]
        else:
            parts = ["".join(rng.choices(_LETTERS, k=rng.randint(2, 7)))]
        name = "_".join(parts)
        if is_usable(name) and not any(map(has_held_out_stem, parts)):
            return name


def _invent(rng: Random) -> str:
    syllables = rng.choice((1, 1, 2, 2, 3))
    return "".join(rng.choice(_ONSETS) + rng.choice(_VOWELS) + rng.choice(_ENDS) for _ in range(syllables))


def _draw_parameters(count: int, rng: Random) -> Sequence[str]:
    return rng.sample(_LETTERS, count) if rng.random() < 0.3 else TRAINING_NAMES.draw_parameters(rng, count)


@lru_cache(maxsize=100_000)
def has_held_out_stem(word: str) -> bool:
    """Whether a word shares a stem with the names that only the evaluation uses."""
    return any(share_stem(word, stem) for stem in _held_out_stems_of(word[:1]))


@lru_cache(maxsize=64)
def _held_out_stems_of(letter: str) -> tuple[str, ...]:
    return tuple(stem for stem in HELD_OUT_NAMES.stems() if stem.startswith(letter))


def _draw_descriptions(task: Task, shown: Sequence[str], rng: Random) -> dict[str, str]:
    part = task.part("descriptions")
    training = part.training if part else {}
    descriptions = {}
    for name in shown:
        function = task.toolbox.find(name)
        if function is not None:
            descriptions[name] = rng.choice((function.description, *training.get(name, ())))
    return descriptions
