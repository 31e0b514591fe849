"""Replace the numbers in a text, such as an equation, by their values after a change."""

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Protocol

from callwright.tasks.arithmetic.number_forms import Ratio

_DIGITS = r"[0-9]{1,400}+(?:\.[0-9]{1,400}+)?+(?![0-9.])"
_NUMBER = re.compile(rf"(?<![0-9.A-Za-z_])({_DIGITS})(?: ?/ ?({_DIGITS}))?+")
_SIGN = re.compile(r"(?<=[(=])[-−] ?$")  # the sign of the number that follows; a subtraction does not match
_EXPONENT = re.compile(r"(?:\^|\*\*) ?\(?[-+]?$")


class Replacements(Protocol):
    """The values of numbers after the change."""

    def replace(self, number: Ratio) -> Ratio:
        """The number after the change."""

    def is_result(self, number: Ratio) -> bool:
        """Whether an earlier call returned the number."""

    def is_known(self, number: Ratio) -> bool:
        """Whether the number is an earlier result or is in the question."""


def replace_numbers(text: str, replacements: Replacements) -> str:
    """The text with each number replaced. Exponents stay as they are."""
    return "".join(_pieces(text, replacements))


def _pieces(text: str, replacements: Replacements) -> Iterator[str]:
    """The text in pieces: what is between the numbers, and the replacement of each number."""
    end = 0
    for match in _NUMBER.finditer(text):
        start = match.start()
        sign = _SIGN.search(text, max(end, start - 3), start)
        negative = _replace_negative(match[1], replacements) if sign is not None and match[2] is None else None
        yield text[end : start - (len(sign[0]) if sign and negative else 0)]
        end = match.end()
        if negative:
            yield negative
        elif _EXPONENT.search(text, max(0, start - 5), start):
            yield match[0]
        else:
            yield _replace_quotient(match[1], match[2], replacements)
    yield text[end:]


def _replace_negative(digits: str, replacements: Replacements) -> str | None:
    """The replacement, in brackets, of a number with a minus sign.

    None unless the negative number is an earlier result and the number without the sign is not known.
    """
    number = Fraction(digits)
    negative = (-number).as_integer_ratio()
    if replacements.is_known(number.as_integer_ratio()) or not replacements.is_result(negative):
        return None
    return f"({Fraction(*replacements.replace(negative))})"


def _replace_quotient(numerator: str, denominator: str | None, replacements: Replacements) -> str:
    """The replacement of a number, or of a quotient of two numbers.

    The quotient counts as one number if it is known as one and its two numbers are not both known.
    """
    texts = [text for text in (numerator, denominator) if text is not None]
    numbers = [Fraction(text).as_integer_ratio() for text in texts]
    if len(numbers) == 2 and numbers[1][0] and not all(map(replacements.is_known, numbers)):
        quotient = (Fraction(*numbers[0]) / Fraction(*numbers[1])).as_integer_ratio()
        if replacements.is_known(quotient):
            return _format_for_equation(replacements.replace(quotient))
    changed = [(text, number, replacements.replace(number)) for text, number in zip(texts, numbers, strict=True)]
    return "/".join(text if new == number else _format_for_equation(new) for text, number, new in changed)


def _format_for_equation(number: Ratio) -> str:
    """The number's text, in brackets where a factor or a summand needs them."""
    denominator = f"/{number[1]}" if number[1] != 1 else ""
    return f"({number[0]}{denominator})" if denominator or number[0] < 0 else str(number[0])
