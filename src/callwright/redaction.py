"""Remove secrets from text of servers, libraries and exceptions.

It hides what looks like a secret (`sk-...`, `Bearer ...`, passwords in addresses, key-like query parameters) and the
values of environment variables whose names suggest a secret. Secrets of other forms, and parts of secrets, are not
recognized. Every pattern is linear in the length of the text.
"""

import os
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from urllib.parse import quote

from callwright.text import escape_controls

REDACTED = "***"
_SCAN_FACTOR = 20  # scan this many times the shown length, as hiding secrets and blanks shortens the text
_MIN_SECRET_LENGTH = 6  # characters: a shorter value, such as "any", would hide ordinary words

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
    """Text in which secrets are replaced by three asterisks.

    >>> redacted("https://ann:pw@host/v1?api-version=2&key=abc refused sk-planted-123")
    'https://***@host/v1?api-version=2&key=*** refused ***'

    Args:
        secrets: further values to hide, such as a key that was read from a variable of any name.
    """
    for secret in sorted({*_environment_secrets(os.environ), *secrets}, key=len, reverse=True):
        if len(secret) >= _MIN_SECRET_LENGTH:
            text = text.replace(secret, REDACTED).replace(quote(secret, safe=""), REDACTED)
    return redacted_by_pattern(text)


def redacted_by_pattern(text: str) -> str:
    """Text without what looks like a secret, whatever the environment holds."""
    text = _BEARER.sub(rf"\1 {REDACTED}", text)
    text = _HEADER.sub(rf"\1\2{REDACTED}", text)
    text = _QUERY_PARAMETER.sub(_hide_parameter, text)
    if "://" in text and "@" in text:
        text = _ADDRESS.sub(_hide_userinfo, text)
    return _VENDOR_KEY.sub(REDACTED, text)


def redacted_line(text: str, max_characters: int, secrets: Iterable[str] = ()) -> str:
    """Text from outside as one bounded line that can be shown: redacted, without control characters.

    Args:
        most: characters.
    """
    words = text[: _SCAN_FACTOR * max_characters].split()
    if len(text) > _SCAN_FACTOR * max_characters:
        words = words[:-1] or words  # the last word may be part of a secret, which would not be recognized
    line = escape_controls(redacted(" ".join(words), secrets))
    return line if len(line) <= max_characters else line[: max_characters - 1] + "…"


@lru_cache(maxsize=1024)
def names_secret(name: str) -> bool:
    """Whether a query parameter or an environment variable of this name holds a secret.

    >>> [name for name in ("api-version", "api-key", "subscriptionKey", "sig", "HF_TOKEN") if names_secret(name)]
    ['api-key', 'subscriptionKey', 'sig', 'HF_TOKEN']
    """
    words = [word.lower() for piece in _NON_ALPHANUMERIC.split(name) for word in _CAMEL_CASE_BOUNDARY.split(piece)]
    return any(_SECRET_WORD.fullmatch(word) or word.endswith(_SECRET_SUFFIXES) for word in words)


def _environment_secrets(environment: Mapping[str, str]) -> set[str]:
    return {value for name, value in environment.items() if name not in _NOT_SECRET_VARIABLES and names_secret(name)}


def _hide_parameter(match: re.Match[str]) -> str:
    start, name, value = match.groups()
    return f"{start}{name}={REDACTED if names_secret(name) else value}"


def _hide_userinfo(match: re.Match[str]) -> str:
    """Hide `user:password@` in every address of one word, also if the password holds a slash."""
    before_address, *addresses = match.group().split("://")
    return "://".join([before_address, *map(_hide_userinfo_in_address, addresses)])


def _hide_userinfo_in_address(address: str) -> str:
    """Hide all up to the last @ of the host in an address, which is given without its `http://`."""
    host = re.split(r"[/?#]", address, maxsplit=1)[0]
    if "@" in host:
        return f"{REDACTED}@{host.rpartition('@')[2]}{address[len(host) :]}"
    _, colon, port = host.partition(":")
    if colon and "@" in address and not port.isdigit():  # a password with a slash in it, and no port
        return f"{REDACTED}@{address.rpartition('@')[2]}"
    return address
