"""The named functions a task offers, and one chain's use of them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

from callwright.errors import CallError
from callwright.functions.function import Function, render_call, render_value
from callwright.functions.numbers import format_number
from callwright.records import Call, Json

ANSWER = "answer"  # the function that ends a chain


@dataclass(frozen=True, slots=True)
class Observation:
    """What executing a call returned: the value, and the text the model is shown."""

    value: Any
    text: str


class Toolbox:
    """Functions by name. Shared and immutable; `open()` gives one chain its own state."""

    def __init__(self, functions: Iterable[Function], new_state: Callable[[], Any] | None = None) -> None:
        self.functions: dict[str, Function] = {function.name: function for function in functions}
        self._new_state = new_state
        if ANSWER not in self.functions:
            raise ValueError(f"a toolbox needs a function named {ANSWER}")

    def open(self) -> "OpenToolbox":
        return OpenToolbox(self, self._new_state() if self._new_state else None)

    def schemas(self) -> list[dict[str, Json]]:
        """OpenAI tool schemas of all functions, in order."""
        return [function.schema() for function in self.functions.values()]

    def name_arguments(self, call: Call) -> Call | CallError:
        """The call with every argument under its parameter's name, values as the model wrote them."""
        function = self.functions.get(call.name)
        if function is None:
            return self._unknown(call.name)
        named = function.name_arguments(call)
        return named if isinstance(named, CallError) else Call(call.name, named)

    def canonical(self, call: Call) -> str:
        """One text for all ways of writing the same call: named, ordered, coerced, defaults filled in.

        A call that does not bind keeps the text it was written as.

        >>> from callwright.functions.arithmetic import add, answer
        >>> Toolbox([add, answer]).canonical(Call("add", {"1": "3.0", "0": 2}))
        'add(a=2, b=3)'
        """
        bound = self._bind(call)
        if isinstance(bound, CallError):
            return render_call(call)
        return f"{call.name}({', '.join(f'{key}={render_value(value)}' for key, value in bound[1].items())})"

    def _bind(self, call: Call) -> tuple[Function, dict[str, Any]] | CallError:
        function = self.functions.get(call.name)
        if function is None:
            return self._unknown(call.name)
        named = function.name_arguments(call)
        if isinstance(named, CallError):
            return named
        bound = function.bind(named)
        return bound if isinstance(bound, CallError) else (function, bound)

    def _unknown(self, name: str) -> CallError:
        near = get_close_matches(name, self.functions, n=1)
        hint = f"did you mean {near[0]}?" if near else f"the functions are {', '.join(self.functions)}"
        return CallError("unknown_function", f"there is no function {name[:40]}; {hint}")


class OpenToolbox:
    """A toolbox in use by one chain."""

    def __init__(self, toolbox: Toolbox, state: Any) -> None:
        self._toolbox = toolbox
        self._state = state

    def execute(self, call: Call) -> Observation | CallError:
        """Run one call. A mistake of the model comes back as a CallError; a defect of ours raises."""
        bound = self._toolbox._bind(call)
        if isinstance(bound, CallError):
            return bound
        function, arguments = bound
        try:
            value = function.python(self._state, **arguments) if function.stateful else function.python(**arguments)
        except CallError as error:
            return error
        return Observation(value, _show(value))


def _show(value: Any) -> str:
    if isinstance(value, Fraction):
        return format_number(value)
    return value if isinstance(value, str) else render_value(value)
