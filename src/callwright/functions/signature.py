"""Turn a Python function's signature into an argument model, a JSON schema and types in words."""

import copy
import inspect
import keyword
import re
import warnings
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

from pydantic import BaseModel, ConfigDict, PydanticUserError, create_model

from callwright.functions.literal import MAX_NAME_CHARACTERS
from callwright.functions.numbers import TYPE_IN_WORDS
from callwright.records import Json

STATE_PARAMETER = "state"  # name of a first parameter that receives the chain's state
_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)
_RESERVED_PREFIXES = ("_", "model_")  # reserved by pydantic
_SUPPORTED = "numbers, text, booleans, None, lists, dicts, Literal, Enum, and unions of these"
_DATA_KEYS = ("default", "enum", "const", "examples")  # keys of a JSON schema whose values are data
_PLAIN_TYPES = ("number", "integer", "text")  # a worked example shows these well enough
_TYPE_WORDS = {"number": "number", "integer": "integer", "string": "text", "boolean": "True or False", "null": "None"}


def check_callable(python: Any, name: str) -> None:
    """Check that a model can call a Python object under a name.

    Raises:
        TypeError: the object is not a plain function, or the name cannot be written in a call.
    """
    if not inspect.isfunction(python):
        raise TypeError(f"{name}: @function needs a plain Python function, not a {type(python).__name__}")
    if inspect.iscoroutinefunction(python) or inspect.isasyncgenfunction(python):
        raise TypeError(f"{name} is async; a model calls plain functions: remove async")
    if inspect.isgeneratorfunction(python):
        raise TypeError(f"{name} is a generator; return a list instead of yielding")
    parts = name.split(".")
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME_CHARACTERS or any(part.startswith("__") for part in parts):
        raise TypeError(
            f"{name} cannot be a function's name; use up to {MAX_NAME_CHARACTERS} ASCII letters, digits and _"
        )
    if any(keyword.iskeyword(part) for part in parts):
        raise TypeError(f"{name} is a reserved word of Python and could not be called; use another name")


