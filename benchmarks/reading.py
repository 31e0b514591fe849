"""Does the student read its functions? The default pipeline on several seeds: accuracy, losses by change, seconds.

    python benchmarks/reading.py --seeds 20 21 22                              # to tune on
    python benchmarks/reading.py --seeds 20 21 22 --arms default "views off"   # the ablation
    python benchmarks/reading.py --seeds 10 11 12                              # to judge on, once
    python benchmarks/reading.py --summary                                     # print the CSV's last commit again

Each run is `dvc repro` in a copy of this clone; copies share DVC's cache, so that a run takes the stages that it has in
common with an earlier one from there. The first seed of every arm comes first. A finished run appends its figures to
docs/reading.csv (`measurements.py` has its columns), and is not run again: a stopped measurement goes on where it was.
The figures are from reports/metrics.json and reports/seconds. The seconds of a stage that DVC took from its cache are
those of another run: they are kept as `restored`, and such a run has no sum of its stages, unless the stage is `base`,
which takes under a second. The whole `dvc repro` is only measured where no stage was restored. The p-value of a loss is
McNemar's, on the changed problems and their originals. `reading_targets.py` compares with the targets, pooled over the
seeds.

A run uses as many threads as PyTorch chooses; `--threads 1` is faster on a machine with other load.
"""

import argparse
import json
import re
import shutil
import sys
import time
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Any

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
from reading_targets import summary

CSV = ROOT / "docs/reading.csv"
ARMS: dict[str, dict[str, Any]] = {
    "default": {},
    "views off": {"views": {"train": 1, "rollout": 1}},
    "1 view": {"views": {"train": 1}},
    "4 views": {"views": {"train": 4}},
    "16 views": {"views": {"train": 16}},
}
RESTORED = re.compile("Stage '(.+?)' is cached")  # DVC's line for a stage whose result is in its cache
SHORT = {"base"}  # stages of under a second, whose seconds in another run are as good


def main() -> None:
    parser = seeds_parser(__doc__, CSV, "callwright-reading")
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=["default"])
    parser.add_argument("--threads", type=int, help="of each process")
    options = parse_seeds(parser)
    if options.seeds:
        measure(options)
    print("\n".join(summary(read_figures(options.csv))))


def measure(options: argparse.Namespace) -> None:
    """Run every arm with every seed that the CSV does not have, and append the figures of each."""
    commit = committed(options.uncommitted)
    cache = options.work / f"cache-{options.threads or 'default'}"  # DVC does not know the number of threads
    overlay = overlay_name(options.overlay)
    for seed in options.seeds:
        for arm in options.arms:
            key = Key(commit, overlay, processor(), str(options.threads or ""), arm, str(seed))
            if key in read_figures(options.csv):
                continue
            print(f"{arm}, seed {seed}", file=sys.stderr, flush=True)
            changes = [read_overlay(options.overlay), ARMS[arm], {"seed": seed}]
            run = copy_clone(ROOT, options.work / "copy", changes, options.threads)
            run.start("dvc", "cache", "dir", "--local", str(cache.resolve()))
            started = time.perf_counter()
            printed = run.start("dvc", "repro")
            seconds = time.perf_counter() - started
            restored = set(RESTORED.findall(printed))
            figures = list(figures_of(run, restored))
            if not restored:
                figures.append(Figure("seconds", "", "dvc repro", round(seconds, 1)))
            append_figures(options.csv, key, figures)
            shutil.rmtree(run.folder)


def figures_of(run: Run, restored: Container[str] = ()) -> Iterator[Figure]:
    """The figures of a finished run, of which DVC took the `restored` stages from its cache."""
    metrics = json.loads((run.folder / "reports/metrics.json").read_text())
    for model, slices in metrics["accuracy"].items():
        for name, share in slices.items():
            yield Figure("accuracy", model, name, share["value"], share["n"])
    for name, gain in metrics["gain"].items():
        n = metrics["accuracy"]["student"][name]["n"]
        yield Figure("gain", "student", name, gain["value"], n, gain["p_mcnemar"])
    for model, changes in metrics.get("robustness", {}).items():
        right = outcomes(run.folder / f"data/evaluation/{model}.jsonl")
        changed = outcomes(run.folder / f"data/evaluation/variants/{model}.jsonl")
        for change, result in changes.items():
            yield Figure("changed", model, change, result["changed"]["value"], result["changed"]["n"])
            p = loss_p_value(change, right, changed)
            yield Figure("lost", model, change, result["gap"]["value"], result["changed"]["n"], p)
    for model, slices in metrics.get("unseen", {}).items():
        for name, share in slices.items():
            yield Figure("unseen", model, name, share["value"], share["n"])
    yield from held_out_families(run.folder / "data/problems")
    seconds: dict[str, float] = {}
    for path in sorted((run.folder / "reports/seconds").glob("*.json")):
        seconds |= json.loads(path.read_text())
    others = [stage for stage in seconds if stage in restored and stage not in SHORT]
    for stage, taken in seconds.items():
        yield Figure("restored" if stage in others else "seconds", "", stage, taken)
    if not others:
        yield Figure("seconds", "", "all stages", round(sum(seconds.values()), 2))


def outcomes(path: Path) -> dict[str, bool]:
    """Problem id -> whether the model's chain is correct."""
    records = map(json.loads, path.read_text().splitlines())
    return {record["chain"]["problem_id"]: record["verdict"]["correct"] for record in records}


def loss_p_value(change: str, right: dict[str, bool], changed: dict[str, bool]) -> float | None:
    """McNemar's exact p-value of the outcomes before and after a change; None without changed problems."""
    from scipy.stats import binomtest

    pairs = [
        (right[original], after)
        for name, after in changed.items()
        for original, _, kind in [name.rpartition("~")]
        if original in right and change in (kind, "overall")
    ]
    if not pairs:
        return None
    lost, won = pairs.count((True, False)), pairs.count((False, True))
    return float(f"{binomtest(lost, lost + won, 0.5).pvalue:.3g}") if lost + won else 1.0


def held_out_families(problems: Path) -> Iterator[Figure]:
    """For each task, the number of test groups that training does not have."""
    train, test = (
        [json.loads(line) for line in (problems / f"{split}.jsonl").read_text().splitlines()]
        for split in ("train", "test")
    )
    seen = {problem["group"] for problem in train}
    for task in dict.fromkeys(problem["task"] for problem in test):
        held_out = [problem["group"] for problem in test if problem["task"] == task and problem["group"] not in seen]
        yield Figure("families", "", f"{task}/held_out", len(set(held_out)), len(held_out))


if __name__ == "__main__":
    main()
