"""The kind of a pair, and limits on how many pairs of each kind, problem and task are kept."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from callwright.agent.loop import ends_chain
from callwright.agent.parsing.parse import parse_call
from callwright.functions.toolbox import ANSWER, Toolbox
from callwright.params import PairsParams
from callwright.preferences.tree import step_key
from callwright.records import Call, Pair, Problem, Step
from callwright.validation.execution import execute_again, returned_texts


def pair_kind(best: Step, rejected: Step, path: Sequence[Step], toolbox: Toolbox, *, leads_to_correct: bool) -> str:
    """The kind of a pair that prefers `best` to `rejected` after the steps of `path`.

    Args:
        leads_to_correct: whether a correct chain goes through `rejected`.

    Returns:
        The fault of a failed step (one of `STEP_FAULTS`), or one of:
        `repeated_call`: the call is in `path` already;
        `ungrounded_answer`, `wrong_answer`: an answer that no call of `path` returned, or that one returned;
        `needless_call`: a call where `best` answers;
        `detour`, `wrong_call`: another call, through which a correct chain goes, or none does.
    """
    if rejected.error:
        return rejected.error.fault
    if step_key(rejected, toolbox) in {step_key(earlier, toolbox) for earlier in path}:
        return "repeated_call"
    if ends_chain(rejected):
        grounded = rejected.observation in set(returned_texts(path, execute_again(path, toolbox).values))
        return "wrong_answer" if grounded else "ungrounded_answer"
    if ends_chain(best):
        return "needless_call"
    return "detour" if leads_to_correct else "wrong_call"


def limit_pairs(pairs: Sequence[Pair], limit: int) -> list[Pair]:
    """At most `limit` pairs of one problem, in their order in `pairs`.

    First the pair with the widest margin of each kind is kept, then the second of each kind, and so on.
    """
    by_margin = sorted(pairs, key=lambda pair: (-pair.margin, pair.id))
    kind_counts: Counter[str] = Counter()
    ranked: list[tuple[int, float, str]] = []
    for pair in by_margin:
        ranked.append((kind_counts[pair.kind], -pair.margin, pair.id))
        kind_counts[pair.kind] += 1
    kept_ids = {pair_id for *_, pair_id in sorted(ranked)[:limit]}
    return [pair for pair in pairs if pair.id in kept_ids]


def drop_duplicate_pairs(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of one problem without duplicates; the first is kept.

    With `mode: both`, chains of one step make the same pair as a fork.
    """
    # Messages are dicts, which are not hashable. A problem has few pairs, so a list is quick enough.
    return [pair for index, pair in enumerate(pairs) if _content(pair) not in map(_content, pairs[:index])]


def balance_pairs(pairs: Sequence[Pair], problems: Mapping[str, Problem], params: PairsParams) -> list[Pair]:
    """The pairs that meet all limits together.

    No task and no kind makes up more than its share of all pairs. If any pair chooses `answer`, `answer` is not
    rejected more often than chosen: a model that sees it rejected most of the time learns not to answer
    (docs/decisions/0004). A hash of the ids decides which pairs are dropped, so the order does not matter.
    """
    remaining = list(pairs)
    while True:  # repeat until no limit drops a pair, because a drop by one limit can make another limit apply
        fewer = _limit_group_share(remaining, lambda pair: problems[pair.problem_id].task, params.max_task_share)
        fewer = _limit_rejected_answers(_limit_group_share(fewer, lambda pair: pair.kind, params.max_kind_share))
        if len(fewer) == len(remaining):
            return fewer
        remaining = fewer


def has_answer_call(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the model calls `answer` in one of these messages."""
    return any(_is_answer_call(message) for message in messages if message["role"] == "assistant")


def _limit_group_share(pairs: list[Pair], group_of: Callable[[Pair], str], max_share: float) -> list[Pair]:
    """Drop the excess of the largest group if its share is above `max_share`; a single group is kept whole."""
    counts = Counter(group_of(pair) for pair in pairs)
    for group, count in counts.most_common(1):  # max_share is at least a half, so only one group can exceed it
        others = len(pairs) - count
        limit = int(max_share / (1 - max_share) * others) if max_share < 1 else count
        if others and count > limit:
            return _drop_excess([pair for pair in pairs if group_of(pair) == group], limit, pairs)
    return pairs


def _limit_rejected_answers(pairs: list[Pair]) -> list[Pair]:
    chosen_count = sum(has_answer_call(pair.chosen) for pair in pairs)
    rejecting_pairs = [pair for pair in pairs if has_answer_call(pair.rejected) and not has_answer_call(pair.chosen)]
    return _drop_excess(rejecting_pairs, chosen_count, pairs) if chosen_count else pairs


def _drop_excess(group: Sequence[Pair], limit: int, pairs: Sequence[Pair]) -> list[Pair]:
    """Keep at most `limit` pairs of the group, and all others."""
    dropped_ids = {pair.id for pair in sorted(group, key=lambda pair: (_hash(pair.id), pair.id))[limit:]}
    return [pair for pair in pairs if pair.id not in dropped_ids]


def _content(pair: Pair) -> tuple[Any, ...]:
    return pair.prompt, pair.chosen, pair.rejected, pair.tools


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _is_answer_call(message: Mapping[str, Any]) -> bool:
    if calls := message.get("tool_calls"):
        return any(call["function"]["name"] == ANSWER for call in calls)
    call = parse_call(str(message["content"]))
    return isinstance(call, Call) and call.name == ANSWER
