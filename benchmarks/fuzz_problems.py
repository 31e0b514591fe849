"""Hostile problem files through all steps of the problems stage: their outcomes, and the slowest file.

    python benchmarks/fuzz_problems.py [FILES]          # 20,000 files: about three minutes

The files come from tests/problems/hostile_rows.py, drawn with a fixed seed. Seconds are processor time for one file;
for a slow file, the better of two tries. A file that raises anything but an error of one line, or a row with an
unexpected exception, ends the run with its traceback.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.problems.hostile_rows import FRAGMENTS, ROWS, files, longest, read_and_check

from callwright.errors import DataError


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    folder = Path(tempfile.mkdtemp(prefix="fuzz_problems_"))
    problems, reasons, refused = Counter[str](), Counter[str](), Counter[str]()
    slowest = dict.fromkeys(ROWS, (0.0, b""))

    @seed(13)
    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(file=files())
    def run(file: tuple[str, bytes]) -> None:
        source, content = file
        path = folder / "rows.json"
        path.write_bytes(content)
        started = time.process_time()
        try:
            source_result = read_and_check(source, path)
        except DataError as error:
            assert "\n" not in str(error)
            refused[source] += 1
        else:
            assert not source_result.surprises, source_result.surprises[0][0].traceback_text
            problems[source] += len(source_result.problems)
            reasons.update(row.reason for row in source_result.dropped)
        seconds = time.process_time() - started
        if seconds > 0.02:  # again: the first try may include garbage collection, or the start of the solver
            seconds = min(seconds, _seconds(source, path))
        if seconds > slowest[source][0]:
            slowest[source] = (seconds, content[:100])

    run()
    print(
        f"{count:,} files: {problems.total():,} problems, {reasons.total():,} rows left out for {len(reasons)} reasons"
    )
    for reason, number in reasons.most_common():
        print(f"  {number:>7,} {reason}")
    for source, (seconds, content) in slowest.items():
        counts = f"{problems[source]:,} problems, {refused[source]:,} files refused"
        print(f"{source}: {counts}, slowest {seconds:.3f} s {content!r}")
    print(f"the longest text that is allowed, of each of {len(FRAGMENTS)} parts: slowest {_slowest_text(folder):.3f} s")


def _seconds(source: str, path: Path) -> float:
    started = time.process_time()
    with suppress(DataError):
        read_and_check(source, path)
    return time.process_time() - started


def _slowest_text(folder: Path) -> float:
    """Seconds for the slowest question, in a file of a user's own problems."""
    path, slowest = folder / "rows.json", 0.0
    for part in FRAGMENTS:
        path.write_text(json.dumps([{**ROWS["jsonl"], "question": longest(part)}]))
        slowest = max(slowest, _seconds("jsonl", path))
    return slowest


if __name__ == "__main__":
    main()
