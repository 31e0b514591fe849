"""Does a regrouped clone give the same results as the clone before it, and is it as fast?

    python benchmarks/compare_clones.py BEFORE AFTER                     # results alone: five minutes on two cores
    python benchmarks/compare_clones.py BEFORE AFTER --keep FOLDER       # leave both runs in FOLDER/before and /after
    python benchmarks/compare_clones.py BEFORE AFTER --reuse-before FOLDER          # run AFTER alone: half the time
    python benchmarks/compare_clones.py BEFORE AFTER --speed --repeats 5            # and measure both, in turns

BEFORE and AFTER are clones or worktrees of the project. In a copy of each, the whole pipeline runs at tiny scale
(tests/stages/tiny.yaml of BEFORE over each clone's own params.yaml, the oracle as teacher, one thread): once with the
text protocol, once with the native one. Then every file that the stages publish is compared, item by item; the first
difference is nearest to its cause. The exit code is 1 if something differs. This script imports no callwright;
`clone_run.py` says how each clone's own is used.

Compared: data/ (records by their id, in any order), models/ (tensors bit by bit, other files whole), and reports/. Two
runs of the same code on the same machine are the same in all of it except for what is left out here:

- times: reports/seconds/; `seconds` and `seconds_per_problem` in metrics.json; `latency_s` in rollout.json;
  `pairs_per_second` in train.json
- the order of `target_modules` in adapter_config.json, which PEFT keeps as a set
- numbers in reports/index.html (times, bars) and in checks.html of the data docs (dates in links); their words count

Not looked at: the pages that Great Expectations draws, journals (they are in the order in which attempts end), what
MLflow's store holds, what the stages print. At tiny scale the student cannot call functions yet (its steps are syntax
faults), and validation needs no second process (it takes 2,305 chains or more). `--overlay` takes other params. Once
the student calls functions, which rows meet in a forward pass depends on how long the calls take, and sums are rounded
accordingly: 1 of 1,176 chains differed between runs of the same code. Set `rollout.batch_size` and
`evaluate.batch_size` to 1 then.
"""

import argparse
import json
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from clone_run import Run, finished_run, run_pipeline
from clone_speed import print_speed

PROTOCOLS = ("text", "native")
TASKS = {"arithmetic", "translation", "entailment"}
TIMES = {  # by report: what is measured, as paths in its JSON
    "reports/metrics.json": r"seconds|seconds_per_problem",
    "reports/rollout.json": r"\w+\.latency_s",
    "reports/train.json": r"pairs_per_second",
}
SETS = {"models/adapter/adapter_config.json": "target_modules"}  # a list whose order means nothing
NUMBERS_REPLACED = re.compile(r"reports/index\.html|reports/data_docs/\w+/checks\.html")
NOT_COMPARED = re.compile(r"reports/seconds/.*|reports/data_docs/\w+/(?!checks\.html).*|(.*/)?\.[^/]*")
ORDER = ("data/problems", "models/base", "data/chains", "data/validated", "data/pairs", "models/", "data/", "reports/")
SHOWN = 3  # differences of one file


@dataclass(frozen=True, slots=True)
class Compared:
    """One file of both runs: how many items it has, how many differences there are, and the first of them."""

    name: str
    items: str
    differences: int = 0
    first: tuple[str, ...] = ()
    note: str = ""

    def lines(self) -> Iterator[str]:
        verdict = f"{self.differences:,} DIFFERENT" if self.differences else f"same{self.note}"
        yield f"{self.name:<46} {self.items:>16}  {verdict}"
        for difference in self.first:
            yield f"    {difference}"


