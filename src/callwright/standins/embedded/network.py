"""The embedded student's network, and its forward pass over a group: a prompt that is computed once, and its rows."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, linear, rms_norm, silu

from callwright.standins.embedded.attention import GroupAttention
from callwright.standins.embedded.recipe import HEAD_SIZE, BuildRecipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

PREVIOUS_TOKEN_HEAD = 0  # of the first layer
READ_HEAD = 0  # of the last layer but one
DESCRIPTION_LAYER, DESCRIPTION_HEAD = 2, 1
_DESCRIPTION_WEIGHT = 2.0  # among the supervised heads
_WINDOW = 24  # tokens before a position among which the previous token is told apart
_SAMPLED_POSITIONS = 96
_EMBEDDING_SCALE = 0.09  # 1 / sqrt(128): then logits are of the order of 1 at the start
_NORM_WEIGHT = 1.3  # of queries and keys: heads can be sharper from the start


@dataclass(frozen=True, slots=True)
class Group:
    """Lessons that share a prompt, as tensors.

    Attributes:
        prompt: (P,) token ids.
        rows: (R, W) token ids of the lessons after the prompt, without their last token, padded at their ends.
        positions: (N,) positions with a loss, in the prompt followed by the flattened rows.
        targets: (N,) tokens that should be predicted there.
        weights: (N,) their loss weights.
        reads: (3, M): positions before a token that is copied, the position of that token in the prompt or earlier in
            the row, and 1 if it is the first token of a called function's name.
        descriptions: (3, D): positions of the tokens of names after `Example: `, and start and end of the same
            function's description.
    """

    prompt: Tensor
    rows: Tensor
    positions: Tensor
    targets: Tensor
    weights: Tensor
    reads: Tensor
    descriptions: Tensor

    def first_tokens(self) -> Tensor:
        """Indices in `positions` of the first tokens of functions' names."""
        return torch.isin(self.positions, self.reads[0, self.reads[2] == 1]).nonzero()[:, 0]


