"""Print chains, trees and pairs on a terminal, with colours if it is one. Control characters in text are escaped."""

from typing import TYPE_CHECKING

from callwright.preferences.tree import Node
from callwright.records import Chain, Pair, Problem, Step, Verdict
from callwright.reporting.transcripts import message_text
from callwright.text import escape_controls, one_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

_INDENT = 5


class TranscriptPrinter:
    """Prints a chain step by step, a tree with its values, or a pair. Numbers the steps that it has printed."""

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.console import Console

        self._console = console or Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
        self._steps = 0

    def print_header(self, chain: Chain) -> None:
        """Print the chain's id, model, protocol and outcome."""
        self._print(one_line(f"{chain.id}  ({chain.model}, {chain.protocol}, {chain.outcome})"))

    def print_step(self, step: Step) -> None:
        """Print the next step: its thought, its call, and its result or error."""
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

    def print_answer(self, chain: Chain) -> None:
        """Print the answer, or why there is none."""
        outcome = chain.outcome.replace("_", " ")
        answer = chain.answer if chain.answer is not None else f"none ({outcome})"
        self._print(one_line(f"answer: {answer}"), "bold")

    def print_verdict(self, verdict: Verdict) -> None:
        """Print whether the chain is correct, and its faults."""
        self._print("correct" if verdict.correct else "not correct", "green" if verdict.correct else "red")
        for fault in verdict.faults:
            self._print(one_line(f"  step {fault.step + 1}: {fault.fault}: {fault.message}"))

    def print_problem(self, problem: Problem) -> None:
        """Print the question and the right answer."""
        self._print(one_line(f"{problem.id}  ({problem.task}, {problem.split})"))
        self._print(problem.question, "bold")
        self._print(one_line(f"answer: {problem.answer}"))

    def print_tree(self, root: Node, title: str) -> None:
        """Print the chains of a problem as a tree: each step's value, correct chains of all chains, and its call."""
        from rich.tree import Tree

        tree = Tree(_styled_text(f"{root.value:.2f}  {root.correct}/{root.count}  {title}"))
        _add_children(tree, root)
        self._console.print(tree, soft_wrap=False)  # so a long label wraps within its branch

    def print_pair_line(self, pair: Pair) -> None:
        """Print a pair's id, kind and margin."""
        self._print(one_line(f"pair {pair.id}  ({pair.kind}, margin {pair.margin:g})"))

    def print_pair(self, pair: Pair) -> None:
        """Print a pair: the prompt, the chosen and the rejected messages."""
        self.print_pair_line(pair)
        for title, messages, style in (
            ("prompt", pair.prompt, "dim"),
            ("chosen", pair.chosen, "green"),
            ("rejected", pair.rejected, "red"),
        ):
            self._print(f"--- {title}", "bold")
            for message in messages:
                message_style = style if message["role"] == "assistant" or title == "prompt" else "dim"
                text = f"{message['role']}: {message_text(message)}"
                self._print(text.replace("\n", "\n" + " " * _INDENT), message_style)

    def _print(self, text: str, style: str = "") -> None:
        self._console.print(_styled_text(text, style))


def _add_children(branch: "Tree", node: Node) -> None:
    """Add the children of a node, the child with the highest value first."""
    from callwright.functions.function import render_call

    for _, child in sorted(node.children.items(), key=lambda item: (-item[1].value, item[0])):
        assert child.step is not None
        call_text = render_call(child.step.call) if child.step.call else child.step.thought
        result_text = f"Error: {child.step.error.message}" if child.step.error else str(child.step.observation)
        style = "green" if child.correct == child.count else "red" if not child.correct else ""
        text = f"{child.value:.2f}  {child.correct}/{child.count}  {call_text} -> {result_text}"
        _add_children(branch.add(_styled_text(text, style)), child)


def _styled_text(text: str, style: str = "") -> "Text":
    from rich.text import Text

    return Text(escape_controls(text), style=style)
