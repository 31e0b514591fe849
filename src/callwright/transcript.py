"""Chains as lines on a terminal: colours where it is one, and nothing in a model's text that could drive it."""

from typing import TYPE_CHECKING

from callwright.records import Chain, Step, Verdict

if TYPE_CHECKING:
    from rich.console import Console

_INDENT = 5


def visible(text: str) -> str:
    r"""Text without control characters and marks of writing direction: they show as escapes.

    >>> print(visible("red \x1b[31m, reversed \u202e, line\nbreak"))
    red \x1b[31m, reversed \u202e, line
    break
    """
    return "".join(one if one.isprintable() or one == "\n" else _escape(ord(one)) for one in text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


class Transcript:
    """Writes a chain step by step."""

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console

        self._console = console or Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._steps = 0

    def header(self, chain: Chain) -> None:
        """Which chain it is, of which model, and how it ended."""
        self._say(f"{chain.id}  ({chain.model}, {chain.protocol}, {chain.outcome})")

    def step(self, step: Step) -> None:
        """The next step: its thought, its call, and what came of it."""
        from callwright.functions.function import render_call

        self._steps += 1
        call = render_call(step.call) if step.call else ""
        texts = [(step.thought, "dim" if call else ""), (call, "bold")]
        texts += [(f"Error: {step.error.message}", "red")] if step.error else [(f"Result: {step.observation}", "cyan")]
        number = f"{self._steps:{_INDENT - 2}}. "
        for text, style in texts:
            if text:
                self._say(number + text.replace("\n", "\n" + " " * _INDENT), style)
                number = " " * _INDENT

    def answer(self, chain: Chain) -> None:
        """The last line: the answer, or why there is none."""
        ended = chain.outcome.replace("_", " ")
        self._say(f"answer: {chain.answer}" if chain.answer is not None else f"answer: none ({ended})", "bold")

    def verdict(self, verdict: Verdict) -> None:
        """Whether the chain is correct, and its faults."""
        self._say("correct" if verdict.correct else "not correct", "green" if verdict.correct else "red")
        for fault in verdict.faults:
            self._say(f"  step {fault.step + 1}: {fault.fault}: {fault.message}")

    def _say(self, text: str, style: str = "") -> None:
        from rich.text import Text

        self._console.print(Text(visible(text), style=style))
