"""The named functions that a task offers, and their use by one chain."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from fractions import Fraction
from typing import Any

from callwright.errors import CallError
from callwright.functions.function import Function, render_call, render_value
from callwright.functions.literal import escape_unprintable, resolve_function_name, strip_name_markup
from callwright.functions.needless import NEEDLESS
from callwright.functions.numbers import execution_error, format_number
from callwright.records import Call, Json

ANSWER = "answer"  # the function that ends a chain
MAX_RESULT_CHARACTERS = 4_000  # of an observation: twice the limit of a call
_MAX_INT_BITS = 8_192  # of an integer in a result
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Observation:
    """The result of a call: the value, and the text that the model sees."""

    value: Any
    text: str


class Toolbox:
    """Functions by name. Shared and immutable; `open()` gives each chain its own state.

    Args:
        new_state: makes the state of one chain, for functions whose first parameter is `state`.

    Attributes:
        functions: by name, in the order in which a prompt describes them.
        needless: functions that can be called too, but that only a view shows (`callwright.tasks.view`).

    Raises:
        ValueError: no function is named `answer`, two functions have the same name, or a function needs a state but
            `new_state` is missing.
    """

    def __init__(self, functions: Iterable[Function], new_state: Callable[[], Any] | None = None) -> None:
        self.functions: dict[str, Function] = {}
        self._new_state = new_state
        for function in functions:
            if function.name in self.functions:
                raise ValueError(f"there is a function named {function.name} already")
            if function.stateful and new_state is None:
                raise ValueError(f"{function.name} takes a state, but this toolbox has no new_state")
            self.functions[function.name] = function
        if ANSWER not in self.functions:
            raise ValueError(f"a toolbox needs a function named {ANSWER}")
        self.needless = {function.name: function for function in NEEDLESS if function.name not in self.functions}

    def with_functions(self, others: Iterable[Function]) -> "Toolbox":
        """Return a toolbox with more functions, which are placed before `answer`."""
        functions = [function for function in self.functions.values() if function.name != ANSWER]
        return Toolbox([*functions, *others, self.functions[ANSWER]], self._new_state)

    def with_shown(self, functions: Iterable[Function]) -> "Toolbox":
        """Return a toolbox with these functions instead, whose chains begin with the same state."""
        return Toolbox(functions, self._new_state)

    def find(self, name: str) -> Function | None:
        """The function of this name, whether it is needless or not; None if there is none."""
        return self.functions.get(name) or self.needless.get(name)

    def open(self) -> "OpenToolbox":
        """Open the toolbox for one chain, with a new state."""
        return OpenToolbox(self, self._new_state() if self._new_state else None)

    def schemas(self) -> list[dict[str, Json]]:
        """Return the OpenAI tool schemas of all functions, in order."""
        return [function.schema() for function in self.functions.values()]

    def name_arguments(self, call: Call) -> Call | CallError:
        """Return the call with all arguments named and their values as the model wrote them, or a CallError.

        Markup around the function's name (`functions.add`) is removed if the rest is the name of a function.
        """
        name = resolve_function_name(call.name, self.functions)
        function = self.find(name)
        if function is None:
            return self.unknown_function_error(call.name)
        named = function.name_arguments(call)
        return named if isinstance(named, CallError) else Call(name, named)

    def canonical(self, call: Call) -> str:
        """Return the same text for all ways to write a call: arguments named, in order, coerced, with defaults.

        A call that does not bind is rendered as it was written. Markup around the function's name is not removed:
        pass the result of `name_arguments`.

        >>> from callwright.tasks.arithmetic.functions import add, answer
        >>> Toolbox([add, answer]).canonical(Call("add", {"1": "3.0", "0": 2}))
        'add(a=2, b=3)'
        """
        bound = self._bind(call)
        if isinstance(bound, CallError):
            return render_call(call)
        arguments = [f"{key}={render_value(value, sort_keys=True)}" for key, value in bound[1].items()]
        return f"{call.name}({', '.join(arguments)})"

    def _bind(self, call: Call) -> tuple[Function, dict[str, Any]] | CallError:
        function = self.find(call.name)
        if function is None:
            return self.unknown_function_error(call.name)
        named_arguments = function.name_arguments(call)
        if isinstance(named_arguments, CallError):
            return named_arguments
        bound = function.bind(named_arguments)
        return bound if isinstance(bound, CallError) else (function, bound)

    def unknown_function_error(self, name: str) -> CallError:
        """The error of a call of a function that does not exist, with what to call instead."""
        suggestions = get_close_matches(strip_name_markup(name[:80]), self.functions, n=1)
        hint = f"did you mean {suggestions[0]}?" if suggestions else f"the functions are {', '.join(self.functions)}"
        return CallError("unknown_function", f"there is no function {escape_unprintable(name[:40])}; {hint}")


class OpenToolbox:
    """A toolbox as one chain uses it.

    Attributes:
        state: the chain's state, which stateful functions read and change; None if the toolbox has no state.
    """

    def __init__(self, toolbox: Toolbox, state: Any) -> None:
        self._toolbox = toolbox
        self.state = state

    def execute(self, call: Call) -> Observation | CallError:
        """Execute a call. A mistake of the model is returned as a CallError; a defect raises (docs/decisions/0005).

        Raises:
            TypeError: a function returned a value that cannot be shown to a model.
            RuntimeError: a function raised a BaseException that is not an Exception, such as SystemExit.
            Exception: any other exception of a defective function, with the call in a note.
        """
        bound = self._toolbox._bind(call)
        if isinstance(bound, CallError):
            return bound
        function, arguments = bound
        try:
            value = function.python(self.state, **arguments) if function.stateful else function.python(**arguments)
            return Observation(value, render_result(value, function.name))
        except CallError as error:
            return CallError(error.fault, escape_unprintable(error.message))
        except function.refusals as error:
            reason = str(error).strip().split("\n")[0][:200] or type(error).__name__
            return CallError("execution_error", escape_unprintable(reason))
        except Exception as error:
            error.add_note(_note_of_call(call))
            raise
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit, for example, would end the process
            substitute = RuntimeError(f"{function.name} raised {type(error).__name__}")
            substitute.add_note(_note_of_call(call))
            raise substitute from error


def _note_of_call(call: Call) -> str:
    return f"in a function that a model called: {render_call(call)[:300]}"


def walk_value(value: Any) -> Iterator[Any]:
    """Yield a value and all values in it at any depth: items of lists, tuples and sets, keys and values of dicts.

    >>> list(walk_value([1, {"a": (2,)}]))
    [[1, {'a': (2,)}], 1, {'a': (2,)}, 'a', (2,), 2]
    """
    yield value
    match value:
        case list() | tuple() | set() | frozenset():
            for item in value:
                yield from walk_value(item)
        case Mapping():
            for key, item in value.items():
                yield from walk_value(key)
                yield from walk_value(item)
        case _:
            pass


def render_result(value: Any, name: str) -> str:
    """Render a function's result as text for the model.

    Args:
        name: name of the function that returned the value, for the error messages.

    Raises:
        CallError: execution_error: the text would be too long, or a number is too large or not finite.
        TypeError: values of this type cannot be shown to a model.
    """
    if type(value) is Fraction:
        return format_number(value)
    _check_renderable(value, name)
    text = str(value) if isinstance(value, str) and not isinstance(value, Enum) else render_value(value)
    if len(text) > MAX_RESULT_CHARACTERS:
        raise execution_error(f"the result would be longer than {MAX_RESULT_CHARACTERS} characters")
    return _SURROGATE.sub("\ufffd", text)  # a lone surrogate cannot be encoded as UTF-8 for a file or a request


def _check_renderable(value: Any, name: str) -> None:
    match value:
        case None | bool() | str() | Fraction():
            return
        case Enum():
            _check_renderable(value.value, name)
        case int():
            if value.bit_length() > _MAX_INT_BITS:
                raise execution_error("the result would be too large")
        case float() | Decimal():
            if not math.isfinite(value):
                raise execution_error("the result is not a finite number")
        case list() | tuple() | set() | frozenset():
            for item in value:
                _check_renderable(item, name)
        case Mapping():
            for key, item in value.items():
                _check_renderable(key, name)
                _check_renderable(item, name)
        case _:
            raise TypeError(f"{name} returned a {type(value).__name__}, which cannot be shown to a model; return text")
