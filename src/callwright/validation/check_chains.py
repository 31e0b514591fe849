"""Replay and judge many chains. Needs no model."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from itertools import tee

from callwright.errors import CallwrightError
from callwright.execution.map_shards import map_shards
from callwright.execution.shards import ChainShard, chain_shards
from callwright.records import Chain, Problem, Verdict
from callwright.surprises import UNEXPECTED, Surprise, surprise_of
from callwright.tasks import Tasks
from callwright.tasks.task import Task
from callwright.validation.replay import check_chain

CHAINS_PER_SHARD = 256


def check_chains(
    chains: Iterable[Chain], problems: Mapping[str, Problem], tasks: Tasks, workers: int | None = None
) -> Iterator[tuple[Chain, Verdict | Surprise]]:
    """Each chain with its verdict, in order.

    Args:
        problems: the chains' problems, by id.
        tasks: worker processes load them by their modules.
        workers: number of processes; by default one per core, if they are worth their start.

    Returns:
        Instead of a verdict, the unexpected exception that checking the chain raised.

    Raises:
        DataError: a worker was killed.
    """
    to_check, to_return = tee(chains)
    shards = chain_shards(to_check, problems, CHAINS_PER_SHARD)
    results = map_shards(partial(check_shard, tasks), shards, workers=workers)
    verdicts = (verdict for shard_verdicts in results for verdict in shard_verdicts)
    yield from zip(to_return, verdicts, strict=True)


def check_shard(tasks: Tasks, shard: ChainShard[Chain]) -> list[Verdict | Surprise]:
    """The verdict on each chain of a shard, in order; see `check_chains`."""
    problems = {problem.id: problem for problem in shard.problems}
    chains = ((chain, problems[chain.problem_id]) for chain in shard.chains)
    return [verdict_or_surprise(chain, problem, tasks[problem.task]) for chain, problem in chains]


def verdict_or_surprise(chain: Chain, problem: Problem, task: Task) -> Verdict | Surprise:
    """The verdict on a chain, or the unexpected exception that checking it raised."""
    try:
        return check_chain(chain, problem, task).verdict
    except CallwrightError:
        raise
    except UNEXPECTED as error:
        return surprise_of(error)
