"""Continuous batching: rows that join and leave at any token get the tokens that they would get alone."""

import random
from collections.abc import Iterator

import pytest

from callwright.chat.local.decoding import Decoder
from callwright.chat.local.generation import GenerationRequest
from tests.chat.local.small_llama import decode_without_cache, small_llama

rng = random.Random(8)


def ids(count: int) -> tuple[int, ...]:
    return tuple(rng.randrange(60) for _ in range(count))


PROMPTS = {"a": ids(30), "b": ids(20), "short": ids(2)}


def requests(count: int) -> Iterator[GenerationRequest]:
    """Prompts of all kinds, some longer than the narrowest buffer; replies of up to 80 tokens, which outgrow it."""
    for number in range(count):
        name = rng.choice(list(PROMPTS))
        question = ids(rng.choice((1, 2, 9, 70)))
        yield GenerationRequest((*PROMPTS[name], *question), 0.0, 1.0, rng.choice((1, 3, 80)), str(number), name)


@pytest.mark.parametrize("max_rows", [1, 3, 16])
def test_requests_that_join_at_any_token_get_the_same_tokens_as_alone(max_rows: int):
    model = small_llama()
    decoder = Decoder(model, frozenset(), 10**8, max_rows)
    coming, waiting = list(requests(24)), list[GenerationRequest]()
    expected = {request.seed: decode_without_cache(model, request.ids, request.max_tokens) for request in coming}
    replies, most = dict[str, list[int]](), 0
    while len(replies) < len(expected):
        waiting += [coming.pop() for _ in range(min(rng.randrange(3), len(coming)))]
        chosen = decoder.choose(waiting)
        waiting = [request for request in waiting if request not in chosen]
        replies |= {request.seed: tokens for request, tokens in decoder.step(chosen)}
        most = max(most, decoder.rows)
    assert replies == expected
    assert min(max_rows, 3) <= most <= max_rows
    assert decoder.rows == 0


def test_a_stop_token_ends_a_row_and_the_others_go_on():
    model = small_llama()
    first, second = (GenerationRequest((*PROMPTS["a"], number), 0.0, 1.0, 12, "", "a") for number in (1, 2))
    tokens = decode_without_cache(model, first.ids, 12)
    others = decode_without_cache(model, second.ids, 12)
    stop = next(token for token in tokens if token not in others)
    end = tokens.index(stop) + 1
    assert Decoder(model, frozenset({stop})).decode_batch([first, second]) == [tokens[:end], others]


def test_requests_wait_while_their_prompt_has_no_room_beside_those_in_flight():
    """A prompt of 40 tokens takes 10 kB: two have room in half of 50 kB, and three rows of 16 kB in all of it."""
    decoder = Decoder(small_llama(), frozenset(), 50_000, max_rows=8)
    waiting = [GenerationRequest((*ids(40), 1), 0.0, 1.0, 5, "", str(number)) for number in range(4)]
    assert decoder.choose(waiting) == waiting  # nothing is known about the size before the first pass
    decoder.step(waiting[:1])
    assert decoder.choose(waiting[1:]) == waiting[1:2]
    decoder.step(waiting[1:2])
    assert decoder.choose(waiting[2:]) == []
    same_prompt = GenerationRequest((*waiting[0].ids[:-1], 2), 0.0, 1.0, 5, "", "0")
    assert decoder.choose([*waiting[2:], same_prompt]) == [same_prompt]
    while decoder.rows:
        decoder.step([])
    assert decoder.choose(waiting[2:]) == waiting[2:]


def test_dropped_rows_are_forgotten():
    decoder = Decoder(small_llama(), frozenset())
    decoder.step([GenerationRequest((*PROMPTS["a"], 1), 0.0, 1.0, 5, "")])
    assert decoder.rows == 1
    decoder.drop()
    assert decoder.step([]) == []
    assert decoder.rows == 0
