"""Hundreds of thousands of hostile replies: read by both protocols, executed, stored. None raises, none is slow.

    python benchmarks/fuzz_replies.py --inputs 200000 --seed 1     # about ten minutes on one free core
    python benchmarks/fuzz_replies.py --inputs 2000                # some seconds

Each input is generated from its number and the seed (tests/agent/parsing/hostile_replies.py): a call in the markup of a
model series, mutated, with broken Unicode, huge numbers, deep nesting or long runs. Counts are added to a CSV after
every thousand inputs, and a rerun with the same seed continues after the last one. Seconds are processor time of this
process, so the solvers, which run in a separate process, and other load do not count. The exit code is 1 if an input
raised or took more than LIMIT.
"""

import argparse
import csv
import sys
import traceback
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # tests/ is not an installed package

from tests.agent.parsing.hostile_replies import Cost, check_reply, hostile_reply, open_toolboxes  # noqa: E402

LIMIT = 0.1  # seconds of one step of one reply
BATCH = 1_000
COLUMNS = ("seed", "inputs", "exceptions", "slow", "slowest_s", "slowest_input", "slowest_step", "outcomes")


def run_batch(seed: int, first: int) -> dict[str, object]:
    """The results of a thousand inputs from `first` on, as a row of the CSV."""
    outcomes: Counter[str] = Counter()
    exceptions = slow = 0
    slowest, slowest_input = Cost(), first
    for number in range(first, first + BATCH):
        try:
            cost = quickest(seed, number)
        except Exception:  # counted, shown, and the exit code
            exceptions += 1
            print(f"input {number} of seed {seed} raised:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
            continue
        outcomes += cost.outcomes
        slow += cost.seconds > LIMIT
        if cost.seconds > slowest.seconds:
            slowest, slowest_input = cost, number
    counted = " ".join(f"{kind}={count}" for kind, count in sorted(outcomes.items()))
    values = (seed, first + BATCH, exceptions, slow, round(slowest.seconds, 4), slowest_input, slowest.slowest, counted)
    return dict(zip(COLUMNS, values, strict=True))


def quickest(seed: int, number: int) -> Cost:
    """The cost of an input; of an input that seems slow, the least of three tries."""
    cost = check_reply(hostile_reply(number, seed), open_toolboxes())
    if cost.seconds <= LIMIT:
        return cost
    return min(
        (cost, *(check_reply(hostile_reply(number, seed), open_toolboxes()) for _ in range(2))),
        key=lambda cost: cost.seconds,
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--inputs", type=int, default=200_000)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--csv", type=Path, default=ROOT / ".callwright/fuzz_replies.csv")
    options = arguments.parse_args()
    options.csv.parent.mkdir(parents=True, exist_ok=True)
    rows = list(csv.DictReader(options.csv.open())) if options.csv.exists() else []
    rows = [row for row in rows if int(row["seed"]) == options.seed]
    if not options.csv.exists():
        options.csv.write_text(",".join(COLUMNS) + "\n")
    for first in range(len(rows) * BATCH, options.inputs, BATCH):
        row = run_batch(options.seed, first)
        with options.csv.open("a", newline="") as file:
            csv.DictWriter(file, COLUMNS).writerow(row)
        rows.append({key: str(value) for key, value in row.items()})
        print(f"{row['inputs']:,} inputs, slowest {row['slowest_s']} s ({row['slowest_step']})", flush=True)
    exceptions, slow = (sum(int(row[column]) for row in rows) for column in ("exceptions", "slow"))
    worst = max(rows, key=lambda row: float(row["slowest_s"]))
    totals: Counter[str] = Counter()
    for row in rows:
        for part in row["outcomes"].split():
            kind, count = part.split("=")
            totals[kind] += int(count)
    print(f"{len(rows) * BATCH:,} inputs: {exceptions} raised, {slow} over {LIMIT} s outside the solvers")
    print(
        f"slowest: {worst['slowest_s']} s, {worst['slowest_step']}, input {worst['slowest_input']} of {worst['seed']}"
    )
    print(", ".join(f"{kind} {count:,}" for kind, count in totals.most_common()))
    sys.exit(1 if exceptions or slow else 0)


if __name__ == "__main__":
    main()
