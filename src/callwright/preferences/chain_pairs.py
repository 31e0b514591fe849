"""Whole chains against each other: what a problem's best chain says from first step to answer, and what others say."""

from collections.abc import Iterator, Sequence
from typing import Any

from callwright.agent.protocol import PROTOCOLS
from callwright.functions.toolbox import Toolbox
from callwright.params import PairsParams
from callwright.preferences.pair_kind import pair_kind
from callwright.preferences.tree import MARGIN_TOLERANCE, score_chains, step_key
from callwright.records import Chain, CheckedChain, Pair, Problem
from callwright.tasks import TASKS

Messages = tuple[dict[str, Any], ...]


def chain_pairs(problem: Problem, records: Sequence[CheckedChain], params: PairsParams) -> Iterator[Pair]:
    """The best chain without a failed step, paired with each that is worth at least `min_margin` less.

    Chains of the same calls count once. The prompt is the question; a side holds all of a chain's replies with the
    results between them, which only the loss mask tells apart. The kind says what is wrong with the first step that
    differs; `no_answer`, where the rejected chain stops before one does.

    Args:
        records: chains of the problem, all by one protocol.
    """
    toolbox = TASKS[problem.task].toolbox
    first: dict[tuple[str, ...], tuple[CheckedChain, float]] = {}
    for record, score in score_chains(records, params.cost_weight):
        first.setdefault(tuple(step_key(step, toolbox) for step in record.chain.steps), (record, score))
    ordered = [first[keys] for keys in sorted(first)]
    right = [(score, one.chain) for one, score in ordered if one.verdict.correct and not _has_failed_step(one.chain)]
    if not right:
        return
    top, best = max(right, key=lambda row: row[0])  # of equals the first
    for other, score in ordered:
        if top - score + MARGIN_TOLERANCE < params.min_margin:
            continue
        prompt, chosen, tools = _conversation(problem, best)
        _, rejected, _ = _conversation(problem, other.chain)
        if chosen != rejected:
            kind = _kind(best, other, toolbox)
            yield Pair(problem.id, problem.id, prompt, chosen, rejected, tools, round(top - score, 6), kind)


def _kind(best: Chain, other: CheckedChain, toolbox: Toolbox) -> str:
    for place, (better, worse) in enumerate(zip(best.steps, other.chain.steps, strict=False)):
        if step_key(better, toolbox) != step_key(worse, toolbox):
            return pair_kind(better, worse, best.steps[:place], toolbox, right=other.verdict.correct)
    return "no_answer"


def _has_failed_step(chain: Chain) -> bool:
    return any(step.error is not None for step in chain.steps)


def _conversation(problem: Problem, chain: Chain) -> tuple[Messages, Messages, Messages]:
    """The messages that pose the problem, those of the chain up to its last reply, and the tools."""
    render = PROTOCOLS[chain.protocol].render
    task = TASKS[problem.task]
    asked, tools = render(task, problem.question, ())
    all_messages, _ = render(task, problem.question, chain.steps)
    return tuple(asked), tuple(all_messages[len(asked) : -1]), tuple(tools)