def build_arguments_model(python: Callable[..., Any], name: str) -> tuple[type[BaseModel], bool]:
    """Build a pydantic model of a function's arguments.

    Returns:
        The model, and whether the first parameter receives the chain's state.

    Raises:
        TypeError: a language model could not give a parameter; the message is one line that names it.
    """
    parameters = dict(inspect.signature(python).parameters)
    stateful = next(iter(parameters), None) == STATE_PARAMETER
    if stateful:
        del parameters[STATE_PARAMETER]
    try:
        hints = get_type_hints(python, include_extras=True)
    except Exception as error:
        raise TypeError(f"{name}: an annotation cannot be resolved: {error}") from None
    fields: dict[str, Any] = {parameter.name: _field(parameter, hints, name) for parameter in parameters.values()}
    config = ConfigDict(
        extra="forbid",
        validate_default=True,
        arbitrary_types_allowed=False,
        protected_namespaces=(),
        coerce_numbers_to_str=True,  # the call markup of many models does not distinguish the number 42 from the text
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a parameter may be called `json` or `copy`
            return create_model(name, __config__=config, **fields), stateful
    except (PydanticUserError, TypeError) as error:
        reason = " ".join(str(error).split("\n")[0].split())[:150]
        raise TypeError(f"{name}: a parameter's type cannot be read from a call ({reason}); use {_SUPPORTED}") from None


def rename_fields(arguments: type[BaseModel], names: Mapping[str, str]) -> type[BaseModel]:
    """The same model with its fields under other names.

    Args:
        names: field -> new name, for every field.
    """
    fields: dict[str, Any] = {
        names[name]: (info.annotation, copy.copy(info)) for name, info in arguments.model_fields.items()
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return create_model(arguments.__name__, __config__=arguments.model_config, **fields)


def _field(parameter: inspect.Parameter, hints: dict[str, Any], name: str) -> tuple[Any, Any]:
    if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
        stars = "*" if parameter.kind is parameter.VAR_POSITIONAL else "**"
        raise TypeError(f"{name}: a model cannot give {stars}{parameter.name}; name each parameter, or take a list")
    if parameter.kind is parameter.POSITIONAL_ONLY:
        raise TypeError(f"{name}: parameter {parameter.name} is positional only; remove the / after it")
    if parameter.name == STATE_PARAMETER:
        raise TypeError(f"{name}: {STATE_PARAMETER} must be the first parameter; it receives the chain's state")
    if parameter.name.startswith(_RESERVED_PREFIXES) or not parameter.name.isascii():
        raise TypeError(f"{name}: parameter {parameter.name} has a reserved name; use another name")
    if parameter.name not in hints:
        raise TypeError(f"{name}: parameter {parameter.name} needs a type annotation")
    return hints[parameter.name], ... if parameter.default is parameter.empty else parameter.default


def arguments_schema(arguments: type[BaseModel], name: str) -> tuple[dict[str, Json], dict[str, str]]:
    """Make the JSON schema of a function's arguments, and the type of each parameter in words (see `type_in_words`).

    The schema has the form of OpenAI tools: no titles, no references, and without Callwright's own key TYPE_IN_WORDS.

    Raises:
        TypeError: a parameter's type has no JSON schema, or is a class.
    """
    try:
        schema = arguments.model_json_schema()
    except PydanticUserError as error:
        reason = str(error).split("\n", maxsplit=1)[0][:150]
        raise TypeError(f"{name}: a parameter's type has no JSON schema ({reason}); use {_SUPPORTED}") from None
    definitions = schema.pop("$defs", {})
    parameters = {
        parameter: _inline_definitions(sub_schema, definitions, f"{name}: parameter {parameter}")
        for parameter, sub_schema in schema.get("properties", {}).items()
    }
    schema["properties"] = {parameter: _without_type_words(sub_schema) for parameter, sub_schema in parameters.items()}
    schema.setdefault("required", [])
    for unwanted in ("title", "description"):
        schema.pop(unwanted, None)
    return schema, {parameter: type_in_words(sub_schema) for parameter, sub_schema in parameters.items()}


def _inline_definitions(schema: Any, definitions: dict[str, Any], where: str) -> Any:
    """Remove titles from a schema, and replace references by the definitions of the enums."""
    if isinstance(schema, list):
        return [_inline_definitions(item, definitions, where) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        if "enum" not in target and "const" not in target:
            raise TypeError(f"{where} is a class, which a call cannot carry; use {_SUPPORTED}")
        enum = {key: value for key, value in target.items() if key != "description"}
        schema = {**enum, **{key: value for key, value in schema.items() if key != "$ref"}}
    return {
        key: value if key in _DATA_KEYS else _inline_definitions(value, definitions, where)
        for key, value in schema.items()
        if key != "title"
    }


def _without_type_words(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_without_type_words(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value if key in _DATA_KEYS else _without_type_words(value)
        for key, value in schema.items()
        if key != TYPE_IN_WORDS
    }


def type_in_words(schema: dict[str, Json]) -> str:
    """Describe a parameter's type for the prompt; empty for plain numbers and texts, which the example shows.

    >>> type_in_words({"type": "array", "items": {"type": "string"}})
    'list of text'
    >>> type_in_words({"type": "integer"})
    ''
    """
    words = _describe_type(schema)
    return "" if words in _PLAIN_TYPES else words


def _describe_type(schema: Any) -> str:
    match schema:
        case {**keys} if TYPE_IN_WORDS in keys:
            return str(keys[TYPE_IN_WORDS])
        case {"enum": [*options]}:
            return " or ".join(repr(option) for option in options)
        case {"const": option}:
            return repr(option)
        case {"anyOf": [*options]}:
            return " or ".join(dict.fromkeys(_describe_type(option) for option in options))
        case {"type": "array", **rest}:
            items = _describe_type(rest.get("items"))
            return f"list of {items}" if items else "list"
        case {"type": "object", **rest}:
            values = _describe_type(rest.get("additionalProperties"))
            return f"dict of {values}" if values else "dict"
        case {"type": str(kind)}:
            return _TYPE_WORDS.get(kind, "")
        case _:
            return ""
