"""How fast two clones are, measured alternately in the copies that `compare_clones.py` ran them in.

Each measurement is a separate process with the copy's code. It uses the Python names that DESIGN.md keeps, or starts
a stage's script as dvc.yaml does; the stages themselves report their seconds.

- import: processor seconds of the import statement in a fresh process
- parse: `parse_call` over a fixed list of replies, right and broken; replies per processor second
- replay: `check_chain` over data/chains/teacher.jsonl, after one chain of each task (which starts the solver's worker);
  chains a second, by the clock, because the solver has its own process
- stages: validate (Great Expectations takes most of it); rollout from an empty journal, by oracle and base; train with
  warm-up and preferences; seconds, imports included
- preferences: TRL's own time for the pairs of that training; pairs a second
"""

import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from clone_run import Run
from measurements import processor

IMPORT = """
import importlib.util, time
name = "{module}"
if name == "callwright.cli" and importlib.util.find_spec("callwright.cli").submodule_search_locations:
    name += ".app"  # the code of the command, since it is a package
start = time.process_time()
__import__(name)
seconds = time.process_time() - start
import callwright, os
assert callwright.__file__.startswith(os.path.realpath("src")), callwright.__file__
print(seconds)
"""

PARSE = """
import random, time
from callwright.agent.parse import parse_call
rng = random.Random(7)
names = ("add", "subtract", "multiply", "percent_of")
forms = (
    "{n}({a}, {b})", "{n}(a={a}, b={b})", "First I add them.\\n{n}(a={a}, b=-{b})", "```python\\n{n}({a}, b={b})\\n```",
    "assume(formula='all x. (P{a}(x) -> Q{b}(x))')", "answer(value='{a}/{b}')", "{n}({a}, {b}", "I think it is {a}.",
)
replies = [rng.choice(forms).format(n=rng.choice(names), a=rng.randint(1, 999), b=rng.randint(1, 999))
           for _ in range(10_000)]
for reply in replies[:1_000]:
    parse_call(reply)
start = time.process_time()
for reply in replies:
    parse_call(reply)
print(len(replies) / (time.process_time() - start))
"""

REPLAY = """
import time
from pathlib import Path
from callwright.records import Chain, Problem
try:
    from callwright.storage.jsonl import read
except ImportError:  # before modules were regrouped
    from callwright.storage import read
from callwright.tasks import TASKS
from callwright.validation.replay import check_chain
problems = {problem.id: problem for path in Path("data/problems").glob("*.jsonl") for problem in read(Problem, path)}
chains = list(read(Chain, Path("data/chains/teacher.jsonl")))
first_of_task = {problems[chain.problem_id].task: chain for chain in reversed(chains)}
for name, chain in first_of_task.items():
    check_chain(chain, problems[chain.problem_id], TASKS[name])
start = time.perf_counter()
for chain in chains:
    problem = problems[chain.problem_id]
    check_chain(chain, problem, TASKS[problem.task])
print(len(chains) / (time.perf_counter() - start))
"""

TRAIN = "accelerate launch --quiet --config_file conf/accelerate/cpu.yaml --num_processes 1 stages/train.py"
CHEAP = 3
LEFT_OF_WORK = (".callwright/journals", ".callwright/training")  # what would spare a stage its work
STORE = ("mlflow.db", "mlartifacts", ".dvc", ".git", "compare_clones")  # not copied: names folders, or is large


def print_speed(before: Run, after: Run, repeats: int) -> None:
    """Measure both and print the medians, what they lie between, and the ratio of the medians.

    Args:
        repeats: of each stage; what takes less than a second is repeated CHEAP times as often.
    """
    print(f"\n{processor()}; medians (lowest to highest), in turns; repeats of each stage: {repeats}")
    with tempfile.TemporaryDirectory(prefix="callwright-speed-") as temporary:
        runs = [_copy(run, Path(temporary, name)) for run, name in ((before, "before"), (after, "after"))]
        for measure in (_imports, _parse, _replay):
            _print_measure(measure, runs, repeats * CHEAP)
        for measure in (_validate, _rollout, _train):
            _print_measure(measure, runs, repeats)


def _print_measure(measure: Callable[[Run], dict[str, float]], runs: list[Run], repeats: int) -> None:
    figures: list[dict[str, list[float]]] = [{}, {}]
    for repeat in range(repeats):
        for index in (0, 1) if repeat % 2 == 0 else (1, 0):  # neither is always the first
            for name, figure in measure(runs[index]).items():
                figures[index].setdefault(name, []).append(figure)
    for name, before in figures[0].items():
        after = figures[1][name]
        ratio = statistics.median(after) / statistics.median(before)
        print(f"{name:<34} {_shown(before)} -> {_shown(after)}  after/before {ratio:.2f}", flush=True)


def _shown(figures: list[float]) -> str:
    chosen = (statistics.median(figures), min(figures), max(figures))
    middle, low, high = (f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}" for figure in chosen)
    return f"{middle:>7} {f'({low} to {high})':<19}"


def _imports(run: Run) -> dict[str, float]:
    modules = ("callwright", "callwright.cli", "callwright.tasks")
    return {f"import {module}, s": _python(run, IMPORT.format(module=module)) for module in modules}


def _parse(run: Run) -> dict[str, float]:
    return {"parse, replies/s": _python(run, PARSE)}


def _replay(run: Run) -> dict[str, float]:
    return {"replay, chains/s": _python(run, REPLAY)}


def _validate(run: Run) -> dict[str, float]:
    return {"stage validate, s": _stage(run, "validate", sys.executable, "stages/validate.py")}


def _rollout(run: Run) -> dict[str, float]:
    return {"stage rollout, s": _stage(run, "rollout", sys.executable, "stages/rollout.py")}


def _train(run: Run) -> dict[str, float]:
    seconds = _stage(run, "train", *TRAIN.split())
    report = json.loads((run.folder / "reports/train.json").read_text())
    return {"stage train, s": seconds, "preferences, pairs/s": report["pairs_per_second"]}


def _python(run: Run, code: str) -> float:
    return float(run.start(sys.executable, "-c", code).splitlines()[-1])


def _stage(run: Run, name: str, *command: str) -> float:
    for folder in LEFT_OF_WORK:
        shutil.rmtree(run.folder / folder, ignore_errors=True)
    run.start(*command)
    seconds: float = json.loads((run.folder / f"reports/seconds/{name}.json").read_text())[name]
    return seconds


def _copy(run: Run, folder: Path) -> Run:
    """A copy to measure in, so that the run stays as it was compared."""
    shutil.copytree(run.folder, folder, ignore=shutil.ignore_patterns(*STORE))
    return Run(folder)


if __name__ == "__main__":
    sys.exit("see compare_clones.py --speed")
