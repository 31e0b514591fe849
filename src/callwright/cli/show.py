"""`callwright show`: print stored chains, trees and pairs by their ids."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from callwright import paths
from callwright.errors import DataError
from callwright.params import Params
from callwright.preferences.tree import Node, tree_of
from callwright.records import SPLITS, Chain, CheckedChain, Pair, Problem, Step, Verdict
from callwright.reporting.transcripts import message_text
from callwright.storage.jsonl import read
from callwright.tasks import load_tasks
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
        """Print the chain's id, model, protocol, outcome, and its view if it is not the plain one."""
        view = f", view {chain.view}" if chain.view else ""
        self._print(one_line(f"{chain.id}  ({chain.model}, {chain.protocol}, {chain.outcome}{view})"))

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


def show_chain(chain_id: str) -> None:
    """Print a chain step by step, and its verdict if it has been checked.

    Raises:
        DataError: no file contains this chain.
    """
    chain, verdict = _find_chain(chain_id)
    printer = TranscriptPrinter()
    printer.print_header(chain)
    for step in chain.steps:
        printer.print_step(step)
    printer.print_answer(chain)
    if verdict is not None:
        printer.print_verdict(verdict)


def _find_chain(chain_id: str) -> tuple[Chain, Verdict | None]:
    # Files with verdicts come first. variants.jsonl, which is beside the evaluated chains, holds problems.
    for path in [paths.VALIDATED, *sorted(paths.EVALUATION.glob("*.jsonl"))]:
        if path.is_file() and path != paths.VARIANTS:
            for checked in read(CheckedChain, path):
                if checked.chain.id == chain_id:
                    return checked.chain, checked.verdict
    for path in (paths.TEACHER_CHAINS, paths.STUDENT_CHAINS):
        if path.is_file():
            for chain in read(Chain, path):
                if chain.id == chain_id:
                    return chain, None
    raise DataError(f"no chain {chain_id} in {paths.VALIDATED}, {paths.EVALUATION} or data/chains")


def show_problem(problem_id: str) -> None:
    """Print a problem, the tree of its validated chains with values, and its preference pairs.

    Raises:
        DataError: there is no such problem, or it has no validated chain.
    """
    params = Params.load()
    tasks = load_tasks(params.functions)
    files = [path for split in SPLITS if (path := paths.problems(split)).is_file()]
    all_problems = (problem for path in files for problem in read(Problem, path))
    problem = next((problem for problem in all_problems if problem.id == problem_id), None)
    if problem is None:
        raise DataError(f"no problem {problem_id} in {paths.PROBLEMS}")
    chains = [checked for checked in read(CheckedChain, paths.VALIDATED) if checked.chain.problem_id == problem_id]
    if not chains:
        raise DataError(f"no chain of problem {problem_id} in {paths.VALIDATED}")
    printer = TranscriptPrinter()
    printer.print_problem(problem)
    for protocol in sorted({checked.chain.protocol for checked in chains}, reverse=True):
        protocol_chains = [checked for checked in chains if checked.chain.protocol == protocol]
        tree = tree_of(protocol_chains, tasks[problem.task].toolbox, params.pairs.cost_weight)
        printer.print_tree(tree, f"{len(protocol_chains)} {protocol} chains")
    for pair in _read_pairs():
        if pair.problem_id == problem_id:
            printer.print_pair_line(pair)


def show_pair(pair_id: str) -> None:
    """Print a pair: the prompt, the chosen and the rejected side.

    Raises:
        DataError: no file contains this pair.
    """
    for pair in _read_pairs():
        if pair.id == pair_id:
            TranscriptPrinter().print_pair(pair)
            return
    raise DataError(f"no pair {pair_id} in {paths.PAIRS_TRAIN} or {paths.PAIRS_DEV}")


def _read_pairs() -> Iterator[Pair]:
    for path in (paths.PAIRS_TRAIN, paths.PAIRS_DEV):
        if path.is_file():
            yield from read(Pair, path)
