"""A permutation of the functions' names, in calls and in texts."""

import re
from collections.abc import Callable, Mapping

from callwright.records import Call
from callwright.tasks.mentions import NAMESPACE, called_functions, replace_in, replace_mentions

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
        shown_functions = {name: self._shown.get(name, name) for name in names}
        self.show_text = replace_mentions({**shown_functions, **self._shown}, self._shown_parameters)
        true_functions = {shown: true for true, shown in shown_functions.items()} | self._true
        by_shown_name = {shown_functions.get(name, name): renamed for name, renamed in self._true_parameters.items()}
        self.read_text = replace_mentions(true_functions, by_shown_name, quote_words=True)
        self._show_names = replace_in((*_NAMED_IN_SYNTAX_ERRORS, _ADVISED_IN_SYNTAX_ERRORS), self._shown)
        self._read_names = replace_in(_NAMED_IN_SYNTAX_ERRORS, self._true)
        self._show_argument = _replace_argument(shown_functions, self._shown_parameters)
        self._read_argument = _replace_argument(true_functions, by_shown_name)

    def show_syntax_error(self, message: str, text: str) -> str:
        """A parser's error about an unreadable text, both under the true names, under the shown names."""
        return self._show_argument(self._show_names(message), text)

    def read_syntax_error(self, message: str, text: str) -> str:
        """A parser's error about an unreadable text, both under the shown names, under the true names."""
        return self._read_argument(self._read_names(message), text)

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


_NAMED_IN_SYNTAX_ERRORS = (
    rf"\bof {NAMESPACE}NAME(?= (?:is|could) )",
    r"\bcall NAME(?= first,)",
    r"\bname NAME(?=;)",
)
"""Where an error of `callwright.agent.parsing` repeats the name of a function that the model called."""

_ADVISED_IN_SYNTAX_ERRORS = r"for other divisions call NAME$"
"""Where such an error mentions a function of its own accord."""

_GIVEN_TWICE = re.compile(r"(?<=^the argument )(\S+)(?= is given twice)")


def _replace_argument(
    functions: Mapping[str, str], parameters: Mapping[str, Mapping[str, str]]
) -> Callable[[str, str], str]:
    """A function that replaces the argument in the error that it is given twice.

    The error does not name the function; it is the last one that the unreadable text calls.
    """
    called = called_functions(functions)

    def replace(message: str, text: str) -> str:
        match = _GIVEN_TWICE.search(message)
        if match is None:
            return message
        all_renamed = (parameters.get(name, {}) for name in reversed(called(text)))
        renamed = next((renamed for renamed in all_renamed if match[0] in renamed), {})
        return _GIVEN_TWICE.sub(lambda match: renamed.get(match[0], match[0]), message)

    return replace
