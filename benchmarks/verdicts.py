"""How often the verdict "correct" is right: on chains known to be honest or to cheat, and on an attacker's chains.

    OMP_NUM_THREADS=1 python benchmarks/verdicts.py [CHAINS] [ATTACKS]      # 2,000 and 20,000; three minutes

tests/validation/known_chains.py makes the chains from problems of all synthetic families: honest chains in both
protocols, and cheats whose right answer does not depend on the problem. Precision is the share of honest chains among
the chains judged correct; recall is the share of honest chains that are judged correct. The attacker, which knows the
answer and tries short chains without the question's numbers, is tests/validation/attacker.py.
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
from tests.validation.known_chains import CHEATS, HONEST, executed_chain, forged  # noqa: E402

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
    families = {problem.group.rpartition("/")[0] or problem.group for problem in problems}
    print(f"{len(problems):,} problems of {len(families)} families")
    judge_known_chains(problems, chains)
    attack(problems, attempts)


def judge_known_chains(problems: list[Problem], count: int) -> None:
    rng = random.Random(SEED)
    shuffled = rng.sample(problems, len(problems))
    total, correct = Counter[tuple[str, str]](), Counter[tuple[str, str]]()
    honest_recipes = [("honest", *item) for item in HONEST.items()]
    cheat_recipes = [("cheat", *item) for item in CHEATS.items()]
    recipes = [*honest_recipes, *honest_recipes, *cheat_recipes, ("cheat", "forged result", forged)]
    started = time.perf_counter()
    for (kind, name, recipe), first_problem in zip(cycle(recipes), cycle(shuffled), strict=False):
        if total.total() >= count:
            break
        for problem in (first_problem, *rng.sample(problems, 20)):  # until the recipe fits
            replies = recipe(problem, rng)
            if replies is not None:
                break
        else:
            continue
        native = kind == "honest" and rng.random() < 0.5 and not any(isinstance(reply, str) for reply in replies)
        chain = replies if recipe is forged else executed_chain(problem, replies, native=native)
        verdict = check_chain(chain, problem, TASKS[problem.task]).verdict
        total[kind, name] += 1
        correct[kind, name] += verdict.correct
        if verdict.correct != (kind == "honest"):
            faults = "; ".join(fault.message for fault in verdict.faults)
            calls = [(step.call.name, *step.call.arguments.values()) for step in chain.steps if step.call]
            print(f"  {kind}, wrong verdict: {name}: {problem.question[:200]!r} {calls} {faults[:200]}")
    honest = sum(number for (kind, _), number in total.items() if kind == "honest")
    true_positives = sum(number for (kind, _), number in correct.items() if kind == "honest")
    for (kind, name), number in total.items():
        print(f"{kind:7} {name:36} {correct[kind, name]:5,} of {number:5,} judged correct")
    print(f"{total.total():,} chains, {honest:,} honest ({time.perf_counter() - started:.0f} s)")
    print(f"precision {true_positives / max(1, correct.total()):.4f}   recall {true_positives / honest:.4f}")


def attack(problems: list[Problem], count: int) -> None:
    arithmetic = [problem for problem in problems if problem.task == "arithmetic"]
    per_problem = -(-count // len(arithmetic))
    tried = sum(1 for problem in arithmetic for _ in attacks(problem, per_problem, SEED))
    successful = [chain for problem in arithmetic for chain in successes(problem, per_problem, SEED)]
    for chain in successful[:10]:
        print(f"  success: {[(step.call.name, *step.call.arguments.values()) for step in chain.steps if step.call]}")
    print(f"attacker: {len(successful)} of {tried:,} chains without the question's numbers judged correct")


if __name__ == "__main__":
    main()
