"""Dividing problems and chains into shards and chunks."""

import hashlib
import pickle

import pytest

from callwright.execution.shards import ChainShard, chain_shards, chunks_of, shard_of, split_into_shards
from callwright.records import Chain
from tests.fakes import chain, checked, problem

IDS = [f"p{number}" for number in range(1000)]


def test_the_shard_of_a_problem_is_the_start_of_its_hash_modulo_the_number_of_shards():
    first_bytes = hashlib.sha256(b"p17").hexdigest()[:16]
    assert shard_of("p17", 7) == int(first_bytes, 16) % 7
    assert shard_of("p17", 1) == 0
    assert shard_of("\ud800", 3) in range(3)  # an id with half a character


def test_shards_are_about_equally_large_and_keep_the_order():
    shards = split_into_shards(IDS, 4, problem_id=str)
    assert sorted(item for shard in shards for item in shard) == sorted(IDS)
    assert all(200 < len(shard) < 300 for shard in shards)  # 250 expected, with a standard deviation of 14
    assert all(shard == sorted(shard, key=IDS.index) for shard in shards)


def test_chains_go_into_the_shard_of_their_problem():
    chains = [chain("answer(5)", id=f"{name}/{number}", problem_id=name) for name in "ab" for number in (0, 1)]
    shards = split_into_shards(chains, 2, problem_id=lambda chain: chain.problem_id)
    assert [[item.id for item in shards[shard_of(name, 2)] if item.problem_id == name] for name in "ab"] == [
        ["a/0", "a/1"],
        ["b/0", "b/1"],
    ]


@pytest.mark.parametrize(
    ("sizes", "chunks"),
    [
        ([1, 1, 1, 1], [(1, 1, 1), (1,)]),
        ([2, 2, 2], [(2, 2), (2,)]),  # the second makes it 4, which is at least 3
        ([9, 1], [(9,), (1,)]),
        ([], []),
    ],
)
def test_a_chunk_ends_with_the_item_that_makes_it_large_enough(sizes, chunks):
    assert list(chunks_of(sizes, 3, size_of=lambda size: size)) == chunks


def test_a_chunk_is_read_only_when_it_is_wanted():
    read = []
    chunks = chunks_of((read.append(number) or number for number in range(9)), 3)
    assert (next(chunks), read) == ((0, 1, 2), [0, 1, 2])


@pytest.mark.parametrize("record", [chain("add(2, 3)", "answer(5)"), checked("add(2, 3)", "answer(5)", correct=True)])
def test_a_shard_is_the_same_after_pickling(record):
    shard = ChainShard((problem(),), (record,))
    assert pickle.loads(pickle.dumps(shard)) == shard
    assert pickle.loads(pickle.dumps(ChainShard[Chain]((), ()))) == ChainShard((), ())


def test_each_shard_of_chains_has_the_problems_of_its_chains():
    problems = {name: problem(id=name) for name in "abc"}
    chains = [chain("answer(5)", id=str(number), problem_id=name) for number, name in enumerate("aabcb")]
    shards = list(chain_shards(chains, problems, 3))
    assert [[item.id for item in shard.problems] for shard in shards] == [["a", "b"], ["c", "b"]]
    assert [item.id for shard in shards for item in shard.chains] == ["0", "1", "2", "3", "4"]
