"""Chains, trees and pairs on a terminal: colours where it is one, and nothing in a model's text that could drive it."""

from typing import TYPE_CHECKING

from callwright.preferences.tree import Node
from callwright.records import Chain, Pair, Problem, Step, Verdict
from callwright.reporting.transcripts import message_text
from callwright.text import escape_controls, one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

__all__ = ["TranscriptPrinter"]

_INDENT = 5


class TranscriptPrinter:
    """Writes a chain step by step, a tree with its values, or a pair."""

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console

        self._console = console or Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._steps = 0

    def header(self, chain: Chain) -> None:
        """Which chain it is, of which model, and how it ended."""
        self._print(one_line(f"{chain.id}  ({chain.model}, {chain.protocol}, {chain.outcome})"))

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
                self._print(number + text.replace("\n", "\n" + " " * _INDENT), style)
                number = " " * _INDENT

    def answer(self, chain: Chain) -> None:
        """The last line: the answer, or why there is none."""
        ended = chain.outcome.replace("_", " ")
        answer = chain.answer if chain.answer is not None else f"none ({ended})"
        self._print(one_line(f"answer: {answer}"), "bold")

    def verdict(self, verdict: Verdict) -> None:
        """Whether the chain is correct, and its faults."""
        self._print("correct" if verdict.correct else "not correct", "green" if verdict.correct else "red")
        for fault in verdict.faults:
            self._print(one_line(f"  step {fault.step + 1}: {fault.fault}: {fault.message}"))

    def problem(self, problem: Problem) -> None:
        """The question, and what is right."""
        self._print(one_line(f"{problem.id}  ({problem.task}, {problem.split})"))
        self._print(problem.question, "bold")
        self._print(one_line(f"answer: {problem.answer}"))

    def tree(self, root: Node, title: str) -> None:
        """The chains of a problem as a tree: each step's value, how many chains of how many are correct, its call."""
        from rich.tree import Tree

        shown = Tree(_styled_text(f"{root.value:.2f}  {root.correct}/{root.count}  {title}"))
        _add_children(shown, root)
        self._console.print(shown, soft_wrap=False)  # a label that wraps stays within its branch

    def pair_line(self, pair: Pair) -> None:
        """A pair in one line."""
        self._print(one_line(f"pair {pair.id}  ({pair.kind}, margin {pair.margin:g})"))

    def pair(self, pair: Pair) -> None:
        """What was asked, and the two ways on."""
        self.pair_line(pair)
        for title, messages, style in (
            ("prompt", pair.prompt, "dim"),
            ("chosen", pair.chosen, "green"),
            ("rejected", pair.rejected, "red"),
        ):
            self._print(f"--- {title}", "bold")
            for message in messages:
                said = style if message["role"] == "assistant" or title == "prompt" else "dim"
                self._print(f"{message['role']}: {message_text(message)}".replace("\n", "\n" + " " * _INDENT), said)

    def _print(self, text: str, style: str = "") -> None:
        self._console.print(_styled_text(text, style))


def _add_children(branch: "Tree", node: Node) -> None:
    """The children of a node, the best first."""
    from callwright.functions.function import render_call

    for _, child in sorted(node.children.items(), key=lambda row: (-row[1].value, row[0])):
        assert child.step is not None
        said = render_call(child.step.call) if child.step.call else child.step.thought
        came = f"Error: {child.step.error.message}" if child.step.error else str(child.step.observation)
        style = "green" if child.correct == child.count else "red" if not child.correct else ""
        text = f"{child.value:.2f}  {child.correct}/{child.count}  {said} -> {came}"
        _add_children(branch.add(_styled_text(text, style)), child)


def _styled_text(text: str, style: str = "") -> "Text":
    from rich.text import Text

    return Text(escape_controls(text), style=style)
