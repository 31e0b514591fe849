"""Keys and values of the prompts that many conversations begin with, by prompt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from callwright.chat.local.cache import common_prefix_length

MIN_SHARED_TOKENS = 16  # sharing a shorter prefix is not worth it

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CachedPrefix:
    """The beginning of a prompt.

    Attributes:
        cache: the library's cache of one sequence, the ids.
    """

    ids: Ids
    cache: Any

    @property
    def nbytes(self) -> int:
        """Size of the keys and values in bytes."""
        return sum(layer.keys.nbytes + layer.values.nbytes for layer in self.cache.layers)

    def states(self, length: int) -> list[tuple[Any, Any]]:
        """Keys and values of the first tokens, per layer, each (heads, length, head size)."""
        return [(layer.keys[0, :, :length], layer.values[0, :, :length]) for layer in self.cache.layers]


class PrefixCache:
    """The latest prefixes, one per prompt.

    Args:
        max_bytes: limit for the keys and values of all prefixes together.
        compute: the model's cache after the forward pass of one sequence.
    """

    def __init__(self, max_bytes: int, compute: Callable[[Ids], Any]) -> None:
        self.max_bytes = max_bytes
        self._compute = compute
        self._by_prompt: dict[str, CachedPrefix] = {}  # the latest last
        self._lengths: dict[str, int] = {}  # of the part that all sequences of a prompt have shared
        self.nbytes = 0
        self.bytes_per_token = 0  # known after the first prefix

    def cached_length(self, prompt: str, ids: Ids) -> int:
        """How many of the first tokens have cached keys and values."""
        cached = self._by_prompt.get(prompt)
        return common_prefix_length(ids, cached.ids) if cached else 0

    def expected_bytes(self, ids: Ids) -> int:
        """How large the prefix of a new prompt may become."""
        return self.bytes_per_token * len(ids)

    def shared_length(self, prompt: str, sequences: Sequence[Ids]) -> int:
        """Length of the prefix that all sequences share; if the prompt is cached, of its part that all have shared.

        So the sequences of a prompt soon have prefixes of the same length. 0 if the prefix is too short to be shared.
        """
        first = min(sequences)
        shared = first[: common_prefix_length(first, max(sequences))]
        cached = min(self.cached_length(prompt, shared), self._lengths.get(prompt, len(shared)))
        length = cached if cached >= MIN_SHARED_TOKENS else len(shared)
        return length if length >= MIN_SHARED_TOKENS else 0

    def get(self, prompt: str, prefix: Ids) -> CachedPrefix:
        """The keys and values of a sequence that begins with the prefix, computed if they are not cached."""
        cached = self._by_prompt.pop(prompt, None)
        self._lengths.pop(prompt, None)
        if cached is not None:
            self.nbytes -= cached.nbytes
        if cached is None or cached.ids[: len(prefix)] != prefix:
            cached = CachedPrefix(prefix, self._compute(prefix))
            self.bytes_per_token = cached.nbytes // len(prefix)
        if cached.nbytes <= self.max_bytes:
            self._by_prompt[prompt], self._lengths[prompt] = cached, len(prefix)
            self.nbytes += cached.nbytes
        while self.nbytes > self.max_bytes:
            evicted = next(iter(self._by_prompt))
            self.nbytes -= self._by_prompt.pop(evicted).nbytes
            del self._lengths[evicted]
        return cached
