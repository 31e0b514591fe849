"""Preference pairs from the forks of a problem's tree: sibling steps of different value."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain

from callwright.agent.conversation import make_pair
from callwright.execution.map_shards import map_shards
from callwright.execution.shards import ChainShard, chunks_of
from callwright.params import PairsParams
from callwright.preferences.balance import balance_pairs, drop_duplicate_pairs, has_answer_call, limit_pairs, pair_kind
from callwright.preferences.strategies import strategies_of
from callwright.preferences.tree import MARGIN_TOLERANCE, tree_of, walk
from callwright.progress import track
from callwright.records import CheckedChain, Pair, Problem
from callwright.reports.pairs import SplitPairs
from callwright.tasks import Tasks
from callwright.tasks.task import Task

CHAINS_PER_SHARD = 1024  # about 0.1 s


def pairs_from_forks(
    records: Iterable[CheckedChain],
    problems: Mapping[str, Problem],
    tasks: Tasks,
    params: PairsParams,
    workers: int | None = 1,
) -> tuple[list[Pair], SplitPairs]:
    """Preference pairs of all problems, ordered by the problems' ids, and a report.

    `params.mode` says what is paired: sibling steps, whole chains, or both (see `strategies`). Of each problem at most
    `max_per_problem` pairs are kept (`limit_pairs`), and of all pairs those that `balance_pairs` allows. Each protocol
    has its own tree, because a pair is rendered by the protocol of its chains. Chains of test problems, and of problems
    that are not in `problems`, make no pair.

    Args:
        workers: number of processes; None: one per core, if they are worth their start. They load
            `tasks` by its modules.

    Returns:
        The pairs, and a report about them.
    """
    by_problem: dict[str, list[CheckedChain]] = defaultdict(list)
    for record in records:
        problem = problems.get(record.chain.problem_id)
        if problem is not None and problem.split != "test":
            by_problem[problem.id].append(record)
    pairs: list[Pair] = []
    forks = 0
    make_pairs = partial(pairs_of_shard, tasks, params)
    shards = list(_shards(by_problem, problems))
    results = map_shards(make_pairs, shards, workers=workers)
    for shard_pairs, shard_forks in track(results, "forks", len(shards), "shards"):
        pairs += shard_pairs
        forks += shard_forks
    balanced_pairs = balance_pairs(pairs, problems, params)
    report = SplitPairs(
        problems=len(by_problem),
        forks=forks,
        pairs=len(balanced_pairs),
        kinds=dict(sorted(Counter(pair.kind for pair in balanced_pairs).items())),
        answer_chosen=sum(has_answer_call(pair.chosen) for pair in balanced_pairs),
        answer_rejected=sum(has_answer_call(pair.rejected) for pair in balanced_pairs),
        mean_margin=round(sum(pair.margin for pair in balanced_pairs) / len(balanced_pairs), 4)
        if balanced_pairs
        else 0.0,
    )
    return balanced_pairs, report


def pairs_of_shard(tasks: Tasks, params: PairsParams, shard: ChainShard[CheckedChain]) -> tuple[list[Pair], int]:
    """The pairs of each problem of a shard, in the problems' order, and their number before they were limited.

    A problem's pairs depend on its own chains alone, so all of them have to be in the shard.
    """
    by_problem: dict[str, list[CheckedChain]] = {problem.id: [] for problem in shard.problems}
    for record in shard.chains:
        by_problem[record.chain.problem_id].append(record)
    pairs: list[Pair] = []
    forks = 0
    for problem in shard.problems:
        problem_pairs = _pairs_of_problem(problem, tasks[problem.task], by_problem[problem.id], params)
        forks += len(problem_pairs)
        pairs += limit_pairs(drop_duplicate_pairs(problem_pairs), params.max_per_problem)
    return pairs, forks


def _shards(
    by_problem: Mapping[str, Sequence[CheckedChain]], problems: Mapping[str, Problem]
) -> Iterator[ChainShard[CheckedChain]]:
    """Whole problems in shards, ordered by their ids."""
    for ids in chunks_of(sorted(by_problem), CHAINS_PER_SHARD, size_of=lambda problem_id: len(by_problem[problem_id])):
        yield ChainShard(
            tuple(problems[problem_id] for problem_id in ids),
            tuple(chain.from_iterable(by_problem[problem_id] for problem_id in ids)),
        )


def _pairs_of_problem(problem: Problem, task: Task, records: Sequence[CheckedChain], params: PairsParams) -> list[Pair]:
    """All pairs of a problem, with ids that number them."""
    pairs: list[Pair] = []
    # In reverse, "text" comes before "native"; the ids depend on this order.
    for protocol in sorted({record.chain.protocol for record in records}, reverse=True):
        protocol_records = [record for record in records if record.chain.protocol == protocol]
        for pairs_of in strategies_of(params.mode):
            pairs += pairs_of(problem, task, protocol_records, params)
    return [replace(pair, id=f"{problem.id}#{number}") for number, pair in enumerate(pairs)]


def step_pairs(problem: Problem, task: Task, records: Sequence[CheckedChain], params: PairsParams) -> Iterator[Pair]:
    """At each node, pair the best child that is not a failed step with each sibling that has a lower value.

    The difference of the values, which is the pair's margin, is at least `min_margin`.

    Args:
        records: chains of the problem, all with the same protocol.
    """
    protocol = records[0].chain.protocol
    for path, node in walk(tree_of(records, task.toolbox, params.cost_weight)):
        keys_without_error = [key for key, child in node.children.items() if child.step and child.step.error is None]
        if not keys_without_error:
            continue
        best = node.children[min(keys_without_error, key=lambda key: (-node.children[key].value, key))]
        assert best.step is not None
        for key in sorted(node.children):
            sibling = node.children[key]
            margin = best.value - sibling.value
            if sibling.step is None or margin + MARGIN_TOLERANCE < params.min_margin:
                continue
            kind = pair_kind(best.step, sibling.step, path, task.toolbox, leads_to_correct=sibling.correct > 0)
            sides = (best.step,), (sibling.step,)
            pair = make_pair(problem, task, protocol, path, *sides, margin=margin, kind=kind)
            if pair:
                yield pair
