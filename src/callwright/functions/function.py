"""A function that the model may call. Schema, help text and argument checks all come from one Python function."""

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import BaseModel, ValidationError

from callwright.errors import CallError
from callwright.functions.literal import escape_unprintable, is_positional_key, render_call, render_value
from callwright.functions.signature import (
    arguments_schema,
    build_arguments_model,
    check_callable,
    rename_fields,
)
from callwright.records import Call, Json

__all__ = ["Function", "function", "render_call", "render_value", "strict_function"]

DEFAULT_REFUSALS = (ValueError, ArithmeticError)
"""The exceptions that Python and its libraries raise for a value that they cannot use."""

_MAX_MESSAGE_CHARACTERS = 120  # of a validation message


@dataclass(frozen=True)
class Function:
    """A function that the `function` decorator built. Calling it calls the Python function.

    Attributes:
        arguments_model: pydantic model that checks and coerces the arguments.
        stateful: whether the first parameter receives the chain's state.
        parameters: names of the parameters, in order.
        refusals: exceptions, besides CallError, that mean that the call cannot be executed. Any other exception is a
            defect (docs/decisions/0005).
    """

    name: str
    description: str
    python: Callable[..., Any]
    example: dict[str, Json]
    arguments_model: type[BaseModel]
    stateful: bool
    parameters: tuple[str, ...]
    refusals: tuple[type[Exception], ...]
    _schema: dict[str, Json] = field(repr=False)
    _types: dict[str, str] = field(repr=False)  # parameter -> its type in words

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.python(*args, **kwargs)

    def name_arguments(self, call: Call) -> dict[str, Json] | CallError:
        """Name the positional arguments ("0", "1", ...) of a call after their parameters.

        Returns:
            The arguments by name, or a CallError if there are too many or a parameter got two values.
        """
        if call.arguments.keys() <= self._types.keys():  # fast path: hundreds of thousands of calls are executed
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
        """Check and coerce arguments for the Python function.

        Returns:
            The arguments in the order of the signature, or a CallError if they do not fit.
        """
        try:  # the validator itself is faster than model_validate
            return self.arguments_model.__pydantic_validator__.validate_python(named).__dict__  # type: ignore[no-any-return]
        except ValidationError as error:
            return self._misuse_error(_first_validation_message(error, named))

    def _misuse_error(self, problem: str) -> CallError:
        return CallError(
            "bad_arguments", f"{self.name} {escape_unprintable(problem)}; call it like {self.example_call()}"
        )

    def shown(
        self, name: str, description: str | None = None, parameters: Mapping[str, str] | None = None
    ) -> "Function":
        """The same function under another name, with another description or other names of its parameters.

        Args:
            description: None: unchanged.
            parameters: parameter -> its new name; those that are not in it keep theirs.

        Raises:
            ValueError: two parameters would have the same name.
        """
        function = replace(self, name=name, description=description or self.description)
        if not parameters:
            return function
        new_names = {parameter: parameters.get(parameter, parameter) for parameter in self.parameters}
        for new in new_names.values():
            if list(new_names.values()).count(new) > 1:
                raise ValueError(f"{self.name} would have two parameters named {new}")
        old_names = {new: old for old, new in new_names.items()}
        python = self.python

        def call(*state: Any, **arguments: Any) -> Any:
            return python(*state, **{old_names[key]: value for key, value in arguments.items()})

        arguments_model = rename_fields(self.arguments_model, new_names)
        schema, types = arguments_schema(arguments_model, name)
        return replace(
            function,
            python=call,
            example={new_names.get(key, key): value for key, value in self.example.items()},
            arguments_model=arguments_model,
            parameters=tuple(new_names.values()),
            _schema=schema,
            _types=types,
        )

    def example_call(self) -> str:
        """Return the worked example as a call in the text protocol's syntax."""
        return render_call(Call(self.name, self.example))

    def signature(self) -> str:
        """Return `name(parameter, items: list of number, optional=default)`; plain numbers and texts have no type."""
        return f"{self.name}({', '.join(self._format_parameter(name) for name in self.parameters)})"

    def _format_parameter(self, name: str) -> str:
        model_field = self.arguments_model.model_fields[name]
        words = self._types[name]
        parameter = f"{name}: {words}" if words else name
        if model_field.is_required():
            return parameter
        equals = " = " if words else "="
        return f"{parameter}{equals}{render_value(model_field.default)}"

    def schema(self) -> dict[str, Json]:
        """Return the OpenAI tool schema, as a copy that the caller may change."""
        tool = {"name": self.name, "description": self.description, "parameters": copy.deepcopy(self._schema)}
        return {"type": "function", "function": tool}