def main() -> None:
    options = _options()
    overlay = options.overlay or options.before / "tests/stages/tiny.yaml"
    with tempfile.TemporaryDirectory(prefix="callwright-compare-") as temporary:
        folder = Path(options.keep or temporary)
        runs = {protocol: _run_both(options, folder, overlay, protocol) for protocol in PROTOCOLS}
        different = 0
        for protocol, (before, after) in runs.items():
            print(f"\n{protocol} protocol: {_coverage(before)}")
            compared = [_compare(name, before.folder, after.folder) for name in _names(before, after)]
            for file in compared:
                print("\n".join(file.lines()))
            different += sum(file.differences > 0 for file in compared)
        print(f"\nverdict: {f'{different} files differ' if different else 'the same results'}", flush=True)
        if options.speed:
            print_speed(*runs["text"], options.repeats)
    sys.exit(bool(different))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("before", type=Path, metavar="BEFORE")
    parser.add_argument("after", type=Path, metavar="AFTER")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the runs in FOLDER/before and FOLDER/after")
    parser.add_argument("--reuse-before", type=Path, metavar="FOLDER", help="take the run of BEFORE that --keep left")
    parser.add_argument(
        "--overlay", type=Path, metavar="FILE", help="other params than those of tests/stages/tiny.yaml"
    )
    parser.add_argument("--speed", action="store_true", help="measure both clones as well")
    parser.add_argument("--repeats", type=int, default=5, help="of each measurement (default: 5)")
    return parser.parse_args()


def _run_both(options: argparse.Namespace, folder: Path, overlay: Path, protocol: str) -> tuple[Run, Run]:
    if options.reuse_before:
        before = finished_run(options.before, options.reuse_before / "before" / protocol, overlay, protocol)
    else:
        before = _fresh_run(options.before, folder / "before" / protocol, overlay, protocol)
    return before, _fresh_run(options.after, folder / "after" / protocol, overlay, protocol)


def _fresh_run(clone: Path, folder: Path, overlay: Path, protocol: str) -> Run:
    print(f"running {clone} in {folder}", flush=True)
    return run_pipeline(clone, folder, overlay, protocol)


def _coverage(run: Run) -> str:
    """Whose chains of which tasks are compared.

    Raises:
        SystemExit: a task has no chains of the teacher, or of the student.
    """
    problems = [problem for path in (run.folder / "data/problems").glob("*.jsonl") for problem in _records(path)]
    task_of = {problem["id"]: problem["task"] for problem in problems}
    parts = []
    for model in ("teacher", "student"):
        chains = _records(run.folder / f"data/chains/{model}.jsonl")
        counts = Counter(task_of[chain["problem_id"]] for chain in chains)
        if missing := TASKS - set(counts):
            sys.exit(f"{run.folder}: the {model} has no chains of {', '.join(sorted(missing))}")
        parts.append(f"{model}'s chains: " + ", ".join(f"{count} {task}" for task, count in sorted(counts.items())))
    return "; ".join(parts)


def _names(*runs: Run) -> list[str]:
    """The files to compare: those that one of the runs has, in the order in which the stages write them."""
    files = {
        path.relative_to(run.folder).as_posix()
        for run in runs
        for top in ("data", "models", "reports")
        for path in (run.folder / top).rglob("*")
        if path.is_file()
    }
    compared = [name for name in files if not NOT_COMPARED.fullmatch(name)]
    return sorted(compared, key=lambda name: (next(i for i, top in enumerate(ORDER) if name.startswith(top)), name))


def _compare(name: str, before: Path, after: Path) -> Compared:
    for folder, other in ((before, "AFTER"), (after, "BEFORE")):
        if not (folder / name).is_file():
            return Compared(name, "", 1, (f"only in {other}",))
    kinds = {".jsonl": _compare_records, ".json": _compare_json, ".safetensors": _compare_tensors}
    return kinds.get(Path(name).suffix, _compare_text)(name, before / name, after / name)


def _compare_records(name: str, before: Path, after: Path) -> Compared:
    records = [_by_id(_records(path)) for path in (before, after)]
    note = ", in another order" if list(records[0]) != list(records[1]) else ""
    return _compared(name, f"{len(records[0]):,} records", records, note)


