from itertools import pairwise

from callwright.training.batches import ByProblemSampler

PROBLEMS = ["a", "b", "a", "c", "b", "a", "d", "e"]


def test_every_pair_comes_once_and_those_of_one_problem_in_a_row():
    order = list(ByProblemSampler(PROBLEMS, seed=1))
    assert sorted(order) == list(range(8))
    names = [PROBLEMS[index] for index in order]
    assert sum(one != other for one, other in pairwise(names)) == 4  # five problems, four changes


def test_the_order_is_another_in_another_epoch_and_the_same_in_the_same():
    sampler = ByProblemSampler(PROBLEMS * 3, seed=1)
    first = list(sampler)
    assert first == list(sampler)
    sampler.set_epoch(1)
    second = list(sampler)
    assert second != first
    assert sorted(second) == sorted(first)
    assert len(sampler) == 24
