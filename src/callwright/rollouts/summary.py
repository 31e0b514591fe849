"""What a rollout came to: chains published in the plan's order, the usage report, and when it may not go on."""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callwright.errors import ProviderError
from callwright.params import BudgetParams, Prices
from callwright.records import Chain, Usage
from callwright.rollouts.budget import BudgetError, cost
from callwright.rollouts.journal import JournalEntry, find_entry
from callwright.rollouts.plan import Attempt
from callwright.rollouts.progress import answered_right
from callwright.rollouts.sample import Failure, RolloutResult
from callwright.storage.journal import Journal
from callwright.storage.jsonl import write
from callwright.surprises import SurpriseLog, surprise_of


@dataclass(slots=True)
class _Tally:
    """Sums over chains that pass by, one at a time."""

    usage: Usage = field(default_factory=Usage)
    steps: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    chains: Counter[str] = field(default_factory=Counter)  # by task
    right: Counter[str] = field(default_factory=Counter)  # by task
    ungraded: int = 0  # chains whose grader raised an unexpected error
    request_s: "array[float]" = field(default_factory=lambda: array("f"))

    def add(self, attempt: Attempt, record: JournalEntry, surprises: SurpriseLog) -> None:
        self.usage += record.chain.usage
        self.steps += len(record.chain.steps)
        self.outcomes[record.chain.outcome] += 1
        self.chains[attempt.problem.task] += 1
        try:
            self.right[attempt.problem.task] += answered_right(attempt, record.chain)
        except Exception as error:
            surprises.add(surprise_of(error), attempt.id)
            self.ungraded += 1
        self.request_s.extend(record.request_s)


def journaled_chains(attempts: Sequence[Attempt], journal: Journal[JournalEntry]) -> Iterator[Chain]:
    """The chains that the journal has of a plan, in the plan's order, one at a time."""
    return (record.chain for attempt in attempts if (record := find_entry(attempt, journal)))


def publish(
    path: Path,
    attempts: Sequence[Attempt],
    journal: Journal[JournalEntry],
    rolled: RolloutResult,
    prices: Prices | None = None,
    surprises: SurpriseLog | None = None,
) -> dict[str, Any]:
    """Write a plan's chains, all or nothing, and report what they came to.

    Tokens, cost and latency are those of the published chains, whichever run made them; so a resumed rollout reports
    what an undisturbed one does. Latency is what a chain waits for a reply, in seconds.

    Args:
        surprises: counts graders that raise; their chains are published, and count as not right.
    """
    tally, log = _Tally(), surprises or SurpriseLog("rollout")

    def chains() -> Iterator[Chain]:
        for attempt in attempts:
            if record := find_entry(attempt, journal):
                tally.add(attempt, record, log)
                yield record.chain

    count = write(path, chains())
    return {
        "attempts": len(attempts),
        "chains": count,
        "failures": len(rolled.failures),
        "failure_reasons": dict(sorted(Counter(failure.reason for failure in rolled.failures).items())),
        "unmade": rolled.unmade,
        "ungraded": tally.ungraded,
        "answered_right": _share(tally.right.total(), count),
        "accuracy": {task: _share(tally.right[task], number) for task, number in sorted(tally.chains.items())},
        "outcomes": dict(sorted(tally.outcomes.items())),
        "steps": tally.steps,
        "prompt_tokens": tally.usage.prompt_tokens,
        "cached_tokens": tally.usage.cached_tokens,
        "completion_tokens": tally.usage.completion_tokens,
        "cost": round(cost(tally.usage, prices), 4) if prices else None,
        "latency_s": _percentiles(tally.request_s),
    }


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


def _percentiles(seconds: "array[float]") -> dict[str, float]:
    """Nearest-rank percentiles of request latencies."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    return {f"p{share}": round(ordered[max(0, -(-share * len(ordered) // 100) - 1)], 3) for share in (50, 95)}


def raise_if_too_many_failures(failures: Sequence[Failure], attempts: int, limit: float) -> None:
    """Stop when more than a share of the attempts failed.

    Raises:
        ProviderError: names the count, the limit and the commonest reason.
    """
    if failures and len(failures) > limit * attempts:
        commonest, count = Counter(failure.reason for failure in failures).most_common(1)[0]
        example = next(failure.message or failure.reason for failure in failures if failure.reason == commonest)
        raise ProviderError(
            f"{len(failures):,} of {attempts:,} attempts failed (limit {limit:.0%}); {count:,} times: {example}; "
            f"finished attempts are kept in the journal"
        )


def check_budget_used_up(name: str, rolled: RolloutResult, attempts: int, budget: BudgetParams) -> str | None:
    """Stop at a budget that was used up, or say how far the rollout came if `on_budget` lets it go on.

    Returns:
        The line to print; None when everything was made.

    Raises:
        BudgetError: `on_budget` is `stop`.
    """
    if rolled.reached is None or not rolled.unmade:
        return None
    done = attempts - rolled.unmade - len(rolled.failures)
    line = f"{name}: the budget is used up ({rolled.reached}) with {done:,} of {attempts:,} attempts done"
    if budget.on_budget == "publish":
        return f"{line}; they are published (rollout.budget.on_budget: publish)"
    raise BudgetError(
        f"{line}; they are kept in the journal: run again to spend as much once more, raise the limit, or set "
        "rollout.budget.on_budget: publish to go on with them"
    )
