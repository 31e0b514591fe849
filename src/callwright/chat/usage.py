"""The tokens of one reply, from a server's report.

Budgets depend on these counts, so they are checked: a negative count, one that is not a number, one that is missing
while others are present, and one far too small for the text are replaced by an estimate; huge counts are capped.
"""

import math
from collections.abc import Mapping

from callwright.records import Usage

MOST_TOKENS = 10_000_000  # of one request
_CHARACTERS_PER_TOKEN = 4  # for estimates
_MOST_CHARACTERS_PER_TOKEN = 32  # on average; a count that implies more is replaced by an estimate
_FIELDS = ("prompt_tokens", "completion_tokens")


def read_usage(usage: object, prompt_size: int, reply_size: int) -> Usage:
    """The tokens of one reply.

    Args:
        usage: as the server sent it.
        prompt_size: characters of the request.
        reply_size: characters of the reply.

    Returns:
        All zero where the server reports nothing.
    """
    if usage is None:
        return Usage()
    reported: Mapping[object, object] = usage if isinstance(usage, Mapping) else {}
    if reported == usage and not any(name in reported for name in _FIELDS):
        return Usage()
    prompt, completion = (
        _count_or_estimate(_count(reported.get(name)), size)
        for name, size in zip(_FIELDS, (prompt_size, reply_size), strict=True)
    )
    details = reported.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return Usage(prompt, completion, min(cached or 0, prompt))


def _count(value: object) -> int | None:
    """A number of tokens; None if the value is not one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return int(min(value, MOST_TOKENS)) if value >= 0 else None


def _count_or_estimate(count: int | None, size: int) -> int:
    if count is None or count < size // _MOST_CHARACTERS_PER_TOKEN:
        return min(-(-size // _CHARACTERS_PER_TOKEN), MOST_TOKENS)
    return count
