"""Limits on the mix of pairs, with expected counts calculated by hand."""

from collections import Counter

import pytest

from callwright.params import PairsParams
from callwright.preferences.balance import balance_pairs, drop_duplicate_pairs, has_answer_call
from callwright.records import Pair
from tests.fakes import pair, problem

NO_LIMITS = PairsParams(
    mode="step", min_margin=0.1, cost_weight=0, max_per_problem=9, max_kind_share=1, max_task_share=1
)
PROBLEMS = {task: problem(id=task, task=task) for task in ("arithmetic", "translation", "entailment")}


def pairs(task: str, kind: str, count: int, chosen: str = "add(a=2, b=3)", rejected: str = "add(") -> list[Pair]:
    sides = [({"role": "assistant", "content": content},) for content in (chosen, rejected)]
    return [pair(f"{task} {kind} {number}", (), *sides, problem_id=task, kind=kind) for number in range(count)]


def count_by_task(pairs: list[Pair]) -> dict[str, int]:
    return dict(Counter(pair.problem_id for pair in pairs))


def test_no_task_outweighs_the_others():
    all_pairs = [
        *pairs("arithmetic", "syntax", 10),
        *pairs("translation", "syntax", 2),
        *pairs("entailment", "syntax", 1),
    ]
    balanced_pairs = balance_pairs(all_pairs, PROBLEMS, NO_LIMITS.model_copy(update={"max_task_share": 0.75}))
    assert count_by_task(balanced_pairs) == {"arithmetic": 9, "translation": 2, "entailment": 1}  # 9 of 12


def test_a_pair_whose_id_has_half_a_surrogate_pair_can_be_dropped():
    all_pairs = [*pairs("arithmetic", "syntax \ud83d", 3), *pairs("translation", "syntax", 1)]
    limited = balance_pairs(all_pairs, PROBLEMS, NO_LIMITS.model_copy(update={"max_task_share": 0.5}))
    assert count_by_task(limited) == {"arithmetic": 1, "translation": 1}


def test_all_pairs_of_a_single_task_are_kept():
    all_pairs = pairs("arithmetic", "syntax", 10)
    assert balance_pairs(all_pairs, PROBLEMS, NO_LIMITS.model_copy(update={"max_task_share": 0.5})) == all_pairs


def test_limits_apply_again_after_another_limit_drops_pairs():
    all_pairs = [
        *pairs("arithmetic", "syntax", 6),
        *pairs("arithmetic", "wrong_call", 2),
        *pairs("translation", "syntax", 4),
    ]
    balanced_pairs = balance_pairs(
        all_pairs, PROBLEMS, NO_LIMITS.model_copy(update={"max_task_share": 0.5, "max_kind_share": 0.5})
    )
    for group_of in (lambda pair: pair.kind, lambda pair: pair.problem_id):
        counts = Counter(map(group_of, balanced_pairs))
        assert len(counts) == 1 or max(counts.values()) * 2 <= len(balanced_pairs)


def test_a_chain_pair_that_chooses_an_answer_balances_a_pair_that_rejects_it():
    early = pairs("arithmetic", "ungrounded_answer", 3, rejected="answer(value=6)")
    assert len(balance_pairs(early, PROBLEMS, NO_LIMITS)) == 3  # no pair chooses it
    late = pairs("arithmetic", "needless_call", 1, chosen="answer(value=5)")
    assert len(balance_pairs([*early, *late], PROBLEMS, NO_LIMITS)) == 2
    chain_pairs = pairs("arithmetic", "wrong_answer", 5, chosen="answer(value=5)", rejected="answer(value=6)")
    assert len(balance_pairs([*early, *chain_pairs], PROBLEMS, NO_LIMITS)) == 8


def test_results_that_look_like_an_answer_call_are_not_counted():
    side = ({"role": "user", "content": "answer(value=6)"}, {"role": "assistant", "content": "add(a=2, b=3)"})
    (chooses_answer,) = pairs("arithmetic", "wrong_call", 1, chosen="answer(value=5)")
    others = [
        pair(f"e{number}", (), chooses_answer.rejected, side, problem_id="arithmetic", kind="x") for number in range(4)
    ]
    assert len(balance_pairs([chooses_answer, *others], PROBLEMS, NO_LIMITS)) == 5


@pytest.mark.parametrize(
    ("content", "is_answer"),
    [
        ("answer(value=5)", True),
        ("So it is five.\nanswer(5)", True),
        ("```python\nanswer(value=5)\n```", True),
        ('{"name": "answer", "arguments": {"value": 5}}', True),
        ("answer(value=", False),
        ("add(a=2, b=3)", False),
        ("I could\nanswer(value=5) or not\nadd(a=2, b=3)", False),
    ],
)
def test_a_message_is_an_answer_if_it_is_read_as_a_call_of_answer(content, is_answer):
    assert has_answer_call([{"role": "assistant", "content": content}]) == is_answer


def test_an_answer_next_to_other_native_calls_is_found():
    calls = [{"function": {"name": name, "arguments": "{}"}} for name in ("add", "answer")]
    assert has_answer_call([{"role": "assistant", "content": "", "tool_calls": calls}])


def test_of_duplicate_pairs_the_first_is_kept():
    first, second = pairs("arithmetic", "syntax", 2)
    assert drop_duplicate_pairs([first, second]) == [first]
