"""A key-value cache that grows in place, started from a shared prefix.

The library's dynamic cache concatenates: every new token copies the whole cache, and with a long shared prompt that
copying is most of decoding's time on a CPU.
"""

from typing import Any

from torch import Tensor
from transformers import Cache, DynamicCache
from transformers.cache_utils import DynamicLayer


class RoomyLayer(DynamicLayer):
    """One layer's keys and values, (batch, heads, tokens, head size), as views of buffers with room to grow.

    Args:
        keys, values: of the prefix, batch 1; repeated for every row.
        batch: rows.
        room: tokens that each row may add.
    """

    def __init__(self, keys: Tensor, values: Tensor, batch: int, room: int) -> None:
        super().__init__()
        self.dtype, self.device = keys.dtype, keys.device
        self._buffers = tuple(_with_room(prefix, batch, room) for prefix in (keys, values))
        self.is_initialized = True
        self._show(keys.shape[-2])

    def _show(self, length: int) -> None:
        self.keys, self.values = (buffer[..., :length, :] for buffer in self._buffers)

    def update(self, key_states: Tensor, value_states: Tensor, *args: Any, **kwargs: Any) -> tuple[Tensor, Tensor]:
        start, added = self.keys.shape[-2], key_states.shape[-2]
        for buffer, states in zip(self._buffers, (key_states, value_states), strict=True):
            buffer[..., start : start + added, :] = states
        self._show(start + added)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        length = self.keys.shape[-2]
        self._buffers = tuple(buffer[indices] for buffer in self._buffers)
        self._show(length)


def _with_room(prefix: Tensor, batch: int, room: int) -> Tensor:
    _, heads, length, size = prefix.shape
    buffer = prefix.new_empty(batch, heads, length + room, size)
    buffer[..., :length, :] = prefix
    return buffer


def cache_from_prefix(prefix: DynamicCache, length: int, batch: int, room: int) -> Cache:
    """A cache for `batch` rows that all begin with the first `length` tokens of a computed prefix (batch 1).

    Args:
        room: tokens that a row may add; one more is an error.
    """
    layers = [RoomyLayer(one.keys[..., :length, :], one.values[..., :length, :], batch, room) for one in prefix.layers]
    return Cache(layers=layers)
