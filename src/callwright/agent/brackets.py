"""Find the closing bracket in one pass. The search skips quoted text and ends at a call's maximum length."""

import re

from callwright.agent.syntax import CURLY, EXAMPLE, STRING, syntax_fault
from callwright.functions.guard import MAX_CALL_CHARACTERS, MAX_DEPTH

_TOKEN = re.compile(rf"""{STRING}|{CURLY}|(?P<open>[(\[{{])|(?P<close>[)\]}}])|(?P<quote>["'])""")


def end_of_brackets(text: str, start: int, begin: int | None = None) -> int:
    """The index after the bracket that closes the one at `start`.

    Args:
        begin: where the call begins, its name included; by default at the bracket.

    Raises:
        CallError: it is not closed, or lies more than MAX_CALL_CHARACTERS after `begin` or MAX_DEPTH deep.
    """
    begin = start if begin is None else begin
    limit = begin + MAX_CALL_CHARACTERS
    subject = text[begin:start].strip()[:40] or "the JSON"
    level = 0
    for token in _TOKEN.finditer(text, start, limit + 1):  # a quote that the limit cuts looks unclosed
        if token.end() > limit:
            syntax_fault(f"the call is longer than {MAX_CALL_CHARACTERS} characters")
        if token["quote"]:
            if len(text) > limit and "\n" not in text[token.end() : limit]:
                syntax_fault(
                    f"the call is longer than {MAX_CALL_CHARACTERS} characters, or a quote in it is not closed"
                )
            syntax_fault(f"a quote in the call of {subject} is not closed; {EXAMPLE}")
        level += bool(token["open"]) - bool(token["close"])
        if level > MAX_DEPTH:
            syntax_fault(f"brackets are nested deeper than {MAX_DEPTH}")
        if level == 0 and token["close"]:
            return token.end()
    if len(text) > limit:
        syntax_fault(
            f"the call is longer than {MAX_CALL_CHARACTERS} characters, or a bracket of {subject} is not closed"
        )
    return syntax_fault(f"the closing bracket of {subject} is missing; {EXAMPLE}")
