"""The token trie of a batch."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from callwright.training.token_trie import token_trie

SEQUENCES = st.lists(st.lists(st.integers(1, 3), max_size=6), min_size=1, max_size=6).filter(any)
IDS = torch.tensor([[1, 2, 3], [1, 2, 4], [1, 5, 0]])
MASK = torch.tensor([[1, 1, 1], [1, 1, 1], [1, 1, 0]])


def test_a_trie_contains_every_distinct_prefix_once():
    trie = token_trie(IDS, MASK)
    assert trie.tokens.tolist() == [[1, 2, 3, 4, 5]]  # 1, 12, 123, 124, 15
    assert trie.depths.tolist() == [[0, 1, 2, 2, 1]]
    assert trie.packed_index.tolist() == [[0, 1, 2], [0, 1, 3], [0, 4, 0]]


def test_a_batch_of_padding_only_is_an_error():
    with pytest.raises(ValueError, match="the batch contains no token"):
        token_trie(torch.zeros(2, 3, dtype=torch.long), torch.zeros(2, 3))


def test_the_descendants_of_a_position_follow_it_without_a_gap():
    # 1 is followed by all others; 12 by 123 and 124; 123, 124 and 15 by no descendant.
    assert token_trie(IDS, MASK).subtree_ends.tolist() == [5, 4, 3, 4, 5]


@given(SEQUENCES, st.booleans())
def test_each_position_of_a_sequence_has_its_token_and_attends_to_its_prefix_only(
    sequences: list[list[int]], left: bool
):
    width = max(map(len, sequences))
    pads = [[0] * (width - len(sequence)) for sequence in sequences]
    ids = torch.tensor(
        [pad + sequence if left else sequence + pad for sequence, pad in zip(sequences, pads, strict=True)]
    )
    trie = token_trie(ids, (ids > 0).long())
    prefixes = {tuple(sequence[:end]) for sequence in sequences for end in range(1, len(sequence) + 1)}
    assert trie.tokens.shape == trie.depths.shape == (1, len(prefixes))
    position, ends = torch.arange(len(prefixes)), trie.subtree_ends
    attends = (position[None] <= position[:, None]) & (position[:, None] < ends[None])  # (queries, keys)
    attends_by_segment = torch.zeros_like(attends)
    for segment in trie.segments:
        keys = torch.cat([segment.ancestors, position[segment.start : segment.end]])
        size = segment.end - segment.start
        attends_by_segment[segment.start : segment.end, keys] = (
            torch.ones(size, size).tril().bool() if segment.mask is None else segment.mask
        )
    assert torch.equal(attends, attends_by_segment)
    for sequence, packed_index, is_token in zip(sequences, trie.packed_index, ids > 0, strict=True):
        path = packed_index[is_token]
        assert trie.tokens[0, path].tolist() == sequence
        assert trie.depths[0, path].tolist() == list(range(len(sequence)))
        for depth, index in enumerate(path):
            assert attends[index].nonzero()[:, 0].tolist() == path[: depth + 1].tolist()
