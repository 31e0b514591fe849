"""Shows the progress of a rollout: a bar on a terminal, otherwise one line a minute."""

import asyncio
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from callwright.records import Chain
from callwright.rollouts.budget import Meter
from callwright.rollouts.grade import answered_right
from callwright.rollouts.plan import Attempt
from callwright.text import one_line

log = logging.getLogger("callwright")

LINE_EVERY_S, BAR_EVERY_S = 60.0, 0.5


class Progress:
    """Counts the finished attempts of one model's rollout, and shows them.

    Args:
        done: number of attempts that were in the journal at the start.
        total: number of attempts of the plan.
    """

    def __init__(self, name: str, done: int, total: int, meter: Meter) -> None:
        self.name = one_line(name)
        self.done = done
        self.total = total
        self._meter = meter
        self._done_before = done
        self._failed = self._right = self._chains = 0

    def attempt_finished(self, attempt: Attempt, chain: Chain | None) -> None:
        """Count an attempt that is over; `chain` is None if it failed."""
        self.done += 1
        if chain is None:
            self._failed += 1
            return
        self._chains += 1
        with suppress(Exception):  # a defect of the grader: `publish` meets it again, and counts it
            self._right += answered_right(chain.answer, attempt.problem, attempt.task)

    def status_text(self) -> str:
        """Accuracy of this run's chains, failures, tokens, cost, requests per second, and time left."""
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
        done_now = self.done - self._done_before
        if done_now:
            parts.append(f"{_duration(seconds / done_now * (self.total - self.done))} left")
        return ", ".join(parts)

    @asynccontextmanager
    async def display(self) -> AsyncIterator[None]:
        """Show the progress while the block runs."""
        display_task = asyncio.create_task(self._bar() if sys.stderr.isatty() else self._lines())
        try:
            yield
        finally:
            display_task.cancel()
            await asyncio.gather(display_task, return_exceptions=True)

    async def _lines(self) -> None:
        while True:
            await asyncio.sleep(LINE_EVERY_S)
            log.info("%s: %s of %s attempts, %s", self.name, f"{self.done:,}", f"{self.total:,}", self.status_text())

    async def _bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
        )
        with Bar(*columns, console=Console(stderr=True), auto_refresh=False) as bar:
            task = bar.add_task(self.name, total=self.total, text="")
            try:
                while True:
                    bar.update(task, completed=self.done, text=self.status_text(), refresh=True)
                    await asyncio.sleep(BAR_EVERY_S)
            finally:
                bar.update(task, completed=self.done, text=self.status_text(), refresh=True)


def _duration(seconds: float) -> str:
    """A duration as text.

    >>> _duration(59.6), _duration(3_725)
    ('1 min', '1 h 2 min')
    """
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
