"""What benchmarks that append to a CSV share: the rows of earlier runs, and what identifies code and machine."""

import argparse
import csv
import hashlib
import io
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

ROOT = Path(__file__).parents[1]
MEASURED = ("src", "stages", "conf", "params.yaml", "dvc.yaml", "requirements.lock")  # what a run's figures depend on


@dataclass(frozen=True, slots=True)
class Key:
    """What was run, and where.

    Attributes:
        commit: the last one that changed what figures depend on (MEASURED), so that other commits keep the figures; and
            "+" with a hash of uncommitted changes.
        overlay: what else was laid over the committed params and data, with a hash of its content; "" for nothing.
        threads: OMP_NUM_THREADS; "" if it was not set.
    """

    commit: str
    overlay: str
    cpu: str
    threads: str
    arm: str
    seed: str


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of a run.

    Attributes:
        kind: what it is, such as "accuracy" or "seconds".
        model: whose figure it is; "" if it is of no model.
        name: of the slice, change or stage.
        value: a share, a difference of shares, a number or seconds.
        n: number of problems; None if it is of none.
        p: of the hypothesis that there is no difference; None if none was tested.
    """

    kind: str
    model: str
    name: str
    value: float
    n: int | None = None
    p: float | None = None

    @classmethod
    def read(cls, row: Mapping[str, str]) -> "Figure":
        """The figure of a row of text."""
        n, p = row["n"], row["p"]
        return cls(
            row["kind"], row["model"], row["name"], float(row["value"]), int(n) if n else None, float(p) if p else None
        )


COLUMNS = [field.name for kind in (Key, Figure) for field in fields(kind)]


def read_figures(path: Path) -> dict[Key, list[Figure]]:
    """The figures of a CSV by run, in the file's order; empty if there is no file.

    Raises:
        SystemExit: the file has other columns.
    """
    if not path.exists():
        return {}
    with path.open(newline="") as file:
        reader = csv.DictReader(file)
        if reader.fieldnames != COLUMNS:
            sys.exit(f"{path} has other columns than {', '.join(COLUMNS)}: name another file")
        runs: dict[Key, list[Figure]] = {}
        for row in reader:
            key = Key(**{field.name: row[field.name] for field in fields(Key)})
            runs.setdefault(key, []).append(Figure.read(row))
    return runs


def append_figures(path: Path, key: Key, figures: Iterable[Figure]) -> None:
    """Append all figures of a finished run at once, so that an interrupted run leaves none."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        writer.writeheader()
    writer.writerows(asdict(key) | asdict(figure) for figure in figures)
    with path.open("a", newline="") as file:
        file.write(text.getvalue())


def committed(uncommitted_allowed: bool, root: Path = ROOT) -> str:
    """The commit that a run's figures belong to, with "+" and a hash of the uncommitted changes if there are any.

    Raises:
        SystemExit: there are uncommitted changes, and they are not allowed.
    """
    changed = _git(root, "status", "--porcelain", "--", *MEASURED)
    if changed and not uncommitted_allowed:
        sys.exit(f"{root} has uncommitted changes, so the figures would belong to no commit: commit, or --uncommitted")
    commit = _git(root, "log", "-1", "--format=%h", "--abbrev=10", "--", *MEASURED)
    if not changed:
        return commit
    new_files = _git(root, "ls-files", "-z", "--others", "--exclude-standard", "--", *MEASURED).split("\0")
    contents = [(root / name).read_bytes() for name in new_files if name]
    return f"{commit}+{short_hash(changed, _git(root, 'diff', 'HEAD', '--', *MEASURED), *contents)}"


def _git(root: Path, *arguments: str) -> str:
    command: Sequence[str] = ("git", "-C", str(root), *arguments)
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def short_hash(*parts: str | bytes) -> str:
    """The start of a hash of all parts."""
    digests = (hashlib.sha256(part if isinstance(part, bytes) else part.encode()).digest() for part in parts)
    return hashlib.sha256(b"".join(digests)).hexdigest()[:8]


def overlay_name(path: Path | None) -> str:
    """The name of an overlay with a hash of its content, so that an edited one is another; "" for none.

    Raises:
        SystemExit: there is no such file.
    """
    if path is None:
        return ""
    if not path.is_file():
        sys.exit(f"{path} does not exist: name the YAML file of --overlay")
    return f"{path.stem}-{short_hash(path.read_bytes())}"


def run_name(run: Path, inputs: Iterable[Path]) -> str:
    """The name of a finished run's folder with a hash of its params and of the inputs that are read.

    Raises:
        SystemExit: the folder lacks one of them.
    """
    parts: list[str | bytes] = []
    for name in (Path("params.yaml"), *inputs):
        path = run / name
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        if not path.exists():
            sys.exit(f"{path} does not exist: name the folder of a finished run")
        for file in filter(Path.is_file, files):
            parts += [str(file.relative_to(run)), file.read_bytes()]
    return f"{run.name}-{short_hash(*parts)}"


def processor() -> str:
    """The name of this machine's processor, and the number of its cores that this process may use."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{next(names, platform.processor() or 'processor unknown')}, {cores} cores"


def seeds_parser(description: str | None, csv_file: Path, work: str) -> argparse.ArgumentParser:
    """The options of a benchmark that runs seeds in copies of this clone.

    Args:
        csv_file: where figures are appended by default.
        work: name of the folder of the copies, among temporary files.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", nargs="+", type=int, default=[])
    parser.add_argument("--overlay", type=Path, help="a YAML file of params to change")
    parser.add_argument("--csv", type=Path, default=csv_file)
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir(), work))
    parser.add_argument("--uncommitted", action="store_true", help="allow uncommitted changes; for trying things out")
    parser.add_argument("--summary", action="store_true", help="run nothing")
    return parser


def parse_seeds(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The options of the command line, which names seeds or asks for the summary."""
    options = parser.parse_args()
    if options.summary == bool(options.seeds):
        parser.error("name --seeds, or --summary alone")
    return options
