"""Do many experiments in a row leave anything behind?

    python benchmarks/soak.py                 # 5 runs, about a minute each at most
    python benchmarks/soak.py --runs 50       # a real soak test

Clones the project's last commit, applies tests/stages/tiny.yaml, runs the pipeline once, then `dvc exp run` with random
parameters, one after the other. After each run it counts what is left: processes that descend from the run (found by a
variable in their environment, so daemons are found too), their open files, shared memory (of the whole machine: run it
alone), temporary files, and the clone's disk space by part. Disk may grow by what a run is meant to keep: DVC's cache,
git's refs of experiments, MLflow's store, journals. Anything else that grows is a leak, and the exit code is 1.
"""

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from callwright.cli.preset import apply_preset

ROOT = Path(__file__).parents[1]
MARK = "CALLWRIGHT_SOAK"
SETTLE_S = 2.0  # for processes that are about to end
KEPT = {  # what a run is meant to keep: folders and files of the clone
    "cache": (".dvc/cache",),
    "git": (".git",),
    "mlflow": ("mlflow.db", "mlartifacts"),
    "journals": (".callwright/journals",),
}
SLACK_BYTES = 1_000_000  # lock files, slightly longer reports
MEMORY_SLACK = 1.2  # of the first runs' peak

CHOICES: dict[str, Sequence[object]] = {
    "seed": (7, 8),
    "rollout.teacher.chains": (2, 3),
    "rollout.teacher.temperature": (0.5, 0.7, 0.9),
    "pairs.mode": ("step", "both"),
    "pairs.min_margin": (0.2, 0.3, 0.4),
    "train.beta": (0.1, 0.2, 0.3, 0.4),
    "train.learning_rate": (1e-4, 2e-4, 5e-4),
    "train.order": ("shuffled", "by_problem"),
    "promote.min_accuracy": (0.0, 0.9),
}


@dataclass(frozen=True, slots=True)
class Leftovers:
    """What one run left: counts, bytes by part of the clone, and the peak memory of its largest process."""

    changed: str
    seconds: float
    processes: int
    open_files: int
    shared: int
    temporary: int
    disk: dict[str, int]
    peak_bytes: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="leave the clone where it is, and say where")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="callwright-soak-"))
    try:
        clone = _clone(folder)
        draw = random.Random(options.seed)
        left = [_run(clone, folder, ["dvc", "repro"], "first run")]
        _run_quietly(clone, "git", "add", "--all")
        _run_quietly(clone, "git", "commit", "--quiet", "--message", "a run")
        _print(0, left[0])
        for number in range(1, options.runs + 1):
            changes = _changes(draw)
            command = ["dvc", "exp", "run", *(part for change in changes for part in ("-S", change))]
            left.append(_run(clone, folder, command, " ".join(changes)))
            _print(number, left[-1])
        complaints = list(_leaks(left))
        _print_table(left)
    finally:
        if options.keep:
            print(f"the clone is in {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    for complaint in complaints:
        print(f"leak: {complaint}")
    print("verdict: no leak" if not complaints else f"verdict: {len(complaints)} leaks")
    sys.exit(bool(complaints))


def _clone(folder: Path) -> Path:
    clone = folder / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    _run_quietly(clone, "git", "config", "user.name", "soak")
    _run_quietly(clone, "git", "config", "user.email", "soak@example.invalid")
    (folder / "tmp").mkdir()
    (clone / "dvc.lock").unlink(missing_ok=True)
    apply_preset("tiny", clone / "params.yaml", ROOT / "tests/stages")
    return clone


def _run_quietly(clone: Path, *command: str) -> None:
    subprocess.run(command, cwd=clone, check=True, capture_output=True)


def _changes(draw: random.Random) -> list[str]:
    names = draw.sample(sorted(CHOICES), k=draw.randint(1, 3))
    return [f"{name}={draw.choice(CHOICES[name])}" for name in names]


def _run(clone: Path, folder: Path, command: list[str], changed: str) -> Leftovers:
    """Run a command in the clone and count what is left afterwards."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "TEACHER_"))}
    environment = {
        **inherited,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{inherited['PATH']}",
        "PYTHONPATH": str(clone / "src"),
        "TMPDIR": str(folder / "tmp"),
        MARK: str(folder),
    }
    began = time.perf_counter()
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=clone, env=environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
        _, status, usage = os.wait4(process.pid, 0)  # for the peak memory of its largest descendant
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{log.read_text()[-4000:]}")
    time.sleep(SETTLE_S)
    survivors = list(_marked(str(folder)))
    return Leftovers(
        changed,
        seconds,
        len(survivors),
        sum(process.num_fds() for process in survivors) + psutil.Process().num_fds(),
        len(list(Path("/dev/shm").iterdir())) if Path("/dev/shm").is_dir() else 0,
        len(list((folder / "tmp").rglob("*"))),
        _disk(clone),
        usage.ru_maxrss * 1024,
    )


def _marked(mark: str) -> Iterator[psutil.Process]:
    """Processes that descend from a run, whatever their present parent."""
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                yield process
        except psutil.Error:  # another user's, or ended
            continue


def _disk(clone: Path) -> dict[str, int]:
    parts = {name: sum(_size(clone / path) for path in paths) for name, paths in KEPT.items()}
    return {**parts, "rest": _size(clone) - sum(parts.values())}


def _size(path: Path) -> int:
    """Bytes on disk; a file with two names counts once."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file() and not file.is_symlink()]
    return sum({(status.st_dev, status.st_ino): status.st_size for status in (file.stat() for file in files)}.values())


def _leaks(left: Sequence[Leftovers]) -> Iterator[str]:
    """What grew since the first run and should not have."""
    first, last = left[0], left[-1]
    if worst := max(run.processes for run in left):
        yield f"{worst} processes outlived their run"
    for name in ("open_files", "shared", "temporary"):
        before, after = getattr(first, name), getattr(last, name)
        if after > before:
            yield f"{name}: {before} after the first run, {after} after the last"
    if last.disk["rest"] > first.disk["rest"] + SLACK_BYTES:
        grown = last.disk["rest"] - first.disk["rest"]
        yield f"{grown:,} bytes more outside of {', '.join(KEPT)}"
    experiments = left[1:]
    few = max(1, len(experiments) // 5)
    early, late = (max(run.peak_bytes for run in some) for some in (left[: few + 1], experiments[-few:]))
    if late > early * MEMORY_SLACK:
        yield f"peak memory: {early:,} bytes in the first runs, {late:,} in the last"


def _print(number: int, run: Leftovers) -> None:
    print(f"{number:>3}  {run.seconds:5.0f} s  {run.changed}", flush=True)


def _print_table(left: Sequence[Leftovers]) -> None:
    parts = [*KEPT, "rest"]
    print("\n| run | processes left | open files | shared memory | temporary files | peak MB |", end="")
    print("".join(f" {part} MB |" for part in parts))
    print("|---" * (6 + len(parts)) + "|")
    every = max(1, (len(left) - 1) // 10)
    for number, run in enumerate(left):
        if number % every == 0 or number == len(left) - 1:
            counts = (run.processes, run.open_files, run.shared, run.temporary, run.peak_bytes // 1_000_000)
            disk = (f"{run.disk[part] / 1e6:.1f}" for part in parts)
            print(f"| {number} | {' | '.join(map(str, counts))} | {' | '.join(disk)} |")


if __name__ == "__main__":
    main()
