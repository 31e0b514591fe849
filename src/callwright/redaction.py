"""Remove secrets from text of servers, libraries and exceptions.

Redaction hides text that looks like a secret (`sk-...`, `Bearer ...`, passwords in addresses, key-like query
parameters) and the values of environment variables whose names suggest a secret. It does not recognize secrets of other
forms, or parts of secrets. Every pattern takes time linear in the length of the text.
"""

import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote

from callwright.text import escape_controls

REDACTED = "***"
_SCAN_FACTOR = 20  # scan this many times the shown length, as redaction and joining blanks shorten the text
_MIN_SECRET_LENGTH = 6  # characters; hiding a shorter value, such as "any", would hide ordinary words

# Words in names of query parameters and environment variables. params/address.py has its own, narrower list.
_SECRET_WORD = re.compile(
    r"(?:key|keys|token|secret|password|passwd|passphrase|pwd|pass|sig|signature|credential|credentials|auth"
    r"|authorization|bearer|code|sas|jwt)"
)
_SECRET_SUFFIXES = ("key", "token", "secret", "password", "passwd", "passphrase", "signature", "credentials")
_NOT_SECRET_VARIABLES = ("PWD", "OLDPWD", "SSH_AUTH_SOCK")
_CAMEL_CASE_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_NON_ALPHANUMERIC = re.compile(r"[^A-Za-z0-9]+")

_VENDOR_KEY = re.compile(
    r"(?<![\w-])(?:(?:sk|pk)-[\w*-]{4,}|(?:hf|gsk|ghp|gho|ghu|ghs|ghr|glpat|nvapi|xai|xox[abp]|github_pat|csk|r8)[_-][\w*-]{12,}"
    r"|AIza[\w-]{16,}|AKIA[A-Z0-9]{12,}|eyJ[\w-]{16,}(?:\.[\w-]*){0,2})"
)
_BEARER = re.compile(r"\b(bearer)[ \t]+[^\s\"',;)\]}]{4,}", re.IGNORECASE)
_HEADER = re.compile(
    r"\b(authorization|proxy-authorization|x-api-key|api-key|api_key|apikey)([\"']?[ \t]{0,8}[:=][ \t]{0,8}[\"']?)"
    r"(?:(?:bearer|basic)[ \t]+)?[^\s\"',;&)\]}]+",
    re.IGNORECASE,
)
_QUERY_PARAMETER = re.compile(r"([?&;])([\w.%-]{1,60})=([^\s&;\"'#<>]+)")
_ADDRESS = re.compile(r"\S+")


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Replace secrets by three asterisks.

    >>> redacted("https://ann:pw@host/v1?api-version=2&key=abc refused sk-planted-123")
    'https://***@host/v1?api-version=2&key=*** refused ***'

    Args:
        secrets: more values to hide, such as a key from a variable whose name does not suggest a secret.
    """
    for secret in sorted({*_environment_secrets(os.environ), *secrets}, key=len, reverse=True):
        if len(secret) >= _MIN_SECRET_LENGTH:
            text = text.replace(secret, REDACTED).replace(quote(secret, safe=""), REDACTED)
    return redacted_by_pattern(text)


def redacted_by_pattern(text: str) -> str:
    """Redact by pattern only; values of the environment are not used."""
    text = _BEARER.sub(rf"\1 {REDACTED}", text)
    text = _HEADER.sub(rf"\1\2{REDACTED}", text)
    text = _QUERY_PARAMETER.sub(_hide_parameter, text)
    if "://" in text and "@" in text:
        text = _ADDRESS.sub(_hide_userinfo, text)
    return _VENDOR_KEY.sub(REDACTED, text)


def redacted_line(text: str, max_characters: int, secrets: Iterable[str] = ()) -> str:
    """Untrusted text as one line that is safe to print: redacted, with control characters escaped.

    Args:
        max_characters: of the result; a longer text ends with an ellipsis.
        secrets: more values to hide, as in `redacted`.
    """
    words = text[: _SCAN_FACTOR * max_characters].split()
    if len(text) > _SCAN_FACTOR * max_characters:
        words = words[:-1] or words  # the last word can be part of a secret, which would not be recognized
    line = escape_controls(redacted(" ".join(words), secrets))
    return line if len(line) <= max_characters else line[: max_characters - 1] + "…"


@lru_cache(maxsize=1024)
def names_secret(name: str) -> bool:
    """Whether the name of a query parameter or environment variable suggests a secret.

    >>> [name for name in ("api-version", "api-key", "subscriptionKey", "sig", "HF_TOKEN") if names_secret(name)]
    ['api-key', 'subscriptionKey', 'sig', 'HF_TOKEN']
    """
    words = [word.lower() for piece in _NON_ALPHANUMERIC.split(name) for word in _CAMEL_CASE_BOUNDARY.split(piece)]
    return any(_SECRET_WORD.fullmatch(word) or word.endswith(_SECRET_SUFFIXES) for word in words)


def _environment_secrets(environment: Mapping[str, str]) -> set[str]:
    return {value for name, value in environment.items() if name not in _NOT_SECRET_VARIABLES and names_secret(name)}


def _hide_parameter(match: re.Match[str]) -> str:
    separator, name, value = match.groups()
    return f"{separator}{name}={REDACTED if names_secret(name) else value}"


def _hide_userinfo(match: re.Match[str]) -> str:
    """Hide `user:password@` in every address of one word, even if the password contains a slash."""
    before_address, *addresses = match.group().split("://")
    return "://".join([before_address, *map(_hide_userinfo_in_address, addresses)])


def _hide_userinfo_in_address(address: str) -> str:
    """Hide everything up to the last @ of the host.

    Args:
        address: without its `http://`.
    """
    host = re.split(r"[/?#]", address, maxsplit=1)[0]
    if "@" in host:
        return f"{REDACTED}@{host.rpartition('@')[2]}{address[len(host) :]}"
    _, colon, port = host.partition(":")
    if (
        colon and "@" in address and not port.isdigit()
    ):  # the colon is before a password with a slash, not before a port
        return f"{REDACTED}@{address.rpartition('@')[2]}"
    return address
