"""A request to continue a conversation, and how its tokens are sampled.

The sample of a sequence depends on its seed only: each token takes one uniform number from the sequence's generator, so
the other sequences of a batch do not change it (up to floating-point ties).
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """One conversation to continue: its token ids, and how to sample.

    Attributes:
        prompt: names the system message and the tools; conversations with the same ones share a prefix.
    """

    ids: tuple[int, ...]
    temperature: float
    top_p: float
    max_tokens: int
    seed: str
    prompt: str = ""


def sample_tokens(
    logits: torch.Tensor, requests: Sequence[GenerationRequest], generators: Sequence[random.Random]
) -> list[int]:
    """One token per sequence from logits (B, V): greedy at temperature 0, else by inverse CDF.

    Only a top-p nucleus needs the tokens sorted by probability, which takes most of the time; otherwise they are in the
    vocabulary's order.
    """
    greedy = logits.argmax(-1)
    if all(request.temperature == 0 for request in requests):
        return [int(token) for token in greedy.tolist()]
    temperatures = torch.tensor([request.temperature or 1.0 for request in requests], device=logits.device)
    probabilities = (logits / temperatures[:, None]).softmax(-1)
    uniform = torch.tensor([generator.random() for generator in generators], device=logits.device)
    sampled = _inverse_cdf(probabilities.cumsum(-1), uniform)
    nucleus = [index for index, request in enumerate(requests) if request.temperature and request.top_p < 1]
    if nucleus:
        top_p = torch.tensor([requests[index].top_p for index in nucleus], device=logits.device)
        sampled[nucleus] = _sample_nucleus(probabilities[nucleus], top_p, uniform[nucleus])
    return [
        int(best if request.temperature == 0 else token)
        for request, best, token in zip(requests, greedy.tolist(), sampled.tolist(), strict=True)
    ]


def _sample_nucleus(probabilities: torch.Tensor, top_p: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """Token ids (B,) from the likeliest tokens whose probabilities (B, V) add up to top_p (B,)."""
    sorted_probabilities, order = probabilities.sort(dim=-1, descending=True, stable=True)
    before = sorted_probabilities.cumsum(-1) - sorted_probabilities
    cumulative = torch.where(before < top_p[:, None], sorted_probabilities, 0.0).cumsum(-1)
    return order.gather(-1, _inverse_cdf(cumulative, uniform)[:, None])[:, 0]


def _inverse_cdf(cumulative: torch.Tensor, uniform: torch.Tensor) -> torch.Tensor:
    """Indices (B,) into distributions, given as cumulative sums (B, V) up to any total."""
    thresholds = uniform * cumulative[:, -1]
    return torch.searchsorted(cumulative, thresholds[:, None])[:, 0].clamp(max=cumulative.shape[-1] - 1)
