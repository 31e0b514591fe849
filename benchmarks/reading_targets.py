"""The targets for a student that reads its functions, and whether the figures of `reading.py` reach them. Pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from measurements import Figure, Key

TASKS = ("arithmetic", "translation", "entailment")
MOST_LOST = {
    "functions": 0.15,
    "new_name": 0.15,
    "swapped": 0.15,
    "reworded": 0.15,
    "order": 0.05,
    "names": 0.03,
    "distractor": 0.03,
}
LEAST_CHANGED = 120  # problems of each change
LEAST_FAMILIES = 12  # held out of training, of each task
LEAST_SEEN, LEAST_HELD_OUT, MOST_OF_BASE, MOST_P, MOST_SECONDS = 0.9, 0.85, 0.65, 0.01, 300


@dataclass(frozen=True, slots=True)
class Target:
    """A bound of a figure.

    Attributes:
        value: what was measured; None if nothing was.
        bound: as text, such as "at most 15.0 %".
    """

    what: str
    value: float | None
    bound: str
    reached: bool
    shown: str

    def line(self) -> str:
        verdict = "not measured" if self.value is None else "reached" if self.reached else "NOT REACHED"
        return f"  {self.what:<42} {self.shown:>9}   {self.bound:<16} {verdict}"


def summary(runs: Mapping[Key, list[Figure]]) -> list[str]:
    """The last commit's figures, pooled over the seeds of each arm, as lines of text."""
    if not runs:
        return ["no figures yet: name --seeds"]
    last = list(runs)[-1]
    lines = []
    for arm in dict.fromkeys((key.cpu, key.threads, key.arm) for key in runs if _version(key) == _version(last)):
        seeds = {
            key.seed: figures
            for key, figures in runs.items()
            if _version(key) == _version(last) and (key.cpu, key.threads, key.arm) == arm
        }
        overlay = f", params of {last.overlay}" if last.overlay else ""
        threads = f"{arm[1] or 'default'} threads"
        lines += [f"{arm[2]}: seeds {', '.join(seeds)}; commit {last.commit}{overlay}; {arm[0]}, {threads}"]
        lines += [*_table(seeds.values()), *(target.line() for target in targets(seeds.values()))]
    return lines


def _version(key: Key) -> tuple[str, str]:
    return key.commit, key.overlay


def pooled(figures: Iterable[Figure]) -> Figure | None:
    """Shares or differences of several runs as one, weighted by their n, with the largest p; None if there are none."""
    measured = [figure for figure in figures if figure.n]
    if not measured:
        return None
    n = sum(figure.n or 0 for figure in measured)
    value = sum(figure.value * (figure.n or 0) for figure in measured) / n
    p_values = [figure.p for figure in measured if figure.p is not None]
    return replace(measured[0], value=value, n=n, p=max(p_values, default=None))


def _of_seeds(seeds: Iterable[Iterable[Figure]], accepted: Callable[[Figure], bool]) -> list[Figure]:
    return [figure for figures in seeds for figure in figures if accepted(figure)]


def _named(kind: str, model: str, name: str) -> Callable[[Figure], bool]:
    return lambda figure: (figure.kind, figure.model, figure.name) == (kind, model, name)


def targets(seeds: Iterable[Iterable[Figure]]) -> Iterator[Target]:
    """Each target with what the runs of one arm measured, pooled over the seeds."""
    runs = [list(figures) for figures in seeds]

    def of(kind: str, model: str, name: str) -> list[Figure]:
        return _of_seeds(runs, _named(kind, model, name))

    for change, bound in MOST_LOST.items():
        lost = of("lost", "student", change)
        yield _at_most(f"student loses, {change}", pooled(lost), bound)
        yield _at_least_count(f"problems, {change}, each seed", [figure.n or 0 for figure in lost], LEAST_CHANGED)
    for task in TASKS:
        yield _at_least(f"student, {task}, seen", pooled(of("accuracy", "student", f"{task}/seen")), LEAST_SEEN)
    held_out = [figure for task in TASKS for figure in of("accuracy", "student", f"{task}/held_out")]
    yield _at_least("student, held out, pooled", pooled(held_out), LEAST_HELD_OUT)
    for task in TASKS:
        families = [int(figure.value) for figure in of("families", "", f"{task}/held_out")]
        yield _at_least_count(f"held-out families, {task}", families, LEAST_FAMILIES)
    yield _at_most("base, all", pooled(of("accuracy", "base", "overall")), MOST_OF_BASE)
    p_values = [figure.p for figure in of("gain", "student", "overall") if figure.p is not None]
    worst = max(p_values, default=None)
    reached = worst is not None and worst < MOST_P
    yield Target("p of the gain, each seed", worst, f"below {MOST_P:g}", reached, _or_dash(worst, "{:.2g}"))
    for name in ("all stages", "dvc repro"):
        taken = [figure.value for figure in of("seconds", "", name)]
        if taken or name == "all stages":  # every run has the stages' seconds, unless DVC restored one
            slowest = max(taken, default=None)
            complete = len(taken) == len(runs) or name == "dvc repro"
            in_time = slowest is not None and complete and slowest <= MOST_SECONDS
            what = f"seconds, {name}, slowest of {len(taken)} of {len(runs)}"
            yield Target(what, slowest, f"at most {MOST_SECONDS:g}", in_time, _or_dash(slowest, "{:.0f}"))


def _at_most(what: str, figure: Figure | None, bound: float) -> Target:
    value = figure.value if figure else None
    reached = value is not None and value <= bound + 1e-9
    return Target(what, value, f"at most {100 * bound:g} %", reached, _or_dash(value, "{:.1%}"))


def _at_least(what: str, figure: Figure | None, bound: float) -> Target:
    value = figure.value if figure else None
    reached = value is not None and value >= bound - 1e-9
    return Target(what, value, f"at least {100 * bound:g} %", reached, _or_dash(value, "{:.1%}"))


def _at_least_count(what: str, counts: list[int], bound: int) -> Target:
    fewest = min(counts, default=None)
    return Target(what, fewest, f"at least {bound}", fewest is not None and fewest >= bound, _or_dash(fewest, "{:,}"))


def _or_dash(value: float | None, written: str) -> str:
    return "-" if value is None else written.format(value)


def _table(seeds: Iterable[Iterable[Figure]]) -> Iterator[str]:
    """Accuracy and losses by model, on unseen functions too (they have no target), and the seconds of each stage."""
    runs = [list(figures) for figures in seeds]
    for kind in ("accuracy", "changed", "lost", "unseen"):
        for name in dict.fromkeys(figure.name for figures in runs for figure in figures if figure.kind == kind):
            if name.partition("/")[2].startswith("steps"):
                continue
            cells = []
            for model in ("base", "warm", "student", "teacher", "champion"):
                figure = pooled(_of_seeds(runs, _named(kind, model, name)))
                if figure:
                    p = "" if figure.p is None else f", largest p {figure.p:.2g}"
                    cells.append(f"{model} {figure.value:.1%} (n {figure.n:,}{p})")
            yield f"  {kind} {name}: {', '.join(cells)}"
    for kind, what in (
        ("seconds", "seconds, slowest run"),
        ("restored", "seconds of other runs, restored from a cache"),
    ):
        stages = dict.fromkeys(figure.name for figures in runs for figure in figures if figure.kind == kind)
        taken = {stage: _of_seeds(runs, _named(kind, "", stage)) for stage in stages}
        if taken:
            slowest = (f"{stage} {max(figure.value for figure in of):.0f}" for stage, of in taken.items())
            yield f"  {what}: {', '.join(slowest)}"
