"""The tokens of one reply, from what a server reports: never less than nothing, never more than can be.

A budget rests on these numbers, so a server cannot make them small: a count that is missing beside others, no number,
or far below what the text must take is replaced by an estimate.
"""

import math
from collections.abc import Mapping

from callwright.records import Usage

MOST_TOKENS = 10_000_000  # of one request
_CHARACTERS_PER_TOKEN = 4  # of an estimate
_MOST_CHARACTERS_PER_TOKEN = 32  # on average; a count that claims more of them is not believed
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
        _believable(_count(reported.get(name)), size)
        for name, size in zip(_FIELDS, (prompt_size, reply_size), strict=True)
    )
    details = reported.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, Mapping) else None
    return Usage(prompt, completion, min(cached or 0, prompt))


def _count(value: object) -> int | None:
    """A number of tokens; None for what is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return int(min(value, MOST_TOKENS)) if value >= 0 else None


def _believable(count: int | None, size: int) -> int:
    if count is None or count < size // _MOST_CHARACTERS_PER_TOKEN:
        return min(-(-size // _CHARACTERS_PER_TOKEN), MOST_TOKENS)
    return count
