"""Do other thread counts give the same results? The pipeline with 1 and with 2 threads, on the same seed.

    python benchmarks/threads.py --seeds 20
    python benchmarks/threads.py --summary       # print the CSV's figures again

Sums of several threads are rounded in another order. What no sum reaches has to be the same byte for byte: the base,
which is copied, and the teacher's chains. The student's weights differ in their last digits; its accuracy may differ by
2 points. Each run is `dvc repro evaluate` in a copy of this clone with a DVC cache of its own, so that nothing comes
from the other run. A finished seed appends its figures to docs/threads.csv (`measurements.py` has its columns), and is
not run again.

Kinds of figures: `same` (1: the same bytes in both runs), `accuracy` of each run, `difference` (2 threads minus 1).
"""

import argparse
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from clone_run import Run, copy_clone, read_overlay
from measurements import (
    ROOT,
    Figure,
    Key,
    append_figures,
    committed,
    overlay_name,
    parse_seeds,
    processor,
    read_figures,
    seeds_parser,
)

CSV = ROOT / "docs/threads.csv"
COUNTS = (1, 2)
SAME = ("data/problems", "models/base", "data/chains/teacher.jsonl")  # must be
MOST_POINTS = 0.02
OTHERS = ("data/chains/student.jsonl", "data/validated", "data/pairs", "models/student")  # for information


def main() -> None:
    parser = seeds_parser(__doc__, CSV, "callwright-threads")
    options = parse_seeds(parser)
    if options.seeds:
        measure(options)
    for key, figures in read_figures(options.csv).items():
        overlay = f", params of {key.overlay}" if key.overlay else ""
        print(f"seed {key.seed}, {key.threads} threads; commit {key.commit}{overlay}; {key.cpu}")
        print("\n".join(f"  {line}" for line in verdicts(figures)))


def measure(options: argparse.Namespace) -> None:
    """Run every seed that the CSV does not have with both thread counts, and append what they have in common."""
    commit = committed(options.uncommitted)
    overlay = overlay_name(options.overlay)
    for seed in options.seeds:
        key = Key(commit, overlay, processor(), " and ".join(map(str, COUNTS)), "threads", str(seed))
        if key in read_figures(options.csv):
            continue
        runs = {}
        for threads in COUNTS:
            print(f"seed {seed}, {threads} threads", file=sys.stderr, flush=True)
            changes = [read_overlay(options.overlay), {"seed": seed}]
            runs[threads] = copy_clone(ROOT, options.work / f"threads-{threads}", changes, threads)
            runs[threads].start("dvc", "repro", "--no-run-cache", "evaluate")
        append_figures(options.csv, key, compare(runs))
        for run in runs.values():
            shutil.rmtree(run.folder)


def compare(runs: Mapping[int, Run]) -> Iterator[Figure]:
    """Whether files are the same in both runs, and how far accuracies are apart."""
    first, second = (runs[threads].folder for threads in COUNTS)
    for name in (*SAME, *OTHERS):
        if (first / name).exists() or name in SAME:
            yield Figure("same", "", name, float(content_hash(first / name) == content_hash(second / name)))
    accuracy = [json.loads((folder / "reports/metrics.json").read_text())["accuracy"] for folder in (first, second)]
    for model, slices in accuracy[0].items():
        for name in (name for name in slices if "/" not in name):
            shares = [of_run[model][name] for of_run in accuracy]
            for threads, share in zip(COUNTS, shares, strict=True):
                yield Figure("accuracy", model, f"{name}, {threads} threads", share["value"], share["n"])
            yield Figure("difference", model, name, round(shares[1]["value"] - shares[0]["value"], 6), shares[0]["n"])


def content_hash(path: Path) -> str:
    """SHA-256 of a file, or of the names and contents of all files in a folder.

    Raises:
        SystemExit: there is no file, so that two missing ones are never the same.
    """
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    if not files or not files[0].exists():
        sys.exit(f"{path} does not exist after a run")
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.relative_to(path)}\0".encode() + hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def verdicts(figures: list[Figure]) -> Iterator[str]:
    """What has to be the same and is or is not, and the differences of accuracy, as lines of text."""
    for figure in figures:
        match figure.kind:
            case "same" if figure.name in SAME:
                yield f"{figure.name}: {'the same bytes: reached' if figure.value else 'other bytes: NOT REACHED'}"
            case "same":
                yield f"{figure.name}: {'the same bytes' if figure.value else 'other bytes'}"
            case "difference":
                line = f"{figure.model}, {figure.name}: {100 * figure.value:+.1f} points (n {figure.n:,})"
                if (figure.model, figure.name) == ("student", "overall"):
                    reached = abs(figure.value) <= MOST_POINTS + 1e-9
                    line += f", at most {100 * MOST_POINTS:g}: {'reached' if reached else 'NOT REACHED'}"
                yield line


if __name__ == "__main__":
    main()
