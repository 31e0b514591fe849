"""The ratio of benchmarks/dpo.py by prompt length, completion length and batch size, varied one at a time.

The token ids are random; everything else is as in benchmarks/dpo.py. Both sides run in turns in one process for a few
steps, and the fastest step counts, because other work on the machine can only slow a step. Writes a table and a plot.

    python benchmarks/dpo_sweep.py    # about three minutes on two cores; prints the range of the ratio last
"""

import argparse
from pathlib import Path
from typing import Any

from dpo import measure, random_rows

TABLE, PLOT = Path("docs/training-speed.csv"), Path("docs/training-speed.svg")
CENTRE = {"shared": 400, "own": 80, "completion": 16, "batch": 8}
SWEEP = {"shared": [100, 200, 400, 800], "own": [20, 80, 320], "completion": [8, 16, 64, 128], "batch": [2, 4, 8, 16]}


def sweep(steps: int) -> list[dict[str, Any]]:
    """One row per measurement: the varied quantity, the shape, and both sides' pairs per second."""
    table = []
    for axis, values in SWEEP.items():
        for value in values:
            shape = {**CENTRE, axis: value}
            rows = random_rows(shape["batch"] * steps, shape, 1024, seed=7)
            plain, shared = (measure(side, rows, shape["batch"], steps)["fastest"] for side in ("plain", "shared"))
            rates = {"plain_pairs_per_second": plain, "shared_pairs_per_second": shared, "ratio": shared / plain}
            table.append({"axis": axis, **shape, **rates})
            print(_line(table[-1]))
    return table


def _line(row: dict[str, Any]) -> str:
    return ",".join(f"{value:.2f}" if isinstance(value, float) else str(value) for value in row.values())


def plot(table: list[dict[str, Any]]) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "callwright"
    import matplotlib.pyplot as plt

    names = {"shared": "shared prompt tokens", "own": "own prompt tokens", "completion": "completion tokens"}
    figure, axes = plt.subplots(1, len(SWEEP), figsize=(12, 3), sharey=True, layout="constrained")
    for axis, subplot in zip(SWEEP, axes, strict=True):
        rows = [row for row in table if row["axis"] == axis]
        subplot.plot([row[axis] for row in rows], [row["ratio"] for row in rows], marker="o")
        subplot.set_xlabel(names.get(axis, "pairs in a batch"))
        subplot.set_ylim(bottom=0)
        subplot.grid(alpha=0.3)
    axes[0].set_ylabel("times plain TRL's pairs/s")
    figure.savefig(PLOT, metadata={"Date": None})


def main() -> None:
    import torch

    from callwright.pipeline.logs import quiet_libraries

    quiet_libraries()
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--steps", type=int, default=8, help="of each measurement; the first three are not timed")
    arguments.add_argument("--threads", type=int, default=2)
    options = arguments.parse_args()
    torch.set_num_threads(options.threads)
    table = sweep(options.steps)
    TABLE.write_text("\n".join([",".join(table[0]), *map(_line, table)]) + "\n")
    plot(table)
    ratios = [row["ratio"] for row in table]
    print(f"ratio shared / plain: {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
