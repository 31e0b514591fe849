"""`callwright show`: print stored chains, trees and pairs by their ids."""

from collections.abc import Iterator

from callwright import paths
from callwright.cli.transcript import TranscriptPrinter
from callwright.errors import DataError
from callwright.params import Params
from callwright.preferences.tree import tree_of
from callwright.records import SPLITS, Chain, CheckedChain, Pair, Problem, Verdict
from callwright.storage.jsonl import read
from callwright.tasks import load


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
    tasks = load(params.functions)
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
