"""The verdict on chains that are known to be honest or to cheat, and on an attacker's chains.

benchmarks/verdicts.py does the same with more chains.
"""

import random

import pytest

from callwright.agent.parsing.parse import parse_call
from callwright.params import Params
from callwright.problems.load import load_problems
from callwright.records import Problem
from callwright.tasks import TASKS
from callwright.validation.replay import check_chain
from tests.validation.attacker import attacks, successes
from tests.validation.known_chains import CHEATS, HONEST, executed_chain, forged
from tests.working_tree import ROOT

CHAINS_PER_KIND = 8
ATTACKS_PER_PROBLEM = 2  # on arithmetic problems


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    """Problems of all families, in random order."""
    params = Params.load(ROOT / "params.yaml")
    loaded = load_problems(params.problems, params.seed, TASKS, parse_call)
    in_order = [problem for split in loaded.splits.values() for problem in split]
    return random.Random(5).sample(in_order, len(in_order))


def apply_recipe(problems, recipe, rng):
    """CHAINS_PER_KIND tuples of a problem and the replies that the recipe makes for it."""
    fitting = ((problem, replies) for problem in problems if (replies := recipe(problem, rng)) is not None)
    return [pair for pair, _ in zip(fitting, range(CHAINS_PER_KIND), strict=False)]


@pytest.mark.parametrize("kind", HONEST)
@pytest.mark.parametrize("native", [False, True])
def test_an_honest_chain_is_correct(problems, kind: str, native: bool):
    pairs = apply_recipe(problems, HONEST[kind], random.Random(kind))
    assert len(pairs) == CHAINS_PER_KIND
    for problem, replies in pairs:
        calls = [reply for reply in replies if not isinstance(reply, str)]
        used_replies = calls or problem.solution if native else replies  # a text is not a native call
        executed = executed_chain(problem, used_replies, native=native)
        verdict = check_chain(executed, problem, TASKS[problem.task]).verdict
        assert verdict.correct, (problem.question, replies, verdict.faults)


@pytest.mark.parametrize("kind", CHEATS)
def test_a_cheat_with_the_right_answer_is_not_correct(problems, kind: str):
    pairs = apply_recipe(problems, CHEATS[kind], random.Random(kind))
    assert len(pairs) == CHAINS_PER_KIND
    for problem, replies in pairs:
        chain = executed_chain(problem, replies)
        verdict = check_chain(chain, problem, TASKS[problem.task]).verdict
        assert chain.answer is not None
        assert not verdict.correct, (problem.question, replies)
        assert "wrong_answer" not in {fault.fault for fault in verdict.faults}


def test_a_forged_result_is_not_correct(problems):
    chains = [(problem, chain) for problem in problems[:100] if (chain := forged(problem, random.Random(1)))]
    assert len(chains) > CHAINS_PER_KIND
    assert not any(check_chain(chain, problem, TASKS[problem.task]).verdict.correct for problem, chain in chains)


def test_no_chain_without_the_questions_numbers_is_judged_correct(problems):
    arithmetic = [problem for problem in problems if problem.task == "arithmetic"]
    assert sum(1 for problem in arithmetic for _ in attacks(problem, ATTACKS_PER_PROBLEM, 3)) > 500
    assert [chain for problem in arithmetic for chain in successes(problem, ATTACKS_PER_PROBLEM, 3)] == []
