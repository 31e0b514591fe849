"""Pairs of whole chains of one problem: the best chain against worse ones."""

from collections.abc import Iterator, Sequence

from callwright.agent.conversation import make_pair
from callwright.functions.toolbox import Toolbox
from callwright.params import PairsParams
from callwright.preferences.balance import pair_kind
from callwright.preferences.tree import MARGIN_TOLERANCE, score_chains, step_key
from callwright.records import Chain, CheckedChain, Pair, Problem
from callwright.tasks.task import Task


def chain_pairs(problem: Problem, task: Task, records: Sequence[CheckedChain], params: PairsParams) -> Iterator[Pair]:
    """Pair the best correct chain without a failed step with each chain whose score is at least `min_margin` lower.

    Chains with the same calls count once. The prompt is the question; a side holds all replies of a chain with the
    results between them, which only the loss mask distinguishes. The kind says what is wrong with the first step that
    differs; it is `no_answer` if the rejected chain is a prefix of the best one.

    Args:
        records: chains of the problem, all with the same protocol.
    """
    toolbox = task.toolbox
    chain_by_calls: dict[tuple[str, ...], tuple[CheckedChain, float]] = {}
    for record, score in score_chains(records, params.cost_weight):
        keys = tuple(step_key(step, toolbox) for step in record.chain.steps)
        chain_by_calls.setdefault(keys, (record, score))
    distinct_chains = [chain_by_calls[keys] for keys in sorted(chain_by_calls)]
    correct_chains = [
        (score, record.chain)
        for record, score in distinct_chains
        if record.verdict.correct and not _has_failed_step(record.chain)
    ]
    if not correct_chains:
        return
    best_score, best = max(correct_chains, key=lambda scored: scored[0])  # the first of equal ones
    for rejected_record, score in distinct_chains:
        if best_score - score + MARGIN_TOLERANCE < params.min_margin:
            continue
        kind = _kind(best, rejected_record, toolbox)
        sides = best.steps, rejected_record.chain.steps
        pair = make_pair(problem, task, best.protocol, (), *sides, margin=best_score - score, kind=kind)
        if pair:
            yield pair


def _kind(best: Chain, rejected: CheckedChain, toolbox: Toolbox) -> str:
    for step_index, (better, worse) in enumerate(zip(best.steps, rejected.chain.steps, strict=False)):
        if step_key(better, toolbox) != step_key(worse, toolbox):
            path = best.steps[:step_index]
            return pair_kind(better, worse, path, toolbox, leads_to_correct=rejected.verdict.correct)
    return "no_answer"


def _has_failed_step(chain: Chain) -> bool:
    return any(step.error is not None for step in chain.steps)
