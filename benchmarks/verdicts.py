"""How good the word "correct" is: chains whose worth is known, judged; and an attacker who searches for cheap ones.

    OMP_NUM_THREADS=1 python benchmarks/verdicts.py [CHAINS] [ATTACKS]      # 2,000 and 20,000; three minutes

Chains are made by construction (tests/validation/made_chains.py) from problems of all synthetic families: honest ones,
in both protocols, and cheats that reach the right answer by other means than the problem. Precision is the share of
honest chains among those judged correct, recall the share of honest chains that are. The attacker
(tests/validation/attacker.py) knows the answer and tries short chains without the question's numbers.
"""

import random
import sys
import time
from collections import Counter
from itertools import cycle
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.validation.attacker import attacks, successes  # noqa: E402
from tests.validation.made_chains import CHEATS, HONEST, forged, made_chain  # noqa: E402

from callwright.agent.parsing.parse import parse_call  # noqa: E402
from callwright.params import Params  # noqa: E402
from callwright.problems.load import load_problems  # noqa: E402
from callwright.records import Problem  # noqa: E402
from callwright.tasks import TASKS  # noqa: E402
from callwright.validation.replay import check_chain  # noqa: E402

SEED = 13


def main() -> None:
    chains = int(sys.argv[1].replace(",", "")) if len(sys.argv) > 1 else 2_000
    attempts = int(sys.argv[2].replace(",", "")) if len(sys.argv) > 2 else 20_000
    params = Params.load(ROOT / "params.yaml")
    loaded = load_problems(params.problems, params.seed, TASKS, parse_call)
    problems = [problem for split in loaded.splits.values() for problem in split if problem.solution]
    families = {problem.group.rpartition("/")[0] for problem in problems}
    print(f"{len(problems):,} problems of {len(families)} families")
    judge_made(problems, chains)
    attack(problems, attempts)


def judge_made(problems: list[Problem], count: int) -> None:
    rng = random.Random(SEED)
    drawn = rng.sample(problems, len(problems))
    made, kept = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    ways = [("honest", name, way) for name, way in HONEST.items()] + [("cheat", *item) for item in CHEATS.items()]
    ways = [*(way for way in ways if way[0] == "honest"), *ways, ("cheat", "forged result", forged)]
    started = time.perf_counter()
    for (kind, name, way), problem in zip(cycle(ways), cycle(drawn), strict=False):
        if made.total() >= count:
            break
        for other in (problem, *rng.sample(problems, 20)):  # until the way fits
            replies = way(other, rng)
            if replies is not None:
                break
        else:
            continue
        native = kind == "honest" and rng.random() < 0.5 and not any(isinstance(one, str) for one in replies)
        chain = replies if way is forged else made_chain(other, replies, native=native)
        verdict = check_chain(chain, other).verdict
        made[kind, name] += 1
        kept[kind, name] += verdict.correct
        if verdict.correct != (kind == "honest"):
            faults = "; ".join(fault.message for fault in verdict.faults)
            calls = [(step.call.name, *step.call.arguments.values()) for step in chain.steps if step.call]
            print(f"  {kind}, judged otherwise: {name}: {other.question[:200]!r} {calls} {faults[:200]}")
    honest = sum(n for (kind, _), n in made.items() if kind == "honest")
    right = sum(n for (kind, _), n in kept.items() if kind == "honest")
    fooled = kept.total() - right
    for (kind, name), n in made.items():
        print(f"{kind:7} {name:36} {kept[kind, name]:5,} of {n:5,} judged correct")
    print(f"{made.total():,} chains, {honest:,} honest ({time.perf_counter() - started:.0f} s)")
    print(f"precision {right / max(1, right + fooled):.4f}   recall {right / honest:.4f}")


def attack(problems: list[Problem], count: int) -> None:
    own = [problem for problem in problems if problem.task == "arithmetic"]
    each = -(-count // len(own))
    tried = sum(1 for problem in own for _ in attacks(problem, each, SEED))
    found = [chain for problem in own for chain in successes(problem, each, SEED)]
    for chain in found[:10]:
        print(f"  found: {[(step.call.name, *step.call.arguments.values()) for step in chain.steps if step.call]}")
    print(f"attacker: {len(found)} of {tried:,} chains without the question's numbers judged correct")


if __name__ == "__main__":
    main()
