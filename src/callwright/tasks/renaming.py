"""Functions' names in calls and in texts: a permutation of them, and where a text names a function."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence

from callwright.records import Call

NOT_SHOWN = "not shown: "  # before the stored name of a call of a function that the view does not show


def not_shown(name: str) -> str:
    """The name under which a call of a function is stored if the view does not show the function."""
    return f"{NOT_SHOWN}{name}"


class Renaming:
    """A permutation of the functions' names, and for each function one of its parameters' names.

    The mark of a function that is not shown is only stored: in every view the name is shown without it.

    Args:
        names: true name -> shown name of every function that can be executed.
    """

    def __init__(self, names: Mapping[str, str], parameters: Mapping[str, Mapping[str, str]]) -> None:
        closed = _close(names)
        self._true = {shown: true for true, shown in closed.items()}
        self._shown = {f"{NOT_SHOWN}{name}": name for name in names}
        self._shown |= {true: shown.removeprefix(NOT_SHOWN) for true, shown in closed.items()}
        self._shown_parameters = {function: _close(renamed) for function, renamed in parameters.items()}
        self._true_parameters = {
            function: {shown: true for true, shown in renamed.items()}
            for function, renamed in self._shown_parameters.items()
        }
        self.show_text = _replace_calls(self._shown, self._shown_parameters)
        by_shown_name = {
            self._shown.get(function, function): renamed for function, renamed in self._true_parameters.items()
        }
        self.read_text = _replace_calls(self._true, by_shown_name)
        self.show_syntax_error = _replace(self._shown, (*_NAMED_IN_SYNTAX_ERRORS, _ADVISED_IN_SYNTAX_ERRORS))
        self.read_syntax_error = _replace(self._true, _NAMED_IN_SYNTAX_ERRORS)

    def show(self, call: Call) -> Call:
        """A call under the shown names."""
        parameters = self._shown_parameters.get(call.name, {})
        arguments = {parameters.get(key, key): value for key, value in call.arguments.items()}
        return Call(self._shown.get(call.name, call.name), arguments)

    def read(self, call: Call) -> Call:
        """A call under the true names."""
        name = self._true.get(call.name, call.name)
        parameters = self._true_parameters.get(name, {})
        return Call(name, {parameters.get(key, key): value for key, value in call.arguments.items()})


def replace_words(names: Mapping[str, str]) -> Callable[[str], str]:
    """A function that replaces names in a text wherever they are whole words."""
    return _replace(_changed(names), _WORD)


def replace_mentions(names: Mapping[str, str]) -> Callable[[str], str]:
    """A function that replaces names where a text calls them, and elsewhere those that are no English word."""
    return _replace(_changed(names), _CALLED_OR_NO_WORD)


def _changed(names: Mapping[str, str]) -> dict[str, str]:
    return {true: shown for true, shown in names.items() if true != shown}


def _close(names: Mapping[str, str]) -> dict[str, str]:
    """The names as a permutation: the end of each path of renamed names is renamed to its beginning.

    >>> _close({"add": "subtract", "subtract": "lift"})
    {'add': 'subtract', 'subtract': 'lift', 'lift': 'add'}
    """
    closed = _changed(names)
    shown_names = set(closed.values())
    for start in [true for true in closed if true not in shown_names]:
        end = closed[start]
        while end in closed:
            end = closed[end]
        closed[end] = start
    return closed


_CALLED = (r"(?<![\w.])NAME(?=\()", r'(?<=")NAME(?=")', "(?<=`)NAME(?=`)")
"""Where a text calls a function: before a bracket, in quotes as in JSON, or in backquotes."""

_WORD = (r"(?<![\w.])NAME(?!\w|\.\w)",)
"""A whole word. `geometry.area` is one word."""

_CALLED_OR_NO_WORD = (*_CALLED, r"(?<![\w.])(?=[^\W_]*[_.]\w)NAME(?!\w|\.\w)")
"""Where a text calls a function, or mentions one whose name is no English word, as it has `_` or `.` in it."""

_NAMED_IN_SYNTAX_ERRORS = (
    r"(?<=\bof )NAME(?= (?:is|could) )",
    r"(?<=\bcall )NAME(?= first,)",
    r"(?<=\bname )NAME(?=;)",
)
"""Where an error of `callwright.agent.parsing` repeats the name of a function that the model called."""

_ADVISED_IN_SYNTAX_ERRORS = r"(?<=for other divisions call )NAME$"
"""Where such an error mentions a function of its own accord."""


_ARGUMENT = (r"(?<![\w.])NAME(?=\s*=(?!=))", r'(?<=")NAME(?="\s*:(?!\s*"$))')
"""Where a call names an argument. A JSON key before the name of the next call is none."""


def _replace_calls(names: Mapping[str, str], parameters: Mapping[str, Mapping[str, str]]) -> Callable[[str], str]:
    """A function that replaces the names of called functions in a text, and between two of them those of arguments.

    Args:
        parameters: function, as the text names it -> parameter -> its new name.
    """
    replace_names = _replace(names, _CALLED)
    replace_arguments = {function: _replace(renamed, _ARGUMENT) for function, renamed in parameters.items() if renamed}
    if not replace_arguments:
        return replace_names
    called = _pattern(names, _CALLED)

    def replace_calls(text: str) -> str:
        parts: list[str] = []
        end, replace_before = 0, replace_names  # before the first call there is nothing to replace
        for match in called.finditer(text):
            parts += [replace_before(text[end : match.start()]), names[match[0]]]
            end, replace_before = match.end(), replace_arguments.get(match[0], _keep)
        return "".join([*parts, replace_before(text[end:])])

    return replace_calls


def _keep(text: str) -> str:
    return text


def _replace(names: Mapping[str, str], places: Sequence[str]) -> Callable[[str], str]:
    """A function that replaces names in a text, in certain places only.

    Args:
        places: regular expressions, in which NAME stands for a name.
    """
    if not names:
        return _keep
    pattern = _pattern(names, places)
    return lambda text: pattern.sub(lambda match: names[match[0]], text)


def _pattern(names: Iterable[str], places: Sequence[str]) -> re.Pattern[str]:
    alternatives = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    return re.compile("|".join(pattern.replace("NAME", f"(?:{alternatives})") for pattern in places))
