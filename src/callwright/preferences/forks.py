"""Where a decision was really made: sibling steps of different value become preference pairs."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from callwright.agent.loop import ends_chain
from callwright.agent.protocol import PROTOCOLS
from callwright.functions.toolbox import ANSWER
from callwright.params import PairsParams
from callwright.preferences.tree import Node, step_key, tree_of, walk
from callwright.records import CheckedChain, Pair, Problem, Protocol, Step
from callwright.tasks import TASKS

ROUNDING = 1e-9  # margins are sums of floats


def pairs_from_forks(
    records: Iterable[CheckedChain], problems: Mapping[str, Problem], params: PairsParams
) -> tuple[list[Pair], dict[str, Any]]:
    """Preference pairs of all problems, in the order of their ids, and a report of their mix.

    At every node the best child is paired with each sibling whose value is at least `min_margin` lower. At most
    `max_per_problem` pairs of a problem are kept (distinct kinds first, then wide margins), no kind makes up more than
    `max_kind_share` of all, and `answer` is not rejected more often than chosen, where it is chosen at all: a model
    that sees it rejected most of the time unlearns to answer (docs/decisions/0004). Chains of the two protocols make
    trees of their own: a pair reads as its chains did.
    """
    by_problem: dict[str, list[CheckedChain]] = defaultdict(list)
    for record in records:
        by_problem[record.chain.problem_id].append(record)
    pairs: list[Pair] = []
    forks = 0
    for problem_id in sorted(by_problem):
        found = _pairs_of(problems[problem_id], by_problem[problem_id], params)
        forks += len(found)
        pairs += _most_telling(found, params.max_per_problem)
    balanced = _balance_answers(_balance(pairs, params.max_kind_share))
    report = {
        "problems": len(by_problem),
        "forks": forks,
        "pairs": len(balanced),
        "kinds": dict(sorted(Counter(pair.kind for pair in balanced).items())),
        "answer_chosen": sum(_is_answer(pair.chosen) for pair in balanced),
        "answer_rejected": sum(_is_answer(pair.rejected) for pair in balanced),
        "mean_margin": round(sum(pair.margin for pair in balanced) / len(balanced), 4) if balanced else 0.0,
    }
    return balanced, report


def _pairs_of(problem: Problem, records: Sequence[CheckedChain], params: PairsParams) -> list[Pair]:
    pairs: list[Pair] = []
    for protocol in sorted({record.chain.protocol for record in records}, reverse=True):
        own = [record for record in records if record.chain.protocol == protocol]
        pairs += _pairs_in(protocol, problem, own, params, len(pairs))
    return pairs


def _pairs_in(
    name: Protocol, problem: Problem, records: Sequence[CheckedChain], params: PairsParams, first: int
) -> list[Pair]:
    """Pairs of one problem's chains by one protocol, numbered from `first`."""
    task, protocol = TASKS[problem.task], PROTOCOLS[name]
    pairs: list[Pair] = []
    for path, node in walk(tree_of(records, task.toolbox, params.cost_weight)):
        best_key = min(node.children, key=lambda key: (-node.children[key].value, key))
        best = node.children[best_key]
        if best.step is None or best.step.error is not None:
            continue
        messages, tools = protocol.render(task, problem.question, path)
        for key in sorted(node.children):
            other = node.children[key]
            margin = best.value - other.value
            if other.step is None or margin + ROUNDING < params.min_margin:
                continue
            chosen, rejected = (protocol.reply_message(step, len(path)) for step in (best.step, other.step))
            if chosen == rejected:  # a reply that was cut off right after its call
                continue
            pairs.append(
                Pair(
                    id=f"{problem.id}#{first + len(pairs)}",
                    problem_id=problem.id,
                    prompt=tuple(messages),
                    chosen=(chosen,),
                    rejected=(rejected,),
                    tools=tuple(tools),
                    margin=round(margin, 6),
                    kind=_kind(best.step, other, path, problem),
                )
            )
    return pairs


def _kind(best: Step, node: Node, path: Sequence[Step], problem: Problem) -> str:
    """What is wrong with the rejected step: a fault, or a call that is wrong, needless, or a detour."""
    toolbox = TASKS[problem.task].toolbox
    step = node.step
    assert step is not None
    if step.error:
        return step.error.fault
    if step_key(step, toolbox) in {step_key(earlier, toolbox) for earlier in path}:
        return "repeated_call"
    if ends_chain(step):
        grounded = step.observation in {earlier.observation for earlier in path}
        return "wrong_answer" if grounded else "ungrounded_answer"
    if ends_chain(best):
        return "needless_call"
    return "detour" if node.correct else "wrong_call"


def _most_telling(pairs: Sequence[Pair], limit: int) -> list[Pair]:
    """At most `limit` pairs, each kind's widest margin first."""
    ranked = sorted(pairs, key=lambda pair: (-pair.margin, pair.id))
    seen: Counter[str] = Counter()
    keyed = []
    for pair in ranked:
        keyed.append((seen[pair.kind], -pair.margin, pair.id, pair))
        seen[pair.kind] += 1
    kept = {pair.id for *_, pair in sorted(keyed, key=lambda row: row[:3])[:limit]}
    return [pair for pair in pairs if pair.id in kept]


def _balance(pairs: Sequence[Pair], max_share: float) -> list[Pair]:
    """Drop pairs of a kind that outweighs the others; which ones is decided by a hash, not by order."""
    counts = Counter(pair.kind for pair in pairs)
    kept = list(pairs)
    for kind, count in counts.most_common(1):  # with shares of a half or more, one kind at most is above
        others = len(pairs) - count
        limit = int(max_share / (1 - max_share) * others) if max_share < 1 else count
        if others and count > limit:
            ranked = sorted((pair for pair in pairs if pair.kind == kind), key=lambda pair: _hash(pair.id))
            dropped = {pair.id for pair in ranked[limit:]}
            kept = [pair for pair in pairs if pair.id not in dropped]
    return kept


def _balance_answers(pairs: Sequence[Pair]) -> list[Pair]:
    """Drop, by a hash, pairs that reject `answer` in excess of those that choose it."""
    chosen = sum(_is_answer(pair.chosen) for pair in pairs)
    against = sorted((_hash(pair.id), pair.id) for pair in pairs if _rejects_answer(pair))
    dropped = {name for _, name in against[chosen:]} if chosen else set()
    return [pair for pair in pairs if pair.id not in dropped]


def _rejects_answer(pair: Pair) -> bool:
    return _is_answer(pair.rejected) and not _is_answer(pair.chosen)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_answer(messages: Sequence[Mapping[str, Any]]) -> bool:
    calls = messages[0].get("tool_calls")
    if calls:
        return bool(calls[0]["function"]["name"] == ANSWER)
    return str(messages[0]["content"]).rpartition("\n")[2].startswith(f"{ANSWER}(")
