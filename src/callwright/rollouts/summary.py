"""The end of a rollout: publish its chains in the plan's order, report, and stop after too many failures."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from callwright.errors import ProviderError
from callwright.params import BudgetParams, Prices
from callwright.progress import track
from callwright.records import Chain, Usage
from callwright.reports.rollout import ModelRollout
from callwright.rollouts.budget import BudgetError, cost
from callwright.rollouts.grade import grade_attempts
from callwright.rollouts.journal import JournalEntry, find_entry
from callwright.rollouts.plan import Attempt
from callwright.rollouts.sample import Failure, RolloutResult
from callwright.storage.journal import Journal
from callwright.storage.jsonl import write
from callwright.surprises import Surprise, SurpriseLog
from callwright.tasks import Tasks


@dataclass(slots=True)
class _Tally:
    """Sums over chains, which are added one at a time."""

    usage: Usage = field(default_factory=Usage)
    steps: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    chains: Counter[str] = field(default_factory=Counter)  # by task
    right: Counter[str] = field(default_factory=Counter)  # by task
    ungraded: int = 0  # chains whose grader raised an unexpected error
    request_s: "array[float]" = field(default_factory=lambda: array("f"))

    def add(self, attempt: Attempt, entry: JournalEntry, right: bool | Surprise, surprises: SurpriseLog) -> None:
        """Add a chain and its grade. A grader that raised an unexpected error is counted as a surprise."""
        self.usage += entry.chain.usage
        self.steps += len(entry.chain.steps)
        self.outcomes[entry.chain.outcome] += 1
        self.chains[attempt.problem.task] += 1
        if isinstance(right, Surprise):
            surprises.add(right, attempt.id)
            self.ungraded += 1
        else:
            self.right[attempt.problem.task] += right
        self.request_s.extend(entry.request_s)


def publish(
    path: Path,
    attempts: Sequence[Attempt],
    tasks: Tasks,
    journal: Journal[JournalEntry],
    result: RolloutResult,
    prices: Prices | None = None,
    surprises: SurpriseLog | None = None,
) -> ModelRollout:
    """Write all chains of a plan to a file, or none, and report on them.

    Tokens, cost and latency are those of the published chains, whichever run made them. So a resumed rollout reports
    the same as an uninterrupted one. Latency is the seconds that a chain waits for a reply.

    Args:
        tasks: those of the attempts.
        result: how the run of the plan ended.
        surprises: counts graders that raise; their chains are published, and count as not right.

    Raises:
        DataError: the file cannot be written.
    """
    tally, log = _Tally(), surprises or SurpriseLog("rollout")

    def chains() -> Iterator[Chain]:
        finished = ((attempt, entry) for attempt in attempts if (entry := find_entry(attempt, journal)))
        graded = grade_attempts(finished, tasks)
        for attempt, entry, right in track(graded, "grades", len(attempts), "chains"):
            tally.add(attempt, entry, right, log)
            yield entry.chain

    count = write(path, chains())
    return ModelRollout(
        attempts=len(attempts),
        chains=count,
        failures=len(result.failures),
        failure_reasons=dict(sorted(Counter(failure.reason for failure in result.failures).items())),
        not_run=result.not_run,
        ungraded=tally.ungraded,
        answered_right=_share(tally.right.total(), count),
        accuracy={task: _share(tally.right[task], number) for task, number in sorted(tally.chains.items())},
        outcomes=dict(sorted(tally.outcomes.items())),
        steps=tally.steps,
        prompt_tokens=tally.usage.prompt_tokens,
        cached_tokens=tally.usage.cached_tokens,
        completion_tokens=tally.usage.completion_tokens,
        cost=round(cost(tally.usage, prices), 4) if prices else None,
        latency_s=_percentiles(tally.request_s),
    )


def _share(part: int, total: int) -> float:
    return round(part / total, 4) if total else 0.0


def _percentiles(seconds: "array[float]") -> dict[str, float]:
    """Nearest-rank percentiles of request latencies; empty without requests."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    return {f"p{share}": round(ordered[max(0, -(-share * len(ordered) // 100) - 1)], 3) for share in (50, 95)}


def raise_if_too_many_failures(failures: Sequence[Failure], attempts: int, limit: float) -> None:
    """Raise if too many attempts failed.

    Args:
        attempts: number of all attempts.
        limit: the largest share of the attempts that may fail.

    Raises:
        ProviderError: names the count, the limit and the most common reason.
    """
    if failures and len(failures) > limit * attempts:
        most_common, count = Counter(failure.reason for failure in failures).most_common(1)[0]
        example = next(failure.message or failure.reason for failure in failures if failure.reason == most_common)
        raise ProviderError(
            f"{len(failures):,} of {attempts:,} attempts failed (limit {limit:.0%}); {count:,} times: {example}; "
            f"finished attempts are kept in the journal"
        )


def check_budget_used_up(name: str, result: RolloutResult, attempts: int, budget: BudgetParams) -> str | None:
    """Stop if the budget is used up, unless `on_budget` is `publish`.

    Args:
        attempts: number of all attempts.

    Returns:
        The line to print if `on_budget` is `publish`; None if all attempts were run.

    Raises:
        BudgetError: the budget is used up, and `on_budget` is `stop`.
    """
    if result.limit_reached is None or not result.not_run:
        return None
    done = attempts - result.not_run - len(result.failures)
    line = f"{name}: the budget is used up ({result.limit_reached}) with {done:,} of {attempts:,} attempts done"
    if budget.on_budget == "publish":
        return f"{line}; they are published (rollout.budget.on_budget: publish)"
    raise BudgetError(
        f"{line}; they are kept in the journal: run again to spend as much once more, raise the limit, or set "
        "rollout.budget.on_budget: publish to continue with them"
    )
