"""Views: a task's toolbox as a prompt shows it: with other names, in another order, with other descriptions and so on.

A view applies where steps are rendered and replies are read. Chains are stored under the true names, so replaying,
grading, trees and pairs never see a view, and a chain can be shown again in any other view.

The renaming of a view is a permutation: a path of renamed names is closed to a cycle. So every name that a model can
write has exactly one true counterpart. If `add` is shown as `lift`, a model that still writes `add` is recorded with
the unknown name `lift`, and replaying its chain refuses the call as the agent did.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from callwright.errors import CallError
from callwright.functions.function import Function, render_call
from callwright.functions.literal import resolve_function_name
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.records import Call, Step

CACHE_SIZE = 2_048  # views of one training
_NOT_SHOWN = "not shown: "  # before the stored name of a call of a function that the view does not show


@dataclass(frozen=True, slots=True)
class View:
    """How a prompt shows a task's functions. The default shows them as they are.

    Attributes:
        key: what a chain keeps of the view; empty for the plain view.
        functions: true names of the functions that are shown, in order; they may include needless ones
            (`Toolbox.needless`). Empty: the task's functions in its order.
        names: true name -> shown name. A function that is not in it keeps its name, and so does `answer`.
        parameters: true name of a function -> parameter -> shown parameter.
        descriptions: true name of a function -> shown description.
    """

    key: str = ""
    functions: tuple[str, ...] = field(default=(), hash=False)
    names: Mapping[str, str] = field(default_factory=dict, hash=False)
    parameters: Mapping[str, Mapping[str, str]] = field(default_factory=dict, hash=False)
    descriptions: Mapping[str, str] = field(default_factory=dict, hash=False)

    def show(self, toolbox: Toolbox) -> Toolbox:
        """A task's toolbox as the prompt shows it.

        Raises:
            ValueError: the view shows a function that does not exist, shows two under the same name, or lacks `answer`.
        """
        return _show(self, toolbox).toolbox

    def show_instructions(self, instructions: str) -> str:
        """A task's instructions, which may mention functions."""
        return _replace(_changed(self.names), _WORD)(instructions)

    def show_call(self, call: Call, toolbox: Toolbox) -> Call:
        """A call under the shown names."""
        return _show(self, toolbox).names.show(call)

    def read_call(self, call: Call, toolbox: Toolbox) -> Call:
        """A call as a model wrote it, under the true names. Markup around the function's name is removed."""
        shown = _show(self, toolbox)
        name = resolve_function_name(call.name, shown.readable_names)
        return shown.names.read(replace(call, name=name))

    def read_text(self, text: str, toolbox: Toolbox) -> str:
        """An unreadable reply with the true names of the functions that it calls."""
        return _show(self, toolbox).names.read_text(text)

    def read_error(self, error: CallError, toolbox: Toolbox) -> CallError:
        """The parser's error of an unreadable reply, with the true name of the function that it names."""
        return CallError(error.fault, _show(self, toolbox).names.read_syntax_error(error.message))

    def show_step(self, step: Step, toolbox: Toolbox) -> Step:
        """A step under the shown names, with the error line that a model reads in this view."""
        shown = _show(self, toolbox)
        if shown.is_plain and not _mentions_hidden(step):
            return step
        call = shown.names.show(step.call) if step.call else None
        thought = shown.names.show_text(step.thought)
        error = replace(step.error, message=shown.error_message(step, call)) if step.error else None
        return replace(step, thought=thought, call=call, error=error)


PLAIN = View()


def _mentions_hidden(step: Step) -> bool:
    """Whether a step was stored with the mark of a function that its view did not show."""
    texts = (step.thought, step.call.name if step.call else "", step.error.message if step.error else "")
    return any(_NOT_SHOWN in text for text in texts)


def not_shown(name: str) -> str:
    """The name under which a call of a function is stored if the view does not show the function."""
    return f"{_NOT_SHOWN}{name}"


class _Names:
    """A permutation of the functions' names, and for each function one of its parameters' names.

    The mark of a function that is not shown is only stored: in every view the name is shown without it.

    Args:
        names: true name -> shown name of every function that can be executed.
    """

    def __init__(self, names: Mapping[str, str], parameters: Mapping[str, Mapping[str, str]]) -> None:
        closed = _close(names)
        self._true = {shown: true for true, shown in closed.items()}
        self._shown = {f"{_NOT_SHOWN}{name}": name for name in names}
        self._shown |= {true: shown.removeprefix(_NOT_SHOWN) for true, shown in closed.items()}
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


@dataclass(frozen=True, slots=True)
class _ShownToolbox:
    """What a view makes of a toolbox.

    Attributes:
        true_toolbox: under the true names.
        toolbox: as the prompt describes it.
        readable_names: names that a model may write with markup around them.
    """

    is_plain: bool
    true_toolbox: Toolbox
    toolbox: Toolbox
    names: _Names
    readable_names: frozenset[str]

    def error_message(self, step: Step, shown_call: Call | None) -> str:
        """A step's error line in the view: the toolbox's errors are written anew, others keep their text."""
        assert step.error is not None
        message = step.error.message
        if step.error.fault == "syntax" or shown_call is None:
            return self._with_shown_example(self.names.show_syntax_error(message))
        if step.error.fault == "unknown_function":
            return self.toolbox.unknown_function_error(shown_call.name).message
        function = self.toolbox.functions.get(shown_call.name)
        if function is not None and step.error.fault == "bad_arguments":
            bound = function.name_arguments(shown_call)
            bound = bound if isinstance(bound, CallError) else function.bind(bound)
            if isinstance(bound, CallError):
                return bound.message
        return self.names.show_text(message)

    def _with_shown_example(self, message: str) -> str:
        """A syntax error with the example of the first function that is shown; see `with_toolbox_example`."""
        true, shown = _first_function(self.true_toolbox), _first_function(self.toolbox)
        for old, new in (
            (render_call(Call(true.name, true.example)), render_call(Call(shown.name, shown.example))),
            (json.dumps(true.example, ensure_ascii=False), json.dumps(shown.example, ensure_ascii=False)),
        ):
            if message.endswith(old):
                return message.removesuffix(old) + new
            message = message.replace(f"like {old}", f"like {new}", 1)
        return message


def _first_function(toolbox: Toolbox) -> Function:
    return next((function for name, function in toolbox.functions.items() if name != ANSWER), toolbox.functions[ANSWER])


@lru_cache(maxsize=CACHE_SIZE)
def _show(view: View, true: Toolbox) -> _ShownToolbox:
    true_names = view.functions or tuple(true.functions)
    show_description = _replace(_changed(view.names), _CALLED_OR_NO_WORD)
    functions = []
    for name in true_names:
        function = true.find(name)
        if function is None:
            raise ValueError(f"the view {view.key} shows {name}, which is no function of the toolbox")
        description = show_description(view.descriptions.get(name) or function.description)
        functions.append(function.shown(view.names.get(name, name), description, view.parameters.get(name)))
    is_plain = view == replace(PLAIN, key=view.key)
    toolbox = true if is_plain else true.with_shown(functions)
    hidden = [name for name in (*true.functions, *true.needless) if name not in true_names]
    names = {name: view.names.get(name, name) for name in true_names}
    names |= {name: not_shown(name) for name in hidden}
    return _ShownToolbox(
        is_plain=is_plain,
        true_toolbox=true,
        toolbox=toolbox,
        names=_Names(names, view.parameters),
        readable_names=frozenset((*toolbox.functions, *true.functions, *true.needless)),
    )
