from dataclasses import replace

from callwright.evaluation.slices import SeenInTraining, problems_by_slice
from callwright.records import Problem
from tests.fakes import problem


def in_group(group: str, *solution: str, **changes: object) -> Problem:
    return replace(problem(*solution, id=f"{group}/{'; '.join(solution)}"), group=group, **changes)


TRAIN = [in_group("sums", "add(a=2, b=3)", "answer(value=5)")]


def test_a_problem_is_in_the_slices_of_its_task_group_and_length():
    test = [in_group("sums", "add(a=2, b=3)", "answer(value=5)"), in_group("more", "add(a=2, b=3)", "answer(value=5)")]
    slices = problems_by_slice(test, SeenInTraining.of(TRAIN))
    assert {name: len(members) for name, members in slices.items()} == {
        "overall": 2,
        "arithmetic": 2,
        "arithmetic/held_out": 1,
        "arithmetic/seen": 1,
        "arithmetic/steps_1": 2,
    }


def test_a_function_that_no_gold_solution_in_training_calls_makes_a_slice():
    known = in_group("more", "add(a=2, b=3)", "answer(value=5)")
    new = in_group("rest", "add(a=2, b=3)", "remainder(a=5, b=2)", "answer(value=1)")
    assert problems_by_slice([known, new], SeenInTraining.of(TRAIN))["arithmetic/held_out_function"] == [new]
    assert "arithmetic/held_out_function" not in problems_by_slice([known], SeenInTraining.of(TRAIN))


def test_without_gold_solutions_in_training_there_is_no_slice_of_held_out_functions():
    bare = [replace(TRAIN[0], solution=())]
    new = in_group("rest", "remainder(a=5, b=2)", "answer(value=1)")
    assert "arithmetic/held_out_function" not in problems_by_slice([new], SeenInTraining.of(bare))


def test_a_function_of_another_task_counts_as_held_out():
    other = [*TRAIN, replace(in_group("x", "remainder(a=5, b=2)", "answer(value=1)"), task="elsewhere")]
    new = in_group("rest", "remainder(a=5, b=2)", "answer(value=1)")
    assert problems_by_slice([new], SeenInTraining.of(other))["arithmetic/held_out_function"] == [new]


def test_each_of_several_sources_has_a_slice():
    ours, theirs = in_group("sums", "add(a=2, b=3)", "answer(value=5)"), replace(TRAIN[0], id="g", source="gsm8k")
    slices = problems_by_slice([ours, theirs], SeenInTraining.of(TRAIN))
    assert (slices["arithmetic/source_test"], slices["arithmetic/source_gsm8k"]) == ([ours], [theirs])
    assert not any("source" in name for name in problems_by_slice([ours], SeenInTraining.of(TRAIN)))


def test_a_problem_without_a_gold_solution_is_in_no_slice_of_steps():
    assert not any(
        "steps" in name for name in problems_by_slice([replace(TRAIN[0], solution=())], SeenInTraining.of(TRAIN))
    )
