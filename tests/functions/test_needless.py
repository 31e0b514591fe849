"""Functions that no problem needs: what they return, and what they cannot return."""

import pytest

from callwright.errors import CallError
from callwright.functions.needless import HELD_OUT, NEEDLESS, TRAINING
from callwright.functions.toolbox import Toolbox
from callwright.records import Call
from callwright.tasks import TASKS
from callwright.tasks.arithmetic.functions import answer
from callwright.tasks.view_names import share_stem

TOOLBOX = Toolbox((*NEEDLESS, answer))


def result(name: str, *arguments: object) -> str:
    executed = TOOLBOX.open().execute(Call(name, {str(index): value for index, value in enumerate(arguments)}))
    return executed.message if isinstance(executed, CallError) else executed.text


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (("day_after", "Sunday"), "Monday"),
        (("season_of", "December"), "winter"),
        (("season_of", "February"), "winter"),
        (("season_of", "March"), "spring"),
        (("season_of", "November"), "autumn"),
        (("alphabet_at", 26), "Z"),
        (("alphabet_at", 27), "position must be between 1 and 26"),
        (("month_name", 12), "December"),
        (("month_name", 0), "number must be between 1 and 12"),
        (("roman_numeral", 1994), "MCMXCIV"),
        (("roman_numeral", 48), "XLVIII"),
        (("roman_numeral", 4000), "number must be between 1 and 3999"),
        (("mix_paint", "yellow", "blue"), "green"),
        (("mix_paint", "blue", "blue"), "blue"),
        (("part_of_day", 0), "night"),
        (("part_of_day", 23), "evening"),
        (("part_of_day", 24), "hour must be between 0 and 23"),
        (("count_letters", "2 pears"), "5"),
        (("turn_around", "west"), "east"),
        (("sound_of", "duck"), "quack"),
        (("planet_at", 3), "Earth"),
        (("planet_at", 9), "rank must be between 1 and 8"),
        (("chess_square", "A", 1), "black"),
        (("chess_square", "H", 1), "white"),
        (("chess_square", "A", 9), "row must be between 1 and 8"),
    ],
)
def test_a_needless_function_does_what_its_description_says(call: tuple[object, ...], expected: str):
    assert result(*call) == expected


@pytest.mark.parametrize("paints", [("red", "yellow"), ("yellow", "red")])
def test_the_order_of_paints_does_not_matter(paints: tuple[str, str]):
    assert result("mix_paint", *paints) == "orange"


def test_examples_execute():
    for function in NEEDLESS:
        executed = TOOLBOX.open().execute(Call(function.name, function.example))
        assert not isinstance(executed, CallError)


def test_every_task_can_list_them_all():
    for task in TASKS.values():
        assert len(task.toolbox.with_functions(NEEDLESS).functions) == len(task.toolbox.functions) + len(NEEDLESS)


def test_those_of_the_evaluation_share_no_word_with_those_of_training():
    training, held_out = ([word for each in part for word in each.name.split("_")] for part in (TRAINING, HELD_OUT))
    shared = [(left, right) for left in training for right in held_out if share_stem(left, right)]
    assert set(shared) <= {("of", "of"), ("at", "at")}
