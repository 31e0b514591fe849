"""Which examples and which view each batch has."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from callwright.agent.conversation import make_pair
from callwright.functions.toolbox import ANSWER
from callwright.params import ViewsParams
from callwright.records import Call, Pair, Step
from callwright.reports.train import BatchCounts
from callwright.tasks import TASKS
from callwright.tasks.view import PLAIN
from callwright.training.batch_plan import Batch, BatchOptions, count_batches, plan_batches, split_evenly
from tests.fakes import problem, step
from tests.training.examples import NEW_NAMES, NO_VIEWS


def pair_of(task: str, protocol: str, problem_id: str) -> Pair:
    posed = problem(id=problem_id, task=task)
    sides = [step("answer(5)")], [step("answer(6)")]
    pair = make_pair(posed, TASKS[task], protocol, (), *sides, margin=1.0, kind="wrong_answer")
    assert pair is not None
    return pair


# 10 pairs of arithmetic, 7 of entailment, and 3 of arithmetic in the other protocol; two pairs of each problem
PAIRS = [
    pair_of(task, protocol, f"{task}/{number // 2}")
    for task, protocol, count in (("arithmetic", "text", 10), ("entailment", "text", 7), ("arithmetic", "native", 3))
    for number in range(count)
]


def plan(
    views: ViewsParams = NEW_NAMES, *, epochs: int = 1, seed: int = 7, label: str = "pairs", **options: object
) -> list[list[Batch]]:
    batch_options = BatchOptions(**{"size": 4, **options})
    return plan_batches(PAIRS, TASKS, views, batch_options, epochs=epochs, seed=seed, label=label)


@pytest.mark.parametrize("by_problem", [False, True])
def test_every_example_is_in_one_batch_of_each_epoch_and_no_batch_mixes_prompts(by_problem: bool):
    epochs = plan(epochs=3, by_problem=by_problem)
    for batches in epochs:
        assert sorted(index for batch in batches for index in batch.examples) == list(range(20))
        for batch in batches:
            assert len({(PAIRS[index].task, PAIRS[index].protocol) for index in batch.examples}) == 1
        # 10 in three batches of at most 4, 7 in two, 3 in one
        assert sorted(len(batch.examples) for batch in batches) == [3, 3, 3, 3, 4, 4]
    assert len({tuple(batch.examples for batch in batches) for batches in epochs}) == 3, "the order changes"


def test_the_batches_of_the_tasks_are_in_random_order():
    tasks = [[PAIRS[batch.examples[0]].task for batch in batches] for batches in plan(epochs=4)]
    assert len(set(map(tuple, tasks))) > 1
    assert all(sorted(names) == sorted(tasks[0]) for names in tasks)


def test_pairs_of_a_problem_stay_together_by_problem():
    for batches in plan(epochs=3, by_problem=True):
        rows = [index for batch in batches for index in batch.examples if len(batch.examples) == 4]
        changes = sum(PAIRS[a].problem_id != PAIRS[b].problem_id for a, b in pairwise(rows))
        assert changes <= 5  # 8 rows of at most 6 problems, of which a batch's end may cut one


def test_every_batch_has_a_new_view():
    views = [batch.view for batches in plan(epochs=3) for batch in batches]
    assert all(first.names != second.names for first, second in pairwise(views))
    assert len({view.key for view in views}) == 18
    assert len({tuple(sorted(view.names.items())) for view in views}) == 18


def test_a_number_of_views_is_that_of_each_task_and_includes_the_plain_one():
    views = NEW_NAMES.model_copy(update={"train": 3, "plain": 0.3})
    shown = {(PAIRS[batch.examples[0]].task, batch.view.key) for batches in plan(views, epochs=30) for batch in batches}
    assert Counter(task for task, _ in shown) == {"arithmetic": 3, "entailment": 3}


def test_with_one_view_all_batches_are_plain():
    (batches,) = plan(NEW_NAMES.model_copy(update={"train": 1}))
    assert {batch.view.key for batch in batches} == {""}


def test_a_share_of_the_batches_is_plain():
    views = NEW_NAMES.model_copy(update={"plain": 0.5})
    counts = count_batches(plan(views, epochs=20))
    assert counts.batches == 120
    assert counts.plain == pytest.approx(0.5, abs=0.08)  # an odd batch of a task is plain with a chance of one half
    assert counts.views == 1 + round(120 * (1 - counts.plain))
    assert count_batches(plan(NO_VIEWS, epochs=2)) == BatchCounts(batches=12, views=1, plain=1.0)


def test_a_plan_depends_on_the_seed_and_the_phase_alone():
    assert plan(epochs=2) == plan(epochs=2)
    assert plan(epochs=2)[0] == plan(epochs=1)[0], "a longer training begins like a shorter one"
    assert plan(seed=8) != plan()
    keys = [{batch.view.key for batch in plan(label=label)[0]} for label in ("pairs", "warm-up")]
    assert not keys[0] & keys[1]


def test_each_process_gets_the_same_number_of_rows_of_a_batch_and_all_rows_are_trained_on():
    (batches,) = plan(processes=2, size=2)
    assert all(len(batch.examples) in (2, 4) for batch in batches)
    count = Counter(index for batch in batches for index in batch.examples)
    assert count.keys() == set(range(20))
    assert sum(count.values()) == 22, "a row of each group with an odd number of rows occurs twice"


@pytest.mark.parametrize(
    ("rows", "size", "processes", "expected"),
    [
        (1, 4, 1, [[0]]),
        (8, 4, 1, [[0, 1, 2, 3], [4, 5, 6, 7]]),
        (9, 4, 1, [[0, 1, 2], [3, 4, 5], [6, 7, 8]]),
        (1, 4, 3, [[0, 0, 0]]),
        (5, 1, 4, [[0, 1, 2, 3], [4, 0, 1, 2]]),
    ],
)
def test_rows_are_split_into_few_chunks_of_nearly_equal_size(
    rows: int, size: int, processes: int, expected: list[list[int]]
):
    assert split_evenly(range(rows), size, processes) == expected


def test_a_batch_shows_the_needless_functions_that_its_chains_call():
    needless = next(iter(TASKS["arithmetic"].toolbox.needless))
    detour = Step("", Call(needless, {}), None, "1")
    pairs = [replace(PAIRS[0], rejected_steps=(detour,)), PAIRS[1]]
    for views in (NO_VIEWS, NEW_NAMES):
        ((batch,),) = plan_batches(pairs, TASKS, views, BatchOptions(4), epochs=1, seed=7, label="pairs")
        assert needless in batch.view.functions
        assert batch.view.functions[-1] == ANSWER
        assert batch.view != PLAIN
