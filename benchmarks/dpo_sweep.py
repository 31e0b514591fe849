"""How the ratio of benchmarks/dpo.py moves with prompt length, completion length and batch size, one at a time.

Random token ids, everything else as there, both sides in one process in turns, few steps, of which the fastest counts:
other work on the machine only slows. Writes a table and a plot.

    python benchmarks/dpo_sweep.py    # some three minutes on two cores; the range of the ratio comes last
"""

import argparse
from pathlib import Path
from typing import Any

from dpo import measure, random_rows

TABLE, PLOT = Path("docs/training-speed.csv"), Path("docs/training-speed.svg")
CENTRE = {"shared": 400, "own": 80, "completion": 16, "batch": 8}
SWEEP = {"shared": [100, 200, 400, 800], "own": [20, 80, 320], "completion": [8, 16, 64, 128], "batch": [2, 4, 8, 16]}


def sweep(steps: int) -> list[dict[str, Any]]:
    """A row a measurement: what was varied, the shape, and both sides' pairs a second."""
    found = []
    for axis, values in SWEEP.items():
        for value in values:
            shape = {**CENTRE, axis: value}
            rows = random_rows(shape["batch"] * steps, shape, 1024, seed=7)
            plain, shared = (measure(side, rows, shape["batch"], steps)["fastest"] for side in ("plain", "shared"))
            rates = {"plain_pairs_per_second": plain, "shared_pairs_per_second": shared, "ratio": shared / plain}
            found.append({"axis": axis, **shape, **rates})
            print(_line(found[-1]))
    return found


def _line(row: dict[str, Any]) -> str:
    return ",".join(f"{one:.2f}" if isinstance(one, float) else str(one) for one in row.values())


def plot(found: list[dict[str, Any]]) -> None:
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "callwright"
    import matplotlib.pyplot as plt

    names = {"shared": "shared prompt tokens", "own": "own prompt tokens", "completion": "completion tokens"}
    figure, axes = plt.subplots(1, len(SWEEP), figsize=(12, 3), sharey=True, layout="constrained")
    for axis, place in zip(SWEEP, axes, strict=True):
        rows = [row for row in found if row["axis"] == axis]
        place.plot([row[axis] for row in rows], [row["ratio"] for row in rows], marker="o")
        place.set_xlabel(names.get(axis, "pairs in a batch"))
        place.set_ylim(bottom=0)
        place.grid(alpha=0.3)
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
    found = sweep(options.steps)
    TABLE.write_text("\n".join([",".join(found[0]), *map(_line, found)]) + "\n")
    plot(found)
    ratios = [row["ratio"] for row in found]
    print(f"ratio shared / plain: {min(ratios):.2f} to {max(ratios):.2f}")


if __name__ == "__main__":
    main()
