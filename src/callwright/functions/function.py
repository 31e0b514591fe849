"""A function the model may call: schema, help text and argument checks, all from one Python function."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, ValidationError, create_model

from callwright.errors import CallError
from callwright.functions.numbers import format_number
from callwright.records import Call, Json

_FRACTION = re.compile(r"-?(0|[1-9][0-9]*)/(0|[1-9][0-9]*)")  # as the parser reads it without quotes


@dataclass(frozen=True)
class Function:
    """Built by the `function` decorator; calling it calls the Python function."""

    name: str
    description: str
    python: Callable[..., Any]
    example: dict[str, Json]
    arguments: type[BaseModel]
    stateful: bool

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.python(*args, **kwargs)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters, in order."""
        return tuple(self.arguments.model_fields)

    def name_arguments(self, call: Call) -> dict[str, Json] | CallError:
        """The call's arguments by name: positional ones ("0", "1", ...) get their parameter's name."""
        named: dict[str, Json] = {}
        for key, value in call.arguments.items():
            name = key
            if key.isdigit():
                if int(key) >= len(self.parameters):
                    return self._misuse(f"takes {len(self.parameters)} arguments")
                name = self.parameters[int(key)]
            if name in named:
                return self._misuse(f"got {name} twice")
            named[name] = value
        return named

    def bind(self, named: dict[str, Json]) -> dict[str, Any] | CallError:
        """Checked and coerced arguments, ready for the Python function, in the signature's order."""
        try:
            checked = self.arguments.__pydantic_validator__.validate_python(named)
        except ValidationError as error:
            return self._misuse(_first_complaint(error))
        return {name: getattr(checked, name) for name in self.parameters}

    def _misuse(self, complaint: str) -> CallError:
        return CallError("bad_arguments", f"{self.name} {complaint}; call it like {self.usage()}")

    def usage(self) -> str:
        """The worked example as a call in the text protocol's syntax."""
        return render_call(Call(self.name, self.example))

    def signature(self) -> str:
        """`name(parameter, optional=default)`."""
        parts = [
            name if field.is_required() else f"{name}={render_value(field.default)}"
            for name, field in self.arguments.model_fields.items()
        ]
        return f"{self.name}({', '.join(parts)})"

    def schema(self) -> dict[str, Json]:
        """The OpenAI tool schema."""
        parameters = self.arguments.model_json_schema()
        parameters.pop("title", None)
        for field in parameters.get("properties", {}).values():
            field.pop("title", None)
        return {
            "type": "function",
            "function": {"name": self.name, "description": self.description, "parameters": parameters},
        }


def function(example: dict[str, Json], name: str | None = None) -> Callable[[Callable[..., Any]], Function]:
    """Make a typed, documented Python function callable by a model.

    A first parameter named `state` receives the chain's own state and is not part of the signature.

    Args:
        example: arguments of the worked example that the prompt shows with its result.
        name: what the model calls it; by default the Python name.

    Raises:
        TypeError: the function lacks a docstring or an annotation, or the example does not fit.
    """

    def decorate(python: Callable[..., Any]) -> Function:
        called = name or python.__name__
        description = (inspect.getdoc(python) or "").split("\n")[0]
        if not description:
            raise TypeError(f"{called} needs a docstring: its first line is what the model reads")
        hints = get_type_hints(python, include_extras=True)
        fields: dict[str, Any] = {}
        parameters = dict(inspect.signature(python).parameters)
        stateful = parameters.pop("state", None) is not None
        for parameter in parameters.values():
            if parameter.name not in hints:
                raise TypeError(f"{called}: parameter {parameter.name} needs a type annotation")
            default = ... if parameter.default is parameter.empty else parameter.default
            fields[parameter.name] = (hints[parameter.name], default)
        arguments = create_model(called, __config__=ConfigDict(extra="forbid", strict=False), **fields)
        built = Function(called, description, python, example, arguments, stateful)
        bound = built.bind(example)
        if isinstance(bound, CallError):
            raise TypeError(f"{called}: the example does not fit: {bound.message}")
        return built

    return decorate


def render_value(value: Any) -> str:
    """A literal in the text protocol's syntax; exact numbers as `format_number` shows them, p/q without quotes."""
    if isinstance(value, Fraction):
        return format_number(value)
    if isinstance(value, str) and _FRACTION.fullmatch(value):
        return value
    if isinstance(value, list):
        return f"[{', '.join(render_value(item) for item in value)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {render_value(item)}" for key, item in value.items()) + "}"
    return repr(value)


def render_call(call: Call) -> str:
    """A call in the text protocol's syntax.

    >>> render_call(Call("add", {"a": 2, "b": 0.5}))
    'add(a=2, b=0.5)'
    """
    parts = [
        render_value(value) if key.isdigit() else f"{key}={render_value(value)}"
        for key, value in call.arguments.items()
    ]
    return f"{call.name}({', '.join(parts)})"


def _first_complaint(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = str(first["loc"][0]) if first["loc"] else "the call"
    match first["type"]:
        case "missing":
            return f"needs {where}"
        case "extra_forbidden":
            return f"has no parameter {where[:40]}"
        case _:
            return f"cannot take this {where}: {first['msg'].removeprefix('Value error, ')[:120]}"
