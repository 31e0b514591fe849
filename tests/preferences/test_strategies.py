"""How pairs are made is looked up by `pairs.mode`; a strategy is one function and one line."""

import pytest
from pydantic import ValidationError

from callwright.params import PairsParams
from callwright.params.pairs import PAIR_STRATEGIES
from callwright.preferences.forks import pairs_from_forks
from callwright.preferences.strategies import strategies_of
from callwright.records import CheckedChain
from callwright.tasks import TASKS
from tests.fakes import checked, problem

CHAINS = (  # a fork at the question, and another one after add(2, 3)
    checked("add(2, 3)", "answer(5)", correct=True),
    checked("add(2, 3)", "answer(6)", correct=False),
    checked("multiply(2, 3)", "answer(6)", correct=False),
)


def params(mode: str) -> PairsParams:
    return PairsParams(
        mode=mode, min_margin=0.3, cost_weight=0.0, max_per_problem=9, max_kind_share=1.0, max_task_share=1.0
    )


def rejected_replies(chains: tuple[CheckedChain, ...], mode: str) -> list[str]:
    pairs, _ = pairs_from_forks(chains, {"p": problem()}, TASKS, params(mode))
    return sorted(pair.rejected[0]["content"] for pair in pairs)


def test_a_strategy_of_ones_own_is_chosen_by_its_name(monkeypatch: pytest.MonkeyPatch):
    assert rejected_replies(CHAINS, "step") == ["answer(value=6)", "multiply(a=2, b=3)"]
    monkeypatch.setitem(PAIR_STRATEGIES, "first_step", ("tests.preferences.first_steps:first_step_pairs",))
    assert rejected_replies(CHAINS, "first_step") == ["multiply(a=2, b=3)"]


def test_every_mode_has_strategies_that_exist():
    assert [len(strategies_of(mode)) for mode in ("step", "chain", "both")] == [1, 1, 2]


def test_an_unknown_mode_is_refused_with_the_known_ones():
    with pytest.raises(ValidationError, match="should be one of step, chain, both"):
        params("steps")