def _compare_json(name: str, before: Path, after: Path) -> Compared:
    values = [json.loads(path.read_text()) for path in (before, after)]
    if key := SETS.get(name):
        values = [{**value, key: sorted(value.get(key, ()))} for value in values]
    return _compared(name, f"{sum(1 for _ in _leaves(values[0])):,} values", values)


def _compare_text(name: str, before: Path, after: Path) -> Compared:
    texts = [path.read_text() for path in (before, after)]
    if NUMBERS_REPLACED.fullmatch(name):
        texts = [re.sub(r"\d[\d.,]*", "#", text) for text in texts]
    lines = [dict(enumerate(text.splitlines(), start=1)) for text in texts]
    return _compared(name, f"{len(lines[0]):,} lines", lines)


def _compare_tensors(name: str, before: Path, after: Path) -> Compared:
    import torch
    from safetensors.torch import load_file

    tensors_before, tensors_after = load_file(before), load_file(after)
    differences = [
        f"{key}: only in {'BEFORE' if key in tensors_before else 'AFTER'}"
        for key in sorted(tensors_before.keys() ^ tensors_after.keys())
    ]
    for key in sorted(tensors_before.keys() & tensors_after.keys()):
        a, b = tensors_before[key], tensors_after[key]
        if a.dtype != b.dtype or a.shape != b.shape:
            differences.append(f"{key}: {a.dtype} {tuple(a.shape)} -> {b.dtype} {tuple(b.shape)}")
        elif not torch.equal(*(tensor.contiguous().reshape(-1).view(torch.uint8) for tensor in (a, b))):
            differences.append(f"{key}: at most {(a.double() - b.double()).abs().max().item():.3g} apart")
    return Compared(name, f"{len(tensors_before):,} tensors", len(differences), tuple(differences[:SHOWN]))


def _compared(name: str, items: str, values: Sequence[Any], note: str = "") -> Compared:
    """What `_differences` finds in the values of BEFORE and AFTER, without times."""
    measured = TIMES.get(name, "(?!)")
    differences = [line for path, line in _differences(*values) if not re.match(rf"({measured})(\.|$)", path)]
    return Compared(name, items, len(differences), tuple(differences[:SHOWN]), note)


def _differences(before: Any, after: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Where two JSON values differ: the path, and the path with both values, shortened."""
    if isinstance(before, list) and isinstance(after, list):
        before, after = dict(enumerate(before)), dict(enumerate(after))
    if isinstance(before, dict) and isinstance(after, dict):
        for key in [*before, *(key for key in after if key not in before)]:
            inner = f"{path}.{key}" if path else str(key)
            if key in before and key in after:
                yield from _differences(before[key], after[key], inner)
            else:
                yield inner, f"{inner}: only in {'BEFORE' if key in before else 'AFTER'}"
    elif type(before) is not type(after) or before != after:
        yield path, f"{path}: {_shown(before, after)} -> {_shown(after, before)}"


def _shown(value: Any, other: Any) -> str:
    """A value on one line; of a long text, the part around its first difference from the other."""
    if isinstance(value, str) and isinstance(other, str):
        index = next((i for i, (a, b) in enumerate(zip(value, other, strict=False)) if a != b), 0)
        start = max(0, index - 20)
        value = f"{'...' if start else ''}{value[start : start + 60]}{'...' if len(value) > start + 60 else ''}"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _leaves(value: Any) -> Iterator[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None:
        yield value
        return
    for item in inner:
        yield from _leaves(item)


def _records(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().split("\n") if line]


def _by_id(records: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Records by their id, or by their chain's; those with the same id, or without, are counted."""
    counts, named = Counter[str](), {}
    for record in records:
        name = str(record.get("id") or record.get("chain", {}).get("id") or "record")
        counts[name] += 1
        named[name if counts[name] == 1 else f"{name} ({counts[name]})"] = record
    return named


if __name__ == "__main__":
    main()
