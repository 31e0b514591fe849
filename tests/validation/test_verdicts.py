"""The word "correct" on chains whose worth is known: honest ones of every kind, cheats of every kind, and an attacker.

benchmarks/verdicts.py does the same with more chains."""

import random

import pytest

from callwright.agent.parsing.parse import parse_call
from callwright.params import Params
from callwright.problems.load import load_problems
from callwright.records import Problem
from callwright.tasks import TASKS
from callwright.validation.replay import check_chain
from tests.validation.attacker import attacks, successes
from tests.validation.made_chains import CHEATS, HONEST, forged, made_chain
from tests.working_tree import ROOT

EACH = 8  # chains of a kind
ATTACKS = 2  # on each of the arithmetic problems


@pytest.fixture(scope="module")
def problems() -> list[Problem]:
    """Of all families, in an order that mixes them."""
    params = Params.load(ROOT / "params.yaml")
    loaded = load_problems(params.problems, params.seed, TASKS, parse_call)
    found = [problem for split in loaded.splits.values() for problem in split]
    return random.Random(5).sample(found, len(found))


def made(problems, way, rng):
    """Pairs of a problem and the replies that a way makes of it, EACH of them."""
    fitting = ((problem, replies) for problem in problems if (replies := way(problem, rng)) is not None)
    return [pair for pair, _ in zip(fitting, range(EACH), strict=False)]


@pytest.mark.parametrize("kind", HONEST)
@pytest.mark.parametrize("native", [False, True])
def test_an_honest_chain_is_correct(problems, kind: str, native: bool):
    pairs = made(problems, HONEST[kind], random.Random(kind))
    assert len(pairs) == EACH
    for problem, replies in pairs:
        calls = [reply for reply in replies if not isinstance(reply, str)]
        said = calls or problem.solution if native else replies  # a text is no native call
        verdict = check_chain(made_chain(problem, said, native=native), problem).verdict
        assert verdict.correct, (problem.question, replies, verdict.faults)


@pytest.mark.parametrize("kind", CHEATS)
def test_a_cheat_is_not_correct_though_its_answer_is_right(problems, kind: str):
    pairs = made(problems, CHEATS[kind], random.Random(kind))
    assert len(pairs) == EACH
    for problem, replies in pairs:
        chain = made_chain(problem, replies)
        verdict = check_chain(chain, problem).verdict
        assert chain.answer is not None
        assert not verdict.correct, (problem.question, replies)
        assert "wrong_answer" not in {fault.fault for fault in verdict.faults}


def test_a_forged_result_is_not_correct(problems):
    chains = [(problem, chain) for problem in problems[:100] if (chain := forged(problem, random.Random(1)))]
    assert len(chains) > EACH
    assert not any(check_chain(chain, problem).verdict.correct for problem, chain in chains)


def test_an_attacker_who_knows_the_answer_finds_no_way_without_the_questions_numbers(problems):
    own = [problem for problem in problems if problem.task == "arithmetic"]
    assert sum(1 for problem in own for _ in attacks(problem, ATTACKS, 3)) > 500
    assert [chain for problem in own for chain in successes(problem, ATTACKS, 3)] == []
