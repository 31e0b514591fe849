"""A function the model may call: schema, help text and argument checks, all from one Python function."""

import copy
import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ValidationError

from callwright.errors import CallError
from callwright.functions.literal import escape_unprintable, is_positional_key, render_call, render_value
from callwright.functions.signature import arguments_schema, check_callable, read_parameter_tags
from callwright.records import Call, Json

__all__ = ["Function", "function", "render_call", "render_value", "strict_function"]

DEFAULT_REFUSALS = (ValueError, ArithmeticError)
"""What Python and its libraries raise for a value that they cannot work with."""

_MAX_MESSAGE_CHARACTERS = 120  # characters


@dataclass(frozen=True)
class Function:
    """Built by the `function` decorator; calling it calls the Python function.

    Attributes:
        parameters: names of the parameters, in order.
        refusals: exceptions beside CallError by which the Python function says that a call cannot be done; any other
            exception is a defect (docs/decisions/0005).
    """

    name: str
    description: str
    python: Callable[..., Any]
    example: dict[str, Json]
    arguments: type[BaseModel]
    stateful: bool
    parameters: tuple[str, ...]
    refusals: tuple[type[Exception], ...]
    _schema: dict[str, Json] = field(repr=False)
    _types: dict[str, str] = field(repr=False)  # in words, by parameter

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.python(*args, **kwargs)

    def name_arguments(self, call: Call) -> dict[str, Json] | CallError:
        """The call's arguments by name: positional ones ("0", "1", ...) get their parameter's name."""
        if call.arguments.keys() <= self._types.keys():  # the usual case; chains are executed by the hundred thousand
            return dict(call.arguments)
        named: dict[str, Json] = {}
        for key, value in call.arguments.items():
            name = key
            if is_positional_key(key):
                if int(key) >= len(self.parameters):
                    return self._misuse_error(f"takes {_format_argument_count(len(self.parameters))}")
                name = self.parameters[int(key)]
            if name in named:
                return self._misuse_error(f"got {name} twice")
            named[name] = value
        return named

    def bind(self, named: dict[str, Json]) -> dict[str, Any] | CallError:
        """Checked and coerced arguments, ready for the Python function, in the signature's order."""
        try:
            return self.arguments.__pydantic_validator__.validate_python(named).__dict__  # type: ignore[no-any-return]
        except ValidationError as error:
            return self._misuse_error(_first_validation_message(error, named))

    def _misuse_error(self, complaint: str) -> CallError:
        return CallError("bad_arguments", f"{self.name} {escape_unprintable(complaint)}; call it like {self.usage()}")

    def usage(self) -> str:
        """The worked example as a call in the text protocol's syntax."""
        return render_call(Call(self.name, self.example))

    def signature(self) -> str:
        """`name(parameter, items: list of number, optional=default)`; plain numbers and texts show no type."""
        return f"{self.name}({', '.join(self._format_parameter(name) for name in self.parameters)})"

    def _format_parameter(self, name: str) -> str:
        told = self.arguments.model_fields[name]
        words = self._types[name]
        shown = f"{name}: {words}" if words else name
        if told.is_required():
            return shown
        equals = " = " if words else "="
        return f"{shown}{equals}{render_value(told.default)}"

    def schema(self) -> dict[str, Json]:
        """The OpenAI tool schema."""
        told = {"name": self.name, "description": self.description, "parameters": copy.deepcopy(self._schema)}
        return {"type": "function", "function": told}


def function(
    example: dict[str, Json],
    name: str | None = None,
    refusals: tuple[type[Exception], ...] = DEFAULT_REFUSALS,
) -> Callable[[Callable[..., Any]], Function]:
    """Make a typed, documented Python function callable by a model.

    A first parameter named `state` receives the chain's own state and is not part of the signature.

    Args:
        example: arguments of the worked example that the prompt shows with its result.
        name: what the model calls it; by default the Python name.
        refusals: exceptions beside CallError that mean "this call cannot be done"; the model sees the message.

    Raises:
        TypeError: a model could not call the function, or the example does not fit; one line that says why.
    """

    def decorate(python: Callable[..., Any]) -> Function:
        called = name or str(getattr(python, "__name__", "this"))
        check_callable(python, called)
        description = (inspect.getdoc(python) or "").split("\n")[0].strip()
        if not description:
            raise TypeError(f"{called} needs a docstring: its first line is what the model reads")
        arguments, stateful = read_parameter_tags(python, called)
        schema, types = arguments_schema(arguments, called)
        built = Function(
            called,
            description,
            python,
            example,
            arguments,
            stateful,
            tuple(arguments.model_fields),
            refusals,
            schema,
            types,
        )
        bound = built.bind(example)
        if isinstance(bound, CallError):
            raise TypeError(f"{called}: the example does not fit: {bound.message}")
        return built

    return decorate


def strict_function(example: dict[str, Json], name: str | None = None) -> Callable[[Callable[..., Any]], Function]:
    """As `function`, for a Python function that refuses by CallError alone: whatever else it raises is a defect."""
    return function(example, name, refusals=())


def _format_argument_count(parameters: int) -> str:
    return f"{parameters} argument{'s' if parameters != 1 else ''}" if parameters else "no arguments"


def _first_validation_message(error: ValidationError, named: dict[str, Json]) -> str:
    complaints = error.errors(include_url=False, include_context=False, include_input=False)
    first = complaints[0]
    where = str(first["loc"][0]) if first["loc"] else "the call"
    match first["type"]:
        case "missing" if len(first["loc"]) == 1:
            return f"needs {where}"
        case "extra_forbidden" if len(first["loc"]) == 1:
            return f"has no parameter {where[:40]}"
    same = [one for one in complaints if one["loc"][:1] == first["loc"][:1]]
    if where in named:
        where = _argument_path(where, first["loc"][1:], named[where])
        said = dict.fromkeys(one["msg"].removeprefix("Value error, ") for one in same)
    else:  # a default that does not fit its own type
        said = {f"default: {first['msg']}": None}
    return f"cannot take this {where}: {'; or '.join(list(said)[:2])[:_MAX_MESSAGE_CHARACTERS]}"


def _argument_path(name: str, location: tuple[int | str, ...], value: Json) -> str:
    """Where in a nested argument the complaint is: `prices[2]`; parts that name an option of a union are left out."""
    where = name
    for part in location:
        if isinstance(value, list) and isinstance(part, int) and part < len(value):
            where, value = f"{where}[{part}]", value[part]
        elif isinstance(value, dict) and part in value:
            where, value = f"{where}[{str(part)[:20]!r}]", value[part]
    return where