def new_model(recipe: BuildRecipe, tokenizer: "PreTrainedTokenizerFast") -> "PreTrainedModel":
    """A model of Qwen3's architecture with random weights."""
    from transformers import Qwen3Config, Qwen3ForCausalLM

    model: PreTrainedModel = Qwen3ForCausalLM._from_config(
        Qwen3Config(
            vocab_size=len(tokenizer),
            hidden_size=recipe.hidden,
            intermediate_size=recipe.feed_forward,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.heads,
            num_key_value_heads=recipe.heads,
            head_dim=HEAD_SIZE,
            max_position_embeddings=4096,
            rope_parameters={"rope_type": "default", "rope_theta": recipe.rope_theta},
            tie_word_embeddings=True,
            bos_token_id=None,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "embed" in name:
                weight.normal_(std=_EMBEDDING_SCALE)
            elif "q_norm" in name or "k_norm" in name:
                weight.fill_(_NORM_WEIGHT)
    return model


def group_losses(model: Any, group: Group, dtype: torch.dtype, *, supervise: bool) -> tuple[Tensor, Tensor, Tensor]:
    """The loss of each position of a group that has one, and the loss of the supervised heads.

    The same as the model's own forward pass of each prompt and row, up to rounding (tests/standins/embedded).

    Args:
        dtype: of the matrix products.
        supervise: also compute the loss of the supervised heads; otherwise it is 0.

    Returns:
        float32 (N,), natural logarithms; bool (N,), whether the likeliest token is the target; and a float32 scalar,
        summed over what the heads should attend to.
    """
    config = model.config
    heads, size, prompt, (rows, width) = config.num_attention_heads, HEAD_SIZE, len(group.prompt), group.rows.shape
    hidden = model.model.embed_tokens.weight[torch.cat([group.prompt, group.rows.flatten()])].to(dtype)
    cosine, sine = _rotation(prompt, rows, width, config.rope_parameters["rope_theta"], dtype)
    layers = model.model.layers
    head_loss = torch.zeros(())
    for index, layer in enumerate(layers):
        attention = layer.self_attn
        projections = [attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight]
        projected = linear(_norm(hidden, layer.input_layernorm), torch.cat(projections).to(dtype))
        projected = projected.view(-1, 3 * heads, size)
        query = _rotate(_norm(projected[:, :heads], attention.q_norm), cosine, sine) / math.sqrt(size)
        key = _rotate(_norm(projected[:, heads : 2 * heads], attention.k_norm), cosine, sine)
        query, key, value = (
            each.transpose(0, 1).contiguous() for each in (query, key, projected[:, 2 * heads :])
        )  # (heads, positions, size)
        if supervise and index == 0:
            head_loss = head_loss + _previous_token_loss(query, key, prompt, width)
        if supervise and index == DESCRIPTION_LAYER:
            head_loss = head_loss + _description_loss(query, key, prompt, group.descriptions)
        if supervise and index == len(layers) - 2:
            head_loss = head_loss + _read_loss(query, key, prompt, width, group.reads)
        attended = GroupAttention.apply(query, key, value, prompt, rows).transpose(0, 1)  # type: ignore[no-untyped-call]
        attended = attended.reshape(-1, heads * size)
        if index == len(layers) - 1:
            attended, hidden = attended[group.positions], hidden[group.positions]
        hidden = hidden + linear(attended, attention.o_proj.weight.to(dtype))
        hidden = hidden + _feed_forward(_norm(hidden, layer.post_attention_layernorm), layer.mlp, dtype)
    logits = linear(_norm(hidden, model.model.norm), model.model.embed_tokens.weight.to(dtype)).float()
    return cross_entropy(logits, group.targets, reduction="none"), logits.argmax(-1) == group.targets, head_loss


def _norm(hidden: Tensor, norm: Any) -> Tensor:
    return rms_norm(hidden, (hidden.shape[-1],), norm.weight.to(hidden.dtype), norm.variance_epsilon)


def _rotation(prompt: int, rows: int, width: int, theta: float, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosine and sine of the rotary embedding, (positions, 1, head size); every row continues the prompt."""
    frequencies = theta ** -(torch.arange(0, HEAD_SIZE, 2) / HEAD_SIZE)
    positions = torch.cat([torch.arange(prompt), (prompt + torch.arange(width)).repeat(rows)])
    angles = (positions[:, None] * frequencies).repeat(1, 2)[:, None]
    return angles.cos().to(dtype), angles.sin().to(dtype)


def _rotate(states: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    first, second = states.chunk(2, -1)
    return states * cosine + torch.cat([-second, first], -1) * sine


def _feed_forward(hidden: Tensor, mlp: Any, dtype: torch.dtype) -> Tensor:
    gate, up = linear(hidden, torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight]).to(dtype)).chunk(2, -1)
    return linear(silu(gate) * up, mlp.down_proj.weight.to(dtype))


def _previous_token_loss(query: Tensor, key: Tensor, prompt: int, width: int) -> Tensor:
    """How badly a head tells the previous token apart, at some positions. Copying starts with that."""
    start, end = (0, prompt) if prompt > _WINDOW else (prompt, prompt + width)  # the prompt, or the first row
    if end - start <= _WINDOW:
        return torch.zeros(())
    positions = torch.randint(start + _WINDOW, end, (_SAMPLED_POSITIONS,))
    window = positions[:, None] - torch.arange(_WINDOW)
    scores = (query[PREVIOUS_TOKEN_HEAD, positions, None].float() * key[PREVIOUS_TOKEN_HEAD, window].float()).sum(-1)
    return cross_entropy(scores, torch.ones(_SAMPLED_POSITIONS, dtype=torch.long), reduction="sum")


def _read_loss(query: Tensor, key: Tensor, prompt: int, width: int, reads: Tensor) -> Tensor:
    """How badly a head attends to the token that is copied next. One head for all, so that they share its copying."""
    positions, copied, _ = reads[:, :, None]
    if not len(positions):
        return torch.zeros(())
    keys = torch.arange(key.shape[1])
    row, key_row = (positions - prompt) // width, (keys - prompt) // width
    visible = ((keys < prompt) | (row == key_row)) & (keys <= positions)
    scores = query[READ_HEAD, positions[:, 0]].float() @ key[READ_HEAD].float().t()
    return cross_entropy(scores.masked_fill(~visible, -torch.inf), copied[:, 0], reduction="sum")


def _description_loss(query: Tensor, key: Tensor, prompt: int, descriptions: Tensor) -> Tensor:
    """How little of a head's attention, from a name after `Example: `, is in the description of the same function."""
    positions, starts, ends = descriptions[:, :, None]
    if not len(positions):
        return torch.zeros(())
    keys = torch.arange(prompt)
    scores = query[DESCRIPTION_HEAD, positions[:, 0]].float() @ key[DESCRIPTION_HEAD, :prompt].float().t()
    scores = scores.masked_fill(keys > positions, -torch.inf)
    inside = scores.masked_fill((keys < starts) | (keys >= ends), -torch.inf)
    return _DESCRIPTION_WEIGHT * (scores.logsumexp(1) - inside.logsumexp(1)).sum()
