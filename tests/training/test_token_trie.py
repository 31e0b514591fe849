import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from callwright.training.token_trie import token_trie

ROWS = st.lists(st.lists(st.integers(1, 3), max_size=6), min_size=1, max_size=6).filter(any)


def test_a_trie_holds_every_distinct_prefix_once():
    trie = token_trie(torch.tensor([[1, 2, 3], [1, 2, 4], [1, 5, 0]]), torch.tensor([[1, 1, 1], [1, 1, 1], [1, 1, 0]]))
    assert trie.tokens.tolist() == [[1, 2, 3, 4, 5]]  # 1, 12, 123, 124, 15
    assert trie.depths.tolist() == [[0, 1, 2, 2, 1]]
    assert trie.place.tolist() == [[0, 1, 2], [0, 1, 3], [0, 4, 0]]


def test_a_batch_of_padding_alone_is_refused():
    with pytest.raises(ValueError, match="a batch without a token has no trie"):
        token_trie(torch.zeros(2, 3, dtype=torch.long), torch.zeros(2, 3))


def test_what_descends_from_a_position_lies_behind_it_without_a_gap():
    trie = token_trie(torch.tensor([[1, 2, 3], [1, 2, 4], [1, 5, 0]]), torch.tensor([[1, 1, 1], [1, 1, 1], [1, 1, 0]]))
    assert trie.ends.tolist() == [5, 4, 3, 4, 5]  # 1: all; 12: 123 and 124; 123, 124, 15: themselves


@given(ROWS, st.booleans())
def test_every_row_reads_its_own_tokens_and_sees_its_own_prefix_alone(rows: list[list[int]], left: bool):
    width = max(map(len, rows))
    pads = [[0] * (width - len(row)) for row in rows]
    ids = torch.tensor([pad + row if left else row + pad for row, pad in zip(rows, pads, strict=True)])
    trie = token_trie(ids, (ids > 0).long())
    prefixes = {tuple(row[:end]) for row in rows for end in range(1, len(row) + 1)}
    assert trie.tokens.shape == trie.depths.shape == (1, len(prefixes))
    position, ends = torch.arange(len(prefixes)), trie.ends
    sees = (position[None] <= position[:, None]) & (position[:, None] < ends[None])  # q sees k
    seen_by_segments = torch.zeros_like(sees)
    for one in trie.segments:
        keys = torch.cat([one.ancestors, position[one.start : one.end]])
        size = one.end - one.start
        seen_by_segments[one.start : one.end, keys] = (
            torch.ones(size, size).tril().bool() if one.mask is None else one.mask
        )
    assert torch.equal(sees, seen_by_segments)
    for row, places, real in zip(rows, trie.place, ids > 0, strict=True):
        path = places[real]
        assert trie.tokens[0, path].tolist() == row
        assert trie.depths[0, path].tolist() == list(range(len(row)))
        for depth, place in enumerate(path):
            assert sees[place].nonzero()[:, 0].tolist() == path[: depth + 1].tolist()
