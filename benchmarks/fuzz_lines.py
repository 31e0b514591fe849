"""Hostile lines of chain files by the hundred thousand: each becomes a row, none a surprise, and none is slow.

    python benchmarks/fuzz_lines.py --inputs 200000     # about ten minutes on one free core

The lines are those of tests/validation/test_hostile_lines.py: a good chain with fields, calls, steps or bytes changed,
made by hypothesis in batches of a thousand, each with its number as the seed. Counts go to a CSV after every batch, and
a rerun goes on after the last of them. Seconds are processor time of this process for one line; the solvers run in a
process of their own. The exit code is 1 if a line was a surprise or took more than LIMIT.
"""

import argparse
import csv
import sys
import time
from collections import Counter
from pathlib import Path

from hypothesis import HealthCheck, given, seed, settings

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # tests/ is no installed package

from tests.validation.test_hostile_lines import lines, rows  # noqa: E402

LIMIT = 0.1  # seconds of one line
BATCH = 1_000
COLUMNS = ("batch", "inputs", "surprises", "slow", "slowest_s", "outcomes")


def run_batch(number: int) -> dict[str, object]:
    """What a batch of lines came to, as a row of the CSV."""
    outcomes: Counter[str] = Counter()
    seconds: list[float] = []

    @seed(number)
    @settings(max_examples=BATCH, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(lines())
    def check(line: bytes) -> None:
        began = time.process_time()
        (row,) = rows(line)
        spent = time.process_time() - began
        if spent > LIMIT:  # the least of three tries: a collection of garbage is not the line's
            for _ in range(2):
                began = time.process_time()
                rows(line)
                spent = min(spent, time.process_time() - began)
        seconds.append(spent)
        outcomes[outcome(row)] += 1

    check()
    counted = " ".join(f"{kind}={count}" for kind, count in sorted(outcomes.items()))
    slow = sum(one > LIMIT for one in seconds)
    values = (number, len(seconds), outcomes["surprise"], slow, round(max(seconds), 4), counted)
    return dict(zip(COLUMNS, values, strict=True))


def outcome(row: object) -> str:
    """In a word what became of a line."""
    for kind, column in (("surprise", "unexpected"), ("unreadable", "unreadable"), ("orphan", "orphan")):
        if getattr(row, column) is not None:
            return kind
    if row.mismatch is not None:  # type: ignore[attr-defined]
        return "mismatch"
    return "correct" if row.correct else "incorrect"  # type: ignore[attr-defined]


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--inputs", type=int, default=200_000)
    arguments.add_argument("--csv", type=Path, default=ROOT / ".callwright/fuzz_lines.csv")
    options = arguments.parse_args()
    options.csv.parent.mkdir(parents=True, exist_ok=True)
    if not options.csv.exists():
        options.csv.write_text(",".join(COLUMNS) + "\n")
    done = list(csv.DictReader(options.csv.open()))
    for number in range(len(done), options.inputs // BATCH):
        batch = run_batch(number)
        with options.csv.open("a", newline="") as file:
            csv.DictWriter(file, COLUMNS).writerow(batch)
        done.append({name: str(value) for name, value in batch.items()})
        print(f"batch {number}: {batch['outcomes']}, slowest {batch['slowest_s']} s", flush=True)
    surprises, slow, inputs = (sum(int(one[name]) for one in done) for name in ("surprises", "slow", "inputs"))
    totals: Counter[str] = Counter()
    for one in done:
        totals.update({kind: int(count) for kind, count in (part.split("=") for part in one["outcomes"].split())})
    print(f"{inputs:,} lines: {surprises} surprises, {slow} over {LIMIT} s")
    print(f"slowest: {max(float(one['slowest_s']) for one in done)} s")
    print(", ".join(f"{kind} {count:,}" for kind, count in totals.most_common()))
    sys.exit(1 if surprises or slow else 0)


if __name__ == "__main__":
    main()
