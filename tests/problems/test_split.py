from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callwright.problems.source import DroppedRow
from callwright.problems.split import DUPLICATE, DUPLICATE_WITH_OTHER_ANSWER, deduplicate, split_by_group
from callwright.records import Problem

SHARES = {"train": 0.8, "dev": 0.1, "test": 0.1}


def problem(
    question: str = "?", answer: str = "1", *, task: str = "arithmetic", group: str = "g", split="train", name=""
):
    return Problem(name or question, task, question, answer, (), "jsonl", group, split)


problems_of_some_groups = st.lists(
    st.builds(
        problem,
        name=st.uuids().map(str),
        group=st.sampled_from([f"g{number}" for number in range(12)]),
        task=st.sampled_from(["translation", "entailment"]),
    )
)


@given(problems_of_some_groups)
def test_a_group_is_never_divided(problems):
    splits: dict[str, set[str]] = {}
    for assigned in split_by_group(problems, SHARES, seed=1):
        splits.setdefault(assigned.group, set()).add(assigned.split)
    assert all(len(group_splits) == 1 for group_splits in splits.values())


@given(problems_of_some_groups, st.randoms(use_true_random=False))
def test_the_order_of_problems_does_not_matter(problems, rng):
    shuffled = rng.sample(problems, len(problems))
    assert set(split_by_group(problems, SHARES, seed=1)) == set(split_by_group(shuffled, SHARES, seed=1))


@given(problems_of_some_groups)
def test_problems_come_back_in_their_order_with_nothing_else_changed(problems):
    assert [assigned.id for assigned in split_by_group(problems, SHARES, seed=1)] == [
        assigned.id for assigned in problems
    ]


def test_each_task_has_its_share_of_each_split():
    problems = [
        problem(f"{task} {number}", task=task, group=f"{task}/{number}")
        for task, count in [("translation", 50), ("entailment", 200)]
        for number in range(count)
    ]
    counts = Counter((assigned.task, assigned.split) for assigned in split_by_group(problems, SHARES, seed=1))
    assert counts == {
        ("translation", "train"): 40, ("translation", "dev"): 5, ("translation", "test"): 5,
        ("entailment", "train"): 160, ("entailment", "dev"): 20, ("entailment", "test"): 20,
    }  # fmt: skip


def test_the_seed_decides_which_groups_are_in_test():
    problems = [problem(str(number), group=str(number)) for number in range(50)]
    assert split_by_group(problems, SHARES, seed=1) == split_by_group(problems, SHARES, seed=1)
    assert split_by_group(problems, SHARES, seed=1) != split_by_group(problems, SHARES, seed=2)


def rows(count: int, first: int = 0) -> list[Problem]:
    """Problems as of a file whose rows have neither id nor group: both are made from the row's number."""
    return [
        problem(f"What is {number} + 1?", name=f"mine/{index}", group=f"mine/{index}")
        for index, number in enumerate(range(count), start=first)
    ]


@pytest.mark.parametrize("count", [10, 57, 200])
def test_a_row_inserted_at_the_front_moves_at_most_two_rows_to_another_split(count):
    new = problem("What is 3 * 4?", name="mine/0", group="mine/0")
    before = {assigned.question: assigned.split for assigned in split_by_group(rows(count), SHARES, seed=1)}
    after = {assigned.question: assigned.split for assigned in split_by_group([new, *rows(count, 1)], SHARES, seed=1)}
    assert sum(after[question] != split for question, split in before.items()) <= 2


@given(st.lists(st.integers(1, 9), min_size=30, max_size=60), st.integers(1, 9))
def test_a_new_group_moves_few_problems_of_other_groups(sizes, size):
    problems = [
        problem(f"{group}: {number}", group=f"template {group}")
        for group, group_size in enumerate(sizes)
        for number in range(group_size)
    ]
    new_problems = [problem(f"new: {number}", group="new template") for number in range(size)]
    before = {
        assigned.question: assigned.split for assigned in split_by_group(problems, {"train": 2, "test": 1}, seed=1)
    }
    after = {
        assigned.question: assigned.split
        for assigned in split_by_group([*problems, *new_problems], {"train": 2, "test": 1}, seed=1)
    }
    moved = {question for question, split in before.items() if after[question] != split}
    assert len(moved) <= size + 2 * max(sizes)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30))
def test_no_split_exceeds_its_share_by_more_than_the_largest_group(sizes):
    problems = [
        problem(f"{group}: {number}", group=f"g{group}")
        for group, group_size in enumerate(sizes)
        for number in range(group_size)
    ]
    counts = Counter(assigned.split for assigned in split_by_group(problems, SHARES, seed=1))
    assert all(counts[split] <= share * len(problems) + max(sizes) for split, share in SHARES.items())


def test_a_split_without_a_share_gets_nothing():
    problems = [problem(str(number), group=str(number)) for number in range(10)]
    split = split_by_group(problems, {"train": 1, "dev": 0, "test": 1}, seed=1)
    assert Counter(assigned.split for assigned in split) == {"train": 5, "test": 5}


@pytest.mark.parametrize("shares", [{}, {"train": 0}, {"train": 1, "test": -0.1}])
def test_invalid_shares_are_rejected(shares):
    with pytest.raises(ValueError, match="shares"):
        split_by_group([problem()], shares, seed=1)


def test_a_duplicate_question_is_dropped_from_train_and_stays_in_test():
    train = problem("How many?", split="train", name="a")
    dev = problem("how  many", split="dev", name="b")
    test = problem("How many ?", split="test", name="c")
    assert deduplicate([train, dev, test]) == (
        [test],
        [DroppedRow("a", DUPLICATE, "c"), DroppedRow("b", DUPLICATE, "c")],
    )
    assert deduplicate([train, dev]) == ([dev], [DroppedRow("a", DUPLICATE, "b")])


def test_the_first_of_two_duplicates_in_a_split_stays():
    first, second = problem("How many?", name="a"), problem("How many?", name="b")
    assert deduplicate([first, second]) == ([first], [DroppedRow("b", DUPLICATE, "a")])


def test_a_duplicate_with_another_answer_has_its_own_reason():
    first, second = problem("How many?", "1", name="a"), problem("How many?", "2", name="b")
    assert deduplicate([first, second]) == ([first], [DroppedRow("b", DUPLICATE_WITH_OTHER_ANSWER, "a")])


def test_the_same_question_in_two_tasks_is_not_a_duplicate():
    problems = [problem("All men are mortal.", task=task, name=task) for task in ("translation", "entailment")]
    assert deduplicate(problems) == (problems, [])


def test_questions_with_different_numbers_are_not_duplicates():
    problems = [problem("What is 1.5 + 2?"), problem("What is 15 + 2?"), problem("What is 1.5 - 2?")]
    assert deduplicate(problems) == (problems, [])
