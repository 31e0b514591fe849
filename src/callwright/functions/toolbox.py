"""The named functions a task offers, and one chain's use of them."""

import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from fractions import Fraction
from typing import Any

from callwright.errors import CallError
from callwright.functions.function import Function, render_call, render_value
from callwright.functions.literal import escape_unprintable
from callwright.functions.numbers import execution_error, format_number
from callwright.functions.prefixed_names import resolve_function_name, strip_name_markup
from callwright.records import Call, Json

ANSWER = "answer"  # the function that ends a chain
MAX_RESULT_CHARACTERS = 4_000  # of an observation; twice what one call may carry
_MAX_INT_BITS = 8_192  # of an integer that is shown
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Observation:
    """What executing a call returned: the value, and the text the model is shown."""

    value: Any
    text: str


class Toolbox:
    """Functions by name. Shared and immutable; `open()` gives one chain its own state.

    Args:
        new_state: makes the state of one chain, for functions whose first parameter is `state`.

    Raises:
        ValueError: no function is named `answer`, two have the same name, or one needs a state that is not made.
    """

    def __init__(self, functions: Iterable[Function], new_state: Callable[[], Any] | None = None) -> None:
        self.functions: dict[str, Function] = {}
        self._new_state = new_state
        for function in functions:
            if function.name in self.functions:
                raise ValueError(f"there is a function named {function.name} already")
            if function.stateful and new_state is None:
                raise ValueError(f"{function.name} takes a state, and this toolbox makes none (new_state)")
            self.functions[function.name] = function
        if ANSWER not in self.functions:
            raise ValueError(f"a toolbox needs a function named {ANSWER}")

    def with_functions(self, others: Iterable[Function]) -> "Toolbox":
        """This toolbox with other functions before `answer`."""
        own = [function for function in self.functions.values() if function.name != ANSWER]
        return Toolbox([*own, *others, self.functions[ANSWER]], self._new_state)

    def renamed(self, names: Mapping[str, str]) -> "Toolbox":
        """The same functions, in the same order, under other names; those that `names` leaves out keep theirs.

        Raises:
            ValueError: two functions get the same name, or none is named `answer` any more.
        """
        own = self.functions.values()
        return Toolbox([replace(one, name=names.get(one.name, one.name)) for one in own], self._new_state)

    def open(self) -> "OpenToolbox":
        return OpenToolbox(self, self._new_state() if self._new_state else None)

    def schemas(self) -> list[dict[str, Json]]:
        """OpenAI tool schemas of all functions, in order."""
        return [function.schema() for function in self.functions.values()]

    def name_arguments(self, call: Call) -> Call | CallError:
        """The call with every argument under its parameter's name, values as the model wrote them.

        A name that a model's markup decorated (`functions.add`) is the plain one, where that is a function.
        """
        name = resolve_function_name(call.name, self.functions)
        function = self.functions.get(name)
        if function is None:
            return self._unknown_function_error(call.name)
        named = function.name_arguments(call)
        return named if isinstance(named, CallError) else Call(name, named)

    def canonical(self, call: Call) -> str:
        """One text for all ways of writing the same call: named, ordered, coerced, defaults filled in.

        A call that does not bind keeps the text it was written as.

        >>> from callwright.tasks.arithmetic.functions import add, answer
        >>> Toolbox([add, answer]).canonical(Call("add", {"1": "3.0", "0": 2}))
        'add(a=2, b=3)'
        """
        bound = self._bind(call)
        if isinstance(bound, CallError):
            return render_call(call)
        arguments = [f"{key}={render_value(value, ordered=True)}" for key, value in bound[1].items()]
        return f"{call.name}({', '.join(arguments)})"

    def _bind(self, call: Call) -> tuple[Function, dict[str, Any]] | CallError:
        function = self.functions.get(call.name)
        if function is None:
            return self._unknown_function_error(call.name)
        with_names = function.name_arguments(call)
        if isinstance(with_names, CallError):
            return with_names
        bound = function.bind(with_names)
        return bound if isinstance(bound, CallError) else (function, bound)

    def _unknown_function_error(self, name: str) -> CallError:
        suggestions = get_close_matches(strip_name_markup(name[:80]), self.functions, n=1)
        hint = f"did you mean {suggestions[0]}?" if suggestions else f"the functions are {', '.join(self.functions)}"
        return CallError("unknown_function", f"there is no function {escape_unprintable(name[:40])}; {hint}")


class OpenToolbox:
    """A toolbox that one chain uses.

    Attributes:
        state: what stateful functions read and change, for this chain alone; None if the toolbox has none.
    """

    def __init__(self, toolbox: Toolbox, state: Any) -> None:
        self._toolbox = toolbox
        self.state = state

    def execute(self, call: Call) -> Observation | CallError:
        """Run one call. A mistake of the model comes back as a CallError; a defect raises (docs/decisions/0005).

        Raises:
            Exception: whatever a defective function raised, with a note of the call; RuntimeError in place of what is
                no Exception, such as SystemExit; TypeError when a function returned what cannot be shown to a model.
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
        except BaseException as error:  # such as SystemExit: it would end the process, or cancel what awaits the call
            substitute = RuntimeError(f"{function.name} raised {type(error).__name__}")
            substitute.add_note(_note_of_call(call))
            raise substitute from error


def _note_of_call(call: Call) -> str:
    return f"in a function that a model called: {render_call(call)[:300]}"


def walk_value(value: Any) -> Iterator[Any]:
    """A value and everything in it: items of lists, tuples and sets, keys and values of dicts, at any depth.

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
    """The text that shows a value to a model.

    Args:
        name: of the function that returned it, for the messages.

    Raises:
        CallError: execution_error: the text would be too long, or the number too large or not finite.
        TypeError: a value of this type cannot be shown.
    """
    if type(value) is Fraction:
        return format_number(value)
    _check_renderable(value, name)
    text = str(value) if isinstance(value, str) and not isinstance(value, Enum) else render_value(value)
    if len(text) > MAX_RESULT_CHARACTERS:
        raise execution_error(f"the result would be longer than {MAX_RESULT_CHARACTERS} characters")
    return _HALF_CHARACTER.sub("\ufffd", text)  # UTF-8 cannot hold one: neither a file nor a request could


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
            raise TypeError(f"{name} returned a {type(value).__name__}, which a model cannot be shown; return text")
