"""Show how far a stage is: a bar on a terminal, otherwise a line every half minute.

A stage opens a display (`show_progress`), and whatever takes long in it names its work (`work`, `track`). Without a
display, as in a library call, a test or a worker process, nothing is shown; nor is it of a stage that takes less than
FIRST_S.
"""

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import TextIO, TypeVar

from callwright.text import one_line

log = logging.getLogger("callwright")

PROGRESS_ENV = "CALLWRIGHT_PROGRESS"
FIRST_S = 5.0  # before anything is shown
LINE_EVERY_S, BAR_EVERY_S = 30.0, 0.5

T = TypeVar("T")


class Progress:
    """How far one piece of work is. Only numbers change while it runs, so a thread may read it at any time.

    Args:
        name: shown after the stage's name, such as `student`.
        total: how much work there is; None: unknown, so that only the time since the start is shown.
        unit: what is counted, such as `attempts`.
        done: how much was done before, such as in an earlier run; it does not count for the time left.
        measure: how much is done now, called whenever the progress is shown; None: `advance` counts.
        status: more to show, such as the loss; called whenever the progress is shown.
        clock: seconds, in tests.

    Attributes:
        done: how much is done now.
    """

    def __init__(
        self,
        name: str,
        total: int | None = None,
        unit: str = "",
        *,
        done: int = 0,
        measure: Callable[[], int] | None = None,
        status: Callable[[], str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = one_line(name)
        self.unit = unit
        self.status = status
        self._measure = measure
        self._clock = clock
        self.start(total, done)

    def start(self, total: int | None, done: int = 0) -> None:
        """Begin to measure the time, as when the amount of work becomes known later."""
        self.total, self.done, self._done_before = total, done, done
        self._started = self._clock()

    def advance(self, count: int = 1) -> None:
        """Count work that was done."""
        self.done += count

    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def per_second(self) -> float:
        """How much was done in a second, on average; 0 before anything is done."""
        return (self.done - self._done_before) / max(self.seconds(), 1e-9)

    def count_text(self) -> str:
        """`7 of 10 attempts`; without a total `7 attempts`, or nothing if nothing is counted."""
        if self.total is None:
            return f"{self.done:,} {self.unit}" if self.done else ""
        return f"{self.done:,} of {self.total:,} {self.unit}"

    def time_text(self) -> str:
        """The estimate of the time left. Without an estimate, the time since the start."""
        if self.total is None or self.done <= self._done_before:
            return f"{duration_text(self.seconds())} so far"
        return f"{duration_text(max(self.total - self.done, 0) / self.per_second())} left"

    def texts(self) -> tuple[str, str, str]:
        """What is shown beside the name: the count, the time and the status; the count and the status may be empty."""
        if self._measure is not None:
            self.done = self._measure()
        return self.count_text(), self.time_text(), self.status() if self.status else ""

    def text(self) -> str:
        """What a line shows beside the name."""
        count, time_text, status = self.texts()
        return _joined(count, status, time_text)


def _joined(*texts: str) -> str:
    return ", ".join(filter(None, texts))


class _Display:
    """The thread that shows a stage's work. If the terminal or the log cannot be written, the stage goes on."""

    def __init__(self, stage: str) -> None:
        self.active: list[Progress] = []
        self._whole = Progress(stage)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()

    def _shown(self) -> list[Progress]:
        return list(self.active) or [self._whole]

    def _name(self, progress: Progress) -> str:
        return progress.name if progress is self._whole else f"{self._whole.name}: {progress.name}"

    def _run(self) -> None:
        if self._stop.wait(FIRST_S):
            return
        with suppress(Exception):
            self._show_bars() if _is_terminal(sys.stderr) else self._write_lines()

    def _write_lines(self) -> None:
        while True:
            for progress in self._shown():
                log.info("%s: %s", self._name(progress), progress.text())
            if self._stop.wait(LINE_EVERY_S):
                return

    def _show_bars(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn
        from rich.progress import Progress as Bars
        from rich.text import Text

        class StatusColumn(ProgressColumn):
            """The last column: where a terminal is narrow, this is cut off first."""

            def render(self, task: Task) -> Text:
                return Text(task.fields["status"], no_wrap=True, overflow="ellipsis")

        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(20),
            TextColumn("{task.fields[text]}", markup=False),
            StatusColumn(),
        )
        bars = Bars(
            *columns,
            console=Console(stderr=True),
            auto_refresh=False,
            redirect_stdout=sys.stdout.isatty(),  # into a file or a pipe, results go as they are
        )
        tasks = dict[Progress, TaskID]()

        def update() -> None:
            shown = self._shown()
            for progress in [progress for progress in tasks if progress not in shown]:
                bars.remove_task(tasks.pop(progress))
            for progress in shown:
                count, time_text, status = progress.texts()
                text = _joined(count, time_text) + ("," if status else "")
                if progress not in tasks:
                    tasks[progress] = bars.add_task(self._name(progress), text=text, status=status)
                bars.update(tasks[progress], completed=progress.done, total=progress.total, text=text, status=status)
            bars.refresh()

        with bars:
            while True:
                update()
                if self._stop.wait(BAR_EVERY_S):
                    return


_display: ContextVar[_Display | None] = ContextVar("display", default=None)


@contextmanager
def show_progress(stage: str) -> Iterator[None]:
    """Show the work of the block, which is a stage's; not if CALLWRIGHT_PROGRESS is `off`."""
    if os.environ.get(PROGRESS_ENV) == "off":
        yield
        return
    display = _Display(stage)
    token = _display.set(display)
    display.start()
    try:
        yield
    finally:
        _display.reset(token)
        display.stop()


@contextmanager
def work(
    name: str,
    total: int | None = None,
    unit: str = "",
    *,
    done: int = 0,
    measure: Callable[[], int] | None = None,
    status: Callable[[], str] | None = None,
) -> Iterator[Progress]:
    """Name the work of the block (see `Progress`), so that the stage's display shows it."""
    with show(Progress(name, total, unit, done=done, measure=measure, status=status)) as progress:
        yield progress


@contextmanager
def show(progress: Progress) -> Iterator[Progress]:
    """Show this progress during the block if a stage has a display."""
    display = _display.get()
    if display is None:
        yield progress
        return
    display.active.append(progress)
    try:
        yield progress
    finally:
        display.active.remove(progress)


def track(
    items: Iterable[T], name: str, total: int | None, unit: str, size: Callable[[T], int] = lambda _: 1
) -> Iterator[T]:
    """The items, counted when the next one is asked for.

    Args:
        size: how much an item counts.
    """
    with work(name, total, unit) as progress:
        for item in items:
            yield item
            progress.advance(size(item))


def _is_terminal(stream: TextIO) -> bool:
    """Whether a bar can be drawn: on a terminal that moves its cursor, which rich reads from its variables."""
    if not stream.isatty():
        return False
    from rich.console import Console

    return Console(file=stream).is_interactive


def duration_text(seconds: float) -> str:
    """A duration as text.

    >>> duration_text(59.4), duration_text(59.6), duration_text(3_725)
    ('59 s', '1 min', '1 h 2 min')
    """
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