def function(
    example: dict[str, Json],
    name: str | None = None,
    refusals: tuple[type[Exception], ...] = DEFAULT_REFUSALS,
) -> Callable[[Callable[..., Any]], Function]:
    """Make a typed, documented Python function callable by a model.

    A first parameter named `state` receives the chain's state and is not part of the signature.

    Args:
        example: arguments of the worked example that the prompt shows with its result.
        name: what the model calls it; by default the Python name.
        refusals: exceptions, besides CallError, that mean "this call cannot be executed"; the model sees the message.

    Raises:
        TypeError: a model could not call the function, or the example does not fit; the message is one line.
    """

    def decorate(python: Callable[..., Any]) -> Function:
        function_name = name or str(getattr(python, "__name__", "this"))
        check_callable(python, function_name)
        description = (inspect.getdoc(python) or "").split("\n")[0].strip()
        if not description:
            raise TypeError(f"{function_name} needs a docstring: the model reads its first line")
        arguments_model, stateful = build_arguments_model(python, function_name)
        schema, types = arguments_schema(arguments_model, function_name)
        built = Function(
            name=function_name,
            description=description,
            python=python,
            example=example,
            arguments_model=arguments_model,
            stateful=stateful,
            parameters=tuple(arguments_model.model_fields),
            refusals=refusals,
            _schema=schema,
            _types=types,
        )
        bound = built.bind(example)
        if isinstance(bound, CallError):
            raise TypeError(f"{function_name}: the example does not fit: {bound.message}")
        return built

    return decorate


def strict_function(example: dict[str, Json], name: str | None = None) -> Callable[[Callable[..., Any]], Function]:
    """Like `function`, for a Python function whose only refusal is CallError. Any other exception is a defect."""
    return function(example, name, refusals=())


def _format_argument_count(parameters: int) -> str:
    return f"{parameters} argument{'s' if parameters != 1 else ''}" if parameters else "no arguments"


def _first_validation_message(error: ValidationError, named: dict[str, Json]) -> str:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    first = details[0]
    where = str(first["loc"][0]) if first["loc"] else "the call"
    match first["type"]:
        case "missing" if len(first["loc"]) == 1:
            return f"needs {where}"
        case "extra_forbidden" if len(first["loc"]) == 1:
            return f"has no parameter {where[:40]}"
    if where in named:
        same_argument = [detail for detail in details if detail["loc"][:1] == first["loc"][:1]]
        messages = dict.fromkeys(detail["msg"].removeprefix("Value error, ") for detail in same_argument)
        where = _argument_path(where, first["loc"][1:], named[where])
    else:  # the default does not fit the parameter's type
        messages = {f"default: {first['msg']}": None}
    return f"cannot take this {where}: {'; or '.join(list(messages)[:2])[:_MAX_MESSAGE_CHARACTERS]}"


def _argument_path(name: str, location: tuple[int | str, ...], value: Json) -> str:
    """Return the position of an error in a nested argument, such as `prices[2]`, without the options of a union."""
    path = name
    for part in location:
        if isinstance(value, list) and isinstance(part, int) and part < len(value):
            path, value = f"{path}[{part}]", value[part]
        elif isinstance(value, dict) and part in value:
            path, value = f"{path}[{str(part)[:20]!r}]", value[part]
    return path
