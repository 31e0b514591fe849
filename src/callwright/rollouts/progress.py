"""What is shown of a rollout while it runs: attempts, accuracy, failures, tokens, cost and speed."""

from contextlib import suppress

from callwright.progress import Progress
from callwright.records import Chain
from callwright.rollouts.budget import Meter
from callwright.rollouts.grade import answered_right
from callwright.rollouts.plan import Attempt


class RolloutProgress:
    """Counts the finished attempts of one model's rollout.

    Args:
        done: number of attempts that were in the journal at the start.
        total: number of attempts of the plan.
    """

    def __init__(self, name: str, done: int, total: int, meter: Meter) -> None:
        self.progress = Progress(name, total, "attempts", done=done, status=self.status_text, clock=meter.seconds)
        self._meter = meter
        self._failed = self._right = self._chains = 0

    def attempt_finished(self, attempt: Attempt, chain: Chain | None) -> None:
        """Count an attempt that is over; `chain` is None if it failed."""
        self.progress.advance()
        if chain is None:
            self._failed += 1
            return
        self._chains += 1
        with suppress(Exception):  # a defect of the grader: `publish` meets it again, and counts it
            self._right += answered_right(chain.answer, attempt.problem, attempt.task)

    def status_text(self) -> str:
        """Accuracy of this run's chains, failures, tokens, cost, and requests per second."""
        meter = self._meter
        parts = [f"{self._right / self._chains:.1%} right"] if self._chains else []
        if self._failed:
            parts.append(f"{self._failed:,} failed")
        parts.append(f"{meter.usage.prompt_tokens + meter.usage.completion_tokens:,} tokens")
        cost = meter.cost()
        if cost is not None:
            parts.append(f"cost {cost:,.2f}")
        seconds = meter.seconds()
        if seconds:
            parts.append(f"{meter.requests / seconds:,.1f} requests/s")
        return ", ".join(parts)
