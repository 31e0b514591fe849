"""Which of the pairs that were found are kept, so that no problem, task or kind outweighs the others."""

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from callwright.agent.parsing.parse import parse_call
from callwright.functions.toolbox import ANSWER
from callwright.params import PairsParams
from callwright.records import Call, Pair, Problem


def limit_pairs(pairs: Sequence[Pair], limit: int) -> list[Pair]:
    """At most `limit` pairs of one problem, each kind's widest margin first."""
    ranked = sorted(pairs, key=lambda pair: (-pair.margin, pair.id))
    seen: Counter[str] = Counter()
    keyed = []
    for pair in ranked:
        keyed.append((seen[pair.kind], -pair.margin, pair.id, pair))
        seen[pair.kind] += 1
    kept = {pair.id for *_, pair in sorted(keyed, key=lambda row: row[:3])[:limit]}
    return [pair for pair in pairs if pair.id in kept]


def distinct(pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs of one problem without those that say the same as an earlier one, as a chain of one step may."""
    return [pair for place, pair in enumerate(pairs) if _content(pair) not in map(_content, pairs[:place])]


def balance_pairs(pairs: Sequence[Pair], problems: Mapping[str, Problem], params: PairsParams) -> list[Pair]:
    """The pairs that all bounds allow together; what one bound drops may bring another into play.

    No task and no kind makes up more than its share of all, and `answer` is not rejected more often than chosen, where
    it is chosen at all: a model that sees it rejected most of the time unlearns to answer (docs/decisions/0004). Which
    pairs go is decided by a hash of their ids, not by order.
    """
    kept = list(pairs)
    while True:
        fewer = _limit_group_share(kept, lambda pair: problems[pair.problem_id].task, params.max_task_share)
        fewer = _limit_rejected_answers(_limit_group_share(fewer, lambda pair: pair.kind, params.max_kind_share))
        if len(fewer) == len(kept):
            return fewer
        kept = fewer


def has_answer_call(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether one of these messages is the model's call of `answer`."""
    return any(_is_answer_call(message) for message in messages if message["role"] == "assistant")


def _limit_group_share(pairs: list[Pair], group: Callable[[Pair], str], max_share: float) -> list[Pair]:
    """Without the excess of a group that outweighs the others; a group that is alone is kept whole."""
    counts = Counter(group(pair) for pair in pairs)
    for name, count in counts.most_common(1):  # with shares of a half or more, one at most is above
        others = len(pairs) - count
        limit = int(max_share / (1 - max_share) * others) if max_share < 1 else count
        if others and count > limit:
            return _drop_excess([pair for pair in pairs if group(pair) == name], limit, pairs)
    return pairs


def _limit_rejected_answers(pairs: list[Pair]) -> list[Pair]:
    chosen = sum(has_answer_call(pair.chosen) for pair in pairs)
    against = [pair for pair in pairs if has_answer_call(pair.rejected) and not has_answer_call(pair.chosen)]
    return _drop_excess(against, chosen, pairs) if chosen else pairs


def _drop_excess(group: Sequence[Pair], limit: int, pairs: Sequence[Pair]) -> list[Pair]:
    """The pairs, `limit` at most of them of the group."""
    dropped = {pair.id for pair in sorted(group, key=lambda pair: (_hash(pair.id), pair.id))[limit:]}
    return [pair for pair in pairs if pair.id not in dropped]


def _content(pair: Pair) -> tuple[Any, ...]:
    return pair.prompt, pair.chosen, pair.rejected, pair.tools


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_answer_call(message: Mapping[str, Any]) -> bool:
    if calls := message.get("tool_calls"):
        return any(call["function"]["name"] == ANSWER for call in calls)
    call = parse_call(str(message["content"]))
    return isinstance(call, Call) and call.name == ANSWER
