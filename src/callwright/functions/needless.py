"""Small functions that no problem of a shipped task needs. A prompt may list some of them beside those of the task.

No result contains a text that the caller chose, and none is True or False, so that no call returns the answer of a
formula or of a truth value by the way.
"""

from typing import Literal, get_args

from callwright.functions.function import strict_function
from callwright.functions.numbers import WholeNumber, execution_error

Day = Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
Month = Literal[
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
Paint = Literal["red", "yellow", "blue"]
Direction = Literal["north", "east", "south", "west"]
Animal = Literal["cat", "cow", "dog", "duck", "sheep"]

_DAYS, _MONTHS, _DIRECTIONS = get_args(Day), get_args(Month), get_args(Direction)
_SEASONS = ("winter", "spring", "summer", "autumn")
_MIXED_PAINT = {("red", "yellow"): "orange", ("blue", "red"): "purple", ("blue", "yellow"): "green"}
_SOUNDS = {"cat": "meow", "cow": "moo", "dog": "woof", "duck": "quack", "sheep": "baa"}
_PLANETS = ("Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune")
_ROMAN_VALUES = (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1)
_ROMAN_LETTERS = ("M", "CM", "D", "CD", "C", "XC", "L", "XL", "X", "IX", "V", "IV", "I")
_MAX_ROMAN = 3_999  # larger numbers have no Roman numeral in plain letters


@strict_function(example={"day": "Monday"})
def day_after(day: Day) -> str:
    """The day of the week after a day."""
    return str(_DAYS[(_DAYS.index(day) + 1) % len(_DAYS)])


@strict_function(example={"month": "July"})
def season_of(month: Month) -> str:
    """The season of a month in the north."""
    return _SEASONS[(_MONTHS.index(month) + 1) % 12 // 3]


@strict_function(example={"position": 3})
def alphabet_at(position: WholeNumber) -> str:
    """The letter at a position in the alphabet."""
    if not 1 <= position <= 26:
        raise execution_error("position must be between 1 and 26")
    return chr(ord("A") + position - 1)


@strict_function(example={"number": 5})
def month_name(number: WholeNumber) -> str:
    """The name of a month, by its number in the year."""
    if not 1 <= number <= 12:
        raise execution_error("number must be between 1 and 12")
    return str(_MONTHS[number - 1])


@strict_function(example={"number": 14})
def roman_numeral(number: WholeNumber) -> str:
    """A whole number in Roman letters."""
    if not 1 <= number <= _MAX_ROMAN:
        raise execution_error(f"number must be between 1 and {_MAX_ROMAN}")
    text, rest = "", number
    for value, letters in zip(_ROMAN_VALUES, _ROMAN_LETTERS, strict=True):
        text += letters * (rest // value)
        rest %= value
    return text


@strict_function(example={"first": "red", "second": "yellow"})
def mix_paint(first: Paint, second: Paint) -> str:
    """The color of two paints together."""
    return first if first == second else _MIXED_PAINT[min(first, second), max(first, second)]


@strict_function(example={"hour": 15})
def part_of_day(hour: WholeNumber) -> str:
    """The part of the day at an hour: night, morning, afternoon or evening."""
    if not 0 <= hour <= 23:
        raise execution_error("hour must be between 0 and 23")
    return ("night", "morning", "afternoon", "evening")[hour // 6]


@strict_function(example={"text": "pear"})
def count_letters(text: str) -> int:
    """How many letters a text has."""
    return sum(letter.isalpha() for letter in text)


@strict_function(example={"direction": "north"})
def turn_around(direction: Direction) -> str:
    """The direction behind someone who looks in a direction."""
    return str(_DIRECTIONS[(_DIRECTIONS.index(direction) + 2) % len(_DIRECTIONS)])


@strict_function(example={"animal": "cow"})
def sound_of(animal: Animal) -> str:
    """The sound that an animal makes."""
    return _SOUNDS[animal]


@strict_function(example={"rank": 3})
def planet_at(rank: WholeNumber) -> str:
    """The planet with a rank when they are counted from the sun."""
    if not 1 <= rank <= len(_PLANETS):
        raise execution_error(f"rank must be between 1 and {len(_PLANETS)}")
    return _PLANETS[rank - 1]


@strict_function(example={"column": "A", "row": 1})
def chess_square(column: Literal["A", "B", "C", "D", "E", "F", "G", "H"], row: WholeNumber) -> str:
    """The color of a square on a chess board: black or white."""
    if not 1 <= row <= 8:
        raise execution_error("row must be between 1 and 8")
    return "black" if (ord(column) - ord("A") + row) % 2 else "white"


TRAINING = (day_after, season_of, alphabet_at, month_name, roman_numeral, mix_paint, part_of_day)
"""For the embedded student's lessons, rollouts and training."""

HELD_OUT = (count_letters, turn_around, sound_of, planet_at, chess_square)
"""For the evaluation only: no training may show them."""

NEEDLESS = (*TRAINING, *HELD_OUT)
"""Every toolbox can execute these."""
