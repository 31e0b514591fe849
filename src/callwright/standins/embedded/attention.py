"""Attention of a group: one prompt, and rows that each attend to it and to themselves. Forward and backward by hand.

Scores become weights by `exp` without subtracting their maximum. That is safe because queries and keys are normalised
(Qwen3) and the builder keeps the norms' weights below MAX_NORM_WEIGHT, so that no score exceeds 63. With a column of
ones at the values, one product gives both the weighted sum and its divisor, so a group takes eight matrix products and
two passes over the scores, where softmax over concatenated scores takes six passes (docs/decisions/0027).
"""

from typing import Any

import torch
from torch import Tensor

MAX_NORM_WEIGHT = 2.8  # of queries and keys; scores are at most sqrt(64) * 2.8 * 2.8 = 63 with heads of 64
_EXTRA_COLUMNS = 8  # the column of ones, padded to the width that matrix products like


class GroupAttention(torch.autograd.Function):
    """`GroupAttention.apply(query, key, value, prompt, rows)` is the attention's result, of the same shape as `query`.

    Args:
        query, key, value: (heads, prompt + rows * width, head size): the prompt's positions, then those of each row.
            Queries are scaled already.
        prompt: positions of the prompt.
        rows: rows of equal width, padded at their ends.
    """

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, prompt: int, rows: int) -> Tensor:
        heads, positions, size = query.shape
        values = torch.zeros(heads, positions, size + _EXTRA_COLUMNS, dtype=query.dtype)
        values[..., :size] = value
        values[..., size] = 1
        row_query, row_key, row_values = (_by_row(each, prompt, rows) for each in (query, key, values))
        prompt_key = key[:, :prompt].transpose(1, 2)
        prompt_weights = (query[:, :prompt] @ prompt_key).exp_().tril_()  # (heads, prompt, prompt)
        read_weights = (query[:, prompt:] @ prompt_key).exp_()  # (heads, rows * width, prompt)
        row_weights = (row_query @ row_key.transpose(1, 2)).exp_().tril_()  # (heads * rows, width, width)
        sums = torch.empty_like(values)
        sums[:, :prompt] = prompt_weights @ values[:, :prompt]
        sums[:, prompt:] = read_weights @ values[:, :prompt]
        sums[:, prompt:] += (row_weights @ row_values).view(heads, positions - prompt, -1)
        scale = 1 / sums[..., size : size + 1].float()
        result = (sums[..., :size] * scale).to(query.dtype)
        ctx.save_for_backward(query, key, values, prompt_weights, read_weights, row_weights, result, scale)
        ctx.prompt, ctx.rows = prompt, rows
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        query, key, values, prompt_weights, read_weights, row_weights, result, scale = ctx.saved_tensors
        (of_result,) = gradients
        prompt, rows = ctx.prompt, ctx.rows
        heads, positions, size = query.shape
        of_sums = torch.zeros_like(values)
        of_sums[..., :size] = of_result * scale
        of_sums[..., size] = -((of_result * result).sum(-1, dtype=torch.float32) * scale[..., 0])
        row_query, row_key, row_values, row_of_sums = (
            _by_row(each, prompt, rows) for each in (query, key, values, of_sums)
        )
        prompt_values = values[:, :prompt].transpose(1, 2)
        # Gradients of the scores. The column of ones subtracts what the divisor contributes.
        of_prompt = (of_sums[:, :prompt] @ prompt_values).mul_(prompt_weights)
        of_read = (of_sums[:, prompt:] @ prompt_values).mul_(read_weights)
        of_row = (row_of_sums @ row_values.transpose(1, 2)).mul_(row_weights)
        shape = (heads, positions - prompt, size)

        of_query, of_key, of_value = (torch.empty_like(query) for _ in range(3))
        of_query[:, :prompt] = of_prompt @ key[:, :prompt]
        of_query[:, prompt:] = (of_read @ key[:, :prompt]).add_((of_row @ row_key).view(shape))
        of_key[:, :prompt] = of_prompt.transpose(1, 2) @ query[:, :prompt]
        of_key[:, :prompt] += of_read.transpose(1, 2) @ query[:, prompt:]
        of_key[:, prompt:] = (of_row.transpose(1, 2) @ row_query).view(shape)
        of_value[:, :prompt] = prompt_weights.transpose(1, 2) @ of_sums[:, :prompt, :size]
        of_value[:, :prompt] += read_weights.transpose(1, 2) @ of_sums[:, prompt:, :size]
        of_value[:, prompt:] = (row_weights.transpose(1, 2) @ row_of_sums[..., :size]).view(shape)
        return of_query, of_key, of_value, None, None


def _by_row(tensor: Tensor, prompt: int, rows: int) -> Tensor:
    """(heads, positions, size) -> (heads * rows, width, size) of the positions after the prompt."""
    heads, positions, size = tensor.shape
    return tensor[:, prompt:].reshape(heads * rows, (positions - prompt) // rows, size)
