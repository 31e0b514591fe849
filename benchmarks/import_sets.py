"""Public sets imported as a user would do it: rewritten as JSON Lines of a user's own problems, then loaded.

    python benchmarks/import_sets.py FOLDER

FOLDER contains svamp/SVAMP.json, satlm/gsm_system.json and satlm/gsm_algebra.json, as in their repositories.
SVAMP's equations become solutions, which are executed. Prints counts with the default `shared_words: 13` and with null.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

from callwright.agent.parsing.parse import parse_call
from callwright.errors import RowError
from callwright.functions.function import render_call
from callwright.params import Params
from callwright.problems.gsm8k import gold_chain
from callwright.problems.load import format_report, load_problems
from callwright.tasks import TASKS


def svamp(folder: Path) -> Iterable[dict[str, Any]]:
    for row in json.loads((folder / "svamp/SVAMP.json").read_text()):
        problem = {
            "id": row["ID"],
            "question": f"{row['Body'].rstrip('. ')}. {row['Question']}",
            "answer": row["Answer"],
        }
        try:
            calls = gold_chain(f"{row['Equation'].strip()} = {row['Answer']}", Fraction(str(row["Answer"])))
        except RowError:
            calls = ()
        yield {**problem, "solution": [render_call(call) for call in calls]} if calls else problem


def satlm(folder: Path, name: str) -> Iterable[dict[str, Any]]:
    for row in json.loads((folder / f"satlm/{name}.json").read_text()):
        yield {"id": row["id"], "question": row["question"], "answer": row["label"]}


def main() -> None:
    folder = Path(sys.argv[1])
    params = Params.load(Path(__file__).parents[1] / "params.yaml")
    out = Path(tempfile.mkdtemp(prefix="import_sets_"))
    sets = {"svamp": svamp(folder), **{name: satlm(folder, name) for name in ("gsm_system", "gsm_algebra")}}
    for name, rows in sets.items():
        path = out / f"{name}.jsonl"
        written = [json.dumps(row) for row in rows]
        path.write_text("\n".join(written) + "\n")
        for shared_words in (params.problems.shared_words, None):
            changes = {"source": "jsonl", "path": str(path), "shared_words": shared_words}
            started = time.perf_counter()
            loaded = load_problems(params.problems.model_copy(update=changes), params.seed, TASKS, parse_call)
            seconds = time.perf_counter() - started
            executed = sum(bool(problem.solution) for problems in loaded.splits.values() for problem in problems)
            print(
                f"{name}, shared_words {shared_words}: "
                f"{loaded.rows_read:,} rows, {executed:,} solutions ({seconds:.1f} s)"
            )
            print("\n".join(f"  {line}" for line in format_report(loaded)))


if __name__ == "__main__":
    main()
