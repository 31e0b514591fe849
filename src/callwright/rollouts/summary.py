"""What a rollout came to, and when too much of it was lost."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from callwright.errors import ProviderError
from callwright.records import Chain, Problem
from callwright.rollouts.sample import Failure
from callwright.tasks import TASKS


def summarise(chains: Sequence[Chain], failures: Sequence[Failure], problems: Mapping[str, Problem]) -> dict[str, Any]:
    """Attempts, share answered right, steps and tokens of one model's rollout."""
    right = sum(
        chain.answer is not None
        and TASKS[problems[chain.problem_id].task].grade(problems[chain.problem_id], chain.answer) == "right"
        for chain in chains
    )
    return {
        "attempts": len(chains) + len(failures),
        "chains": len(chains),
        "failures": len(failures),
        "answered_right": round(right / len(chains), 4) if chains else 0.0,
        "outcomes": dict(sorted(Counter(chain.outcome for chain in chains).items())),
        "steps": sum(len(chain.steps) for chain in chains),
        "prompt_tokens": sum(chain.usage.prompt_tokens for chain in chains),
        "completion_tokens": sum(chain.usage.completion_tokens for chain in chains),
    }


def refuse_failures(failures: Sequence[Failure], attempts: int, limit: float) -> None:
    """Stop when the provider lost more than a share of the attempts.

    Raises:
        ProviderError: names the count, the limit and the commonest reason.
    """
    if failures and len(failures) > limit * attempts:
        reason, count = Counter(failure.reason for failure in failures).most_common(1)[0]
        raise ProviderError(
            f"{len(failures):,} of {attempts:,} attempts failed (limit {limit:.0%}); {count:,} times: {reason}; "
            f"finished attempts are kept in the journal"
        )
