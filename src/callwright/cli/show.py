"""`callwright show`: stored chains, trees and pairs by their ids."""

from collections.abc import Iterator

from callwright import paths
from callwright.cli.transcript import TranscriptPrinter
from callwright.errors import DataError
from callwright.params import Params
from callwright.preferences.tree import tree_of
from callwright.records import SPLITS, Chain, CheckedChain, Pair, Problem
from callwright.storage.jsonl import read
from callwright.tasks import load


def show_chain(chain_id: str) -> None:
    """Print a chain step by step, with its verdict where it has one.

    Raises:
        DataError: no file has it.
    """
    transcript = TranscriptPrinter()
    for chain, checked in _find_stored_chains(chain_id):
        transcript.header(chain)
        for step in chain.steps:
            transcript.step(step)
        transcript.answer(chain)
        if checked is not None:
            transcript.verdict(checked.verdict)
        return
    raise DataError(f"no chain {chain_id} in {paths.VALIDATED}, {paths.EVALUATION} or data/chains")


def _find_stored_chains(chain_id: str) -> Iterator[tuple[Chain, CheckedChain | None]]:
    for path in [paths.VALIDATED, *sorted(paths.EVALUATION.glob("*.jsonl"))]:
        if path.is_file():
            for record in read(CheckedChain, path):
                if record.chain.id == chain_id:
                    yield record.chain, record
    for path in (paths.TEACHER_CHAINS, paths.STUDENT_CHAINS):
        if path.is_file():
            yield from ((chain, None) for chain in read(Chain, path) if chain.id == chain_id)


def show_problem(problem_id: str) -> None:
    """Print a problem, the tree of its validated chains with values, and the pairs that were made of it.

    Raises:
        DataError: there is no such problem, or no chain of it.
    """
    params = Params.load()
    tasks = load(params.functions)
    files = [path for split in SPLITS if (path := paths.problems(split)).is_file()]
    problem = next((one for path in files for one in read(Problem, path) if one.id == problem_id), None)
    if problem is None:
        raise DataError(f"no problem {problem_id} in {paths.PROBLEMS}")
    records = [record for record in read(CheckedChain, paths.VALIDATED) if record.chain.problem_id == problem_id]
    if not records:
        raise DataError(f"no chain of problem {problem_id} in {paths.VALIDATED}")
    transcript = TranscriptPrinter()
    transcript.problem(problem)
    for protocol in sorted({record.chain.protocol for record in records}, reverse=True):
        own = [record for record in records if record.chain.protocol == protocol]
        tree = tree_of(own, tasks[problem.task].toolbox, params.pairs.cost_weight)
        transcript.tree(tree, f"{len(own)} {protocol} chains")
    for pair in _read_pairs():
        if pair.problem_id == problem_id:
            transcript.pair_line(pair)


def show_pair(pair_id: str) -> None:
    """Print a pair: the prompt, what is chosen, and what is rejected.

    Raises:
        DataError: no file has it.
    """
    for pair in _read_pairs():
        if pair.id == pair_id:
            TranscriptPrinter().pair(pair)
            return
    raise DataError(f"no pair {pair_id} in {paths.PAIRS_TRAIN} or {paths.PAIRS_DEV}")


def _read_pairs() -> Iterator[Pair]:
    for path in (paths.PAIRS_TRAIN, paths.PAIRS_DEV):
        if path.is_file():
            yield from read(Pair, path)
