"""Where a decision was really made: sibling steps of different value become preference pairs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from callwright.agent.protocol import PROTOCOLS
from callwright.params import PairsParams
from callwright.preferences.balance import balance_pairs, distinct, has_answer_call, limit_pairs
from callwright.preferences.chain_pairs import chain_pairs
from callwright.preferences.pair_kind import pair_kind
from callwright.preferences.tree import MARGIN_TOLERANCE, tree_of, walk
from callwright.records import CheckedChain, Pair, Problem
from callwright.tasks import TASKS


def pairs_from_forks(
    records: Iterable[CheckedChain], problems: Mapping[str, Problem], params: PairsParams
) -> tuple[list[Pair], dict[str, Any]]:
    """Preference pairs of all problems, in the order of their ids, and a report of their mix.

    `mode` says what is paired: sibling steps (`step_pairs`), whole chains (`chain_pairs`), or both. Of a problem's
    pairs, equal ones counted once, at most `max_per_problem` are kept (distinct kinds first, then wide margins); of
    tasks, kinds and answers what `balanced` allows. Chains of the two protocols make trees of their own: a pair reads
    as its chains did. Chains of test problems, and of problems that are not given, make no pair.
    """
    by_problem: dict[str, list[CheckedChain]] = defaultdict(list)
    for record in records:
        problem = problems.get(record.chain.problem_id)
        if problem is not None and problem.split != "test":
            by_problem[problem.id].append(record)
    pairs: list[Pair] = []
    forks = 0
    for problem_id in sorted(by_problem):
        found = _pairs_of_problem(problems[problem_id], by_problem[problem_id], params)
        forks += len(found)
        pairs += limit_pairs(distinct(found), params.max_per_problem)
    kept = balance_pairs(pairs, problems, params)
    report = {
        "problems": len(by_problem),
        "forks": forks,
        "pairs": len(kept),
        "kinds": dict(sorted(Counter(pair.kind for pair in kept).items())),
        "answer_chosen": sum(has_answer_call(pair.chosen) for pair in kept),
        "answer_rejected": sum(has_answer_call(pair.rejected) for pair in kept),
        "mean_margin": round(sum(pair.margin for pair in kept) / len(kept), 4) if kept else 0.0,
    }
    return kept, report


def _pairs_of_problem(problem: Problem, records: Sequence[CheckedChain], params: PairsParams) -> list[Pair]:
    """All pairs of a problem, numbered."""
    pairs: list[Pair] = []
    for protocol in sorted({record.chain.protocol for record in records}, reverse=True):
        own = [record for record in records if record.chain.protocol == protocol]
        if params.mode != "chain":
            pairs += step_pairs(problem, own, params)
        if params.mode != "step":
            pairs += chain_pairs(problem, own, params)
    return [replace(pair, id=f"{problem.id}#{number}") for number, pair in enumerate(pairs)]


def step_pairs(problem: Problem, records: Sequence[CheckedChain], params: PairsParams) -> Iterator[Pair]:
    """At every node the best child that is no failed step, paired with each sibling worth at least `min_margin` less.

    Args:
        records: chains of the problem, all by one protocol.
    """
    task, protocol = TASKS[problem.task], PROTOCOLS[records[0].chain.protocol]
    for path, node in walk(tree_of(records, task.toolbox, params.cost_weight)):
        sound = [key for key, child in node.children.items() if child.step is not None and child.step.error is None]
        if not sound:
            continue
        best = node.children[min(sound, key=lambda key: (-node.children[key].value, key))]
        assert best.step is not None
        messages, tools = protocol.render(task, problem.question, path)
        for key in sorted(node.children):
            other = node.children[key]
            margin = best.value - other.value
            if other.step is None or margin + MARGIN_TOLERANCE < params.min_margin:
                continue
            chosen, rejected = (protocol.reply_message(step, len(path)) for step in (best.step, other.step))
            if chosen == rejected:  # a reply that was cut off right after its call
                continue
            yield Pair(
                id=problem.id,
                problem_id=problem.id,
                prompt=tuple(messages),
                chosen=(chosen,),
                rejected=(rejected,),
                tools=tuple(tools),
                margin=round(margin, 6),
                kind=pair_kind(best.step, other.step, path, task.toolbox, right=other.correct > 0),
            )
