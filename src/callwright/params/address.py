"""Check the fields of params.yaml that name a model's server and the variable of its key. They must not hold secrets.

params.yaml is committed, its values are printed in error lines, and DVC copies them into dvc.lock.
"""

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, JsonValue
from pydantic_core import PydanticCustomError

from callwright.redaction import redacted_by_pattern

ORACLE = "oracle"  # the base_url of the oracle, which runs in this process and reads the problems' solutions
EMBEDDED = "embedded"  # the student.source of the student that ships with the package
SECRET_ERROR_TYPE = "secret"  # type of validation errors whose messages must not repeat the input
_VARIABLE_NAME = re.compile(r"[A-Z][A-Z0-9_]{0,63}|[A-Za-z_]{1,62}[0-9]{0,2}")  # a key mixes letters and digits
# A host such as sk-node1 looks like a key to redaction, but a label of at most 20 characters is too short for one.
_HOST_LABEL = re.compile(r"(?<=://)[a-z0-9-]{1,20}(?=[.:/]|$)")
# An "@" without user:password before it: in a folder's path, or before an alias as in models:/name@alias
_HARMLESS_AT = re.compile(r"(?:folder:|\.{0,2}/)[^:]*|(?!http)[a-z][a-z0-9+-]*:/[^/:@]+@[\w.-]+", re.IGNORECASE)
_SECRET_IN_ADDRESS = "holds a password or key, which would be printed and copied into dvc.lock: see api_key_env"
_NO_ADDRESS = "should be an address such as http://127.0.0.1:8000/v1"
_RESERVED_FIELDS = ("messages", "model", "tools", "stream", "stream_options", "n")
_CLIENT_ARGUMENTS = ("extra_body", "extra_headers", "extra_query", "headers")
# Whole names and endings only, unlike redaction.py: a request has harmless fields such as max_tokens.
_SECRET_FIELDS = ("key", "token", "bearer")
_SECRET_FIELD_SUFFIXES = ("authorization", "apikey", "accesstoken", "authtoken", "password", "secret")
_KEY_IN_REQUEST = "holds a key, which belongs in the variable of api_key_env"
_MAX_DEPTH = 20  # of lists and mappings in a request's fields


def is_address(text: str) -> bool:
    """Whether a text is meant as the address of a server; it may be malformed."""
    return text.lower().startswith(("http://", "https://"))


def _check_base_url(text: str) -> str:
    """Check what can be checked without knowing the backends, which `open_chat` finds by the text."""
    if is_address(text):
        return _check_address(text)
    if ("@" in text and not _HARMLESS_AT.fullmatch(text)) or redacted_by_pattern(text) != text:
        raise PydanticCustomError(SECRET_ERROR_TYPE, _SECRET_IN_ADDRESS)
    if not text.strip() or text != text.strip() or not text.isprintable():
        raise PydanticCustomError("address", _NO_ADDRESS)
    return text


def _check_address(url: str) -> str:
    without_host_label = _HOST_LABEL.sub("host", url, count=1)
    # Any "@" may follow a password, as a password can contain "/" and "?"; in a path "@" is written %40.
    if "@" in url or redacted_by_pattern(without_host_label) != without_host_label:
        raise PydanticCustomError(SECRET_ERROR_TYPE, _SECRET_IN_ADDRESS)
    try:
        split_url = urlsplit(url)
        usable = split_url.scheme in ("http", "https") and bool(split_url.hostname) and split_url.port != 0
    except ValueError:  # a port out of range, half an IPv6 address
        usable = False
    if not usable or split_url.fragment or not url.isprintable() or " " in url:
        raise PydanticCustomError("address", _NO_ADDRESS)
    return url


def _check_variable(name: str) -> str:
    if not _VARIABLE_NAME.fullmatch(name) or redacted_by_pattern(name) != name:
        message = "should be the name of an environment variable, such as TEACHER_API_KEY, and never the key itself"
        raise PydanticCustomError(SECRET_ERROR_TYPE, message)
    return name


def _check_request(fields: dict[str, JsonValue]) -> dict[str, JsonValue]:
    for name in fields:
        if name in _RESERVED_FIELDS:
            raise PydanticCustomError("request", "{name} is set by Callwright and cannot be changed", {"name": name})
        if name in _CLIENT_ARGUMENTS:
            message = "{name} is not a request field: write the fields of the request's body here, without {name}"
            raise PydanticCustomError("request", message, {"name": name})
    if fields.get("seed") is not None:
        raise PydanticCustomError("request", "seed can only be null: each attempt has its own seed")
    _check_without_secrets(fields, 0)
    return fields


def _check_without_secrets(value: JsonValue, depth: int) -> None:
    """Raise if a field's name or text, at any depth, looks like a secret."""
    if depth > _MAX_DEPTH:
        raise PydanticCustomError("request", "is nested too deeply")
    if isinstance(value, Mapping):
        for name, item in value.items():
            letters = re.sub(r"[^a-z]", "", name.lower())
            if letters in _SECRET_FIELDS or letters.endswith(_SECRET_FIELD_SUFFIXES):
                raise PydanticCustomError(SECRET_ERROR_TYPE, _KEY_IN_REQUEST)
            _check_without_secrets(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_without_secrets(item, depth + 1)
    elif isinstance(value, str) and redacted_by_pattern(value) != value:
        raise PydanticCustomError(SECRET_ERROR_TYPE, _KEY_IN_REQUEST)
    elif isinstance(value, float) and not math.isfinite(value):
        raise PydanticCustomError("request", "holds a number that JSON cannot hold")


BaseUrl = Annotated[str, AfterValidator(_check_base_url)]  # an address, or what another backend goes by
KeyVariable = Annotated[str, AfterValidator(_check_variable)]
RequestFields = Annotated[dict[str, JsonValue], AfterValidator(_check_request)]


def may_hold_secret(error: Mapping[str, Any]) -> bool:
    """Whether a validation error's input may hold a secret, and must not be repeated."""
    return bool(error["type"] == SECRET_ERROR_TYPE)
