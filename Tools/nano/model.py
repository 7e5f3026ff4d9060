"""Qwen3, with parameters named as Hugging Face names them."""

from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from delta import GatedDeltaNet
from sizes import NORM_EPSILON, ROPE_THETA, Size


class Normalized(torch.autograd.Function):
    """`x` [..., width] at a root mean square of 1 over the last dimension, times `weight` [..., width].

    Written out because on CPUs `F.rms_norm` and its backward pass go over memory twice as often.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor) -> Tensor:
        squares = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_()
        scale = squares.div_(x.shape[-1]).add_(NORM_EPSILON).rsqrt_()
        unit = x * scale
        ctx.save_for_backward(unit, scale, weight)
        return unit * weight

    @staticmethod
    def backward(ctx, slope: Tensor) -> tuple[Tensor, Tensor]:
        unit, scale, weight = ctx.saved_tensors
        of_weight = (slope * unit).sum(tuple(range(slope.ndim - weight.ndim)))
        slope = slope * weight
        along = (slope * unit).mean(-1, keepdim=True)
        return torch.addcmul(slope, unit, along, value=-1).mul_(scale), of_weight


class RMSNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return Normalized.apply(x.float(), self.weight)


def at_once(x: Tensor, *linears: nn.Linear) -> Tensor:
    """What several linear maps of one input give, side by side, by one product."""
    return F.linear(x, torch.cat([linear.weight for linear in linears]))


def rotary_table(head_dim: int, positions: int) -> Tensor:
    """[2, positions, head_dim] cosines and signed sines, for the rotate-half convention."""
    frequencies = ROPE_THETA ** (-torch.arange(0, head_dim, 2).double() / head_dim)
    angles = torch.outer(torch.arange(positions).double(), frequencies)
    cosines, sines = angles.cos(), angles.sin()
    return torch.stack([torch.cat([cosines, cosines], -1), torch.cat([-sines, sines], -1)]).float()


def rotated(x: Tensor, rotary: Tensor) -> Tensor:
    """`x` [..., head_dim] turned by `rotary` [2, ..., head_dim]."""
    return x * rotary[0] + x.roll(x.shape[-1] // 2, -1) * rotary[1]


class Attention(nn.Module):
    def __init__(self, size: Size):
        super().__init__()
        self.head_dim = size.head_dim
        self.q_proj = nn.Linear(size.hidden, size.heads * size.head_dim, bias=False)
        self.k_proj = nn.Linear(size.hidden, size.kv_heads * size.head_dim, bias=False)
        self.v_proj = nn.Linear(size.hidden, size.kv_heads * size.head_dim, bias=False)
        self.o_proj = nn.Linear(size.heads * size.head_dim, size.hidden, bias=False)
        self.q_norm, self.k_norm = RMSNorm(size.head_dim), RMSNorm(size.head_dim)
        if size.linear:  # hybrids gate what attends
            self.gate_proj = nn.Linear(size.hidden, size.heads * size.head_dim, bias=False)

    def forward(self, x: Tensor, rotary: Tensor, attend) -> Tensor:
        """`x` [..., hidden]; `attend` maps queries, keys and values [..., heads, head_dim]."""
        heads, kv_heads = (p.out_features // self.head_dim for p in (self.q_proj, self.k_proj))
        both, v = (at_once(x, self.q_proj, self.k_proj, self.v_proj).unflatten(-1, (-1, self.head_dim))
                   .split([heads + kv_heads, kv_heads], -2))
        norms = torch.cat([self.q_norm.weight.expand(heads, -1), self.k_norm.weight.expand(kv_heads, -1)])
        both = rotated(Normalized.apply(both.float(), norms), rotary.unsqueeze(-2)).to(v.dtype)
        q, k = both.split([heads, kv_heads], -2)
        mixed = attend(q, k, v).flatten(-2)
        if hasattr(self, "gate_proj"):
            mixed = mixed * self.gate_proj(x).sigmoid()
        return self.o_proj(mixed)


class MLP(nn.Module):
    def __init__(self, size: Size):
        super().__init__()
        self.gate_proj = nn.Linear(size.hidden, size.intermediate, bias=False)
        self.up_proj = nn.Linear(size.hidden, size.intermediate, bias=False)
        self.down_proj = nn.Linear(size.intermediate, size.hidden, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        gate, up = at_once(x, self.gate_proj, self.up_proj).chunk(2, -1)
        return self.down_proj(F.silu(gate) * up)


class Experts(nn.Module):
    """Each token goes to the likeliest few; their outputs are weighed by their probabilities among themselves."""

    def __init__(self, size: Size):
        super().__init__()
        self.chosen = size.chosen
        self.gate = nn.Linear(size.hidden, size.experts, bias=False)
        self.experts = nn.ModuleList(MLP(size) for _ in range(size.experts))
        self.imbalance = torch.zeros(())
        """Of the last tokens: 1 where all experts are used alike (Fedus et al., arXiv:2101.03961)."""

    def forward(self, x: Tensor) -> Tensor:
        chances = self.gate(x).float().softmax(-1)
        weights, chosen = chances.topk(self.chosen, dim=-1)
        weights = weights / weights.sum(-1, keepdim=True)
        y = torch.zeros_like(x)
        used = torch.zeros(len(self.experts))
        for index, expert in enumerate(self.experts):
            rows, places = (chosen == index).nonzero(as_tuple=True)
            used[index] = len(rows) / chosen.numel()
            if len(rows):
                y = y.index_add(0, rows, (expert(x[rows]).float() * weights[rows, places, None]).to(y.dtype))
        self.imbalance = len(self.experts) * (used * chances.mean(0)).sum()
        return y


class Layer(nn.Module):
    def __init__(self, size: Size, index: int):
        super().__init__()
        if index in size.linear:
            self.linear_attn = GatedDeltaNet(size)
        else:
            self.self_attn = Attention(size)
        self.mlp = (Experts if size.experts else MLP)(size)
        self.input_layernorm = RMSNorm(size.hidden)
        self.post_attention_layernorm = RMSNorm(size.hidden)

    def forward(self, x: Tensor, rotary: Tensor, attend) -> Tensor:
        normalized = self.input_layernorm(x)
        if hasattr(self, "linear_attn"):
            x = x + self.linear_attn(normalized, attend.each)
        else:
            x = x + self.self_attn(normalized, rotary, attend)
        return x + self.mlp(self.post_attention_layernorm(x))


class Backbone(nn.Module):
    def __init__(self, size: Size):
        super().__init__()
        self.embed_tokens = nn.Embedding(size.family.vocabulary, size.hidden)
        self.layers = nn.ModuleList(Layer(size, index) for index in range(size.layers))
        self.norm = RMSNorm(size.hidden)


class Qwen3(nn.Module):
    """The causal language model; the embedding is also the head."""

    def __init__(self, size: Size):
        super().__init__()
        self.size = size
        self.model = Backbone(size)
        self.register_buffer("rotary", rotary_table(size.head_dim, size.family.positions), persistent=False)

    def initialize(self, seed: int):
        """N(0, 1/inputs), smaller where a layer writes to the residual stream."""
        generator = torch.Generator().manual_seed(seed)
        residual = (2 * self.size.layers) ** -0.5
        for name, parameter in self.named_parameters():
            if "embed_tokens" in name:
                nn.init.normal_(parameter, 0, 0.02, generator)
            elif parameter.ndim == 2:
                scale = residual if any(part in name for part in ("o_proj", "out_proj", "down_proj")) else 1
                nn.init.normal_(parameter, 0, scale * parameter.shape[1] ** -0.5, generator)

    def hidden(self, tokens: Tensor, positions: Tensor, attend) -> Tensor:
        """Normalized last hidden states; `attend(q, k, v)` sees all tokens at once."""
        x = self.model.embed_tokens(tokens)
        rotary = self.rotary[:, positions]
        for layer in self.model.layers:
            x = layer(x, rotary, attend)
        return self.model.norm(x)

    def imbalance(self) -> Tensor:
        """How unlike the use of the experts was, summed over the layers; 0 without experts."""
        return sum((layer.mlp.imbalance for layer in self.model.layers if self.size.experts), torch.zeros(()))

    def logits(self, hidden: Tensor) -> Tensor:
        return F.linear(hidden, self.model.embed_tokens.weight)


@cache
def future(length: int, repeats: int, dtype: torch.dtype) -> Tensor:
    """[repeats * length, length] minus infinity where a key is later than its query, else 0."""
    return torch.full((length, length), -torch.inf, dtype=dtype).triu(1).repeat(repeats, 1)


def attend_causally(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Attention within documents: [documents, length, heads, head_dim], past only.

    Written out because on CPUs the fused kernel's backward pass takes four times as long.
    """
    documents, length, heads, width = q.shape
    groups = k.shape[2]
    q = q.transpose(1, 2).reshape(documents * groups, -1, width)
    k, v = (x.transpose(1, 2).reshape(documents * groups, length, width) for x in (k, v))
    scores = torch.bmm(q * width**-0.5, k.mT) + future(length, heads // groups, q.dtype)
    mixed = torch.bmm(scores.softmax(-1).to(v.dtype), v)
    return mixed.reshape(documents, heads, length, width).transpose(1, 2)


class InBlocks:
    """Attention over a flat row of documents, given as (documents, length) blocks."""

    def __init__(self, blocks: list[tuple[int, int]]):
        self.blocks = blocks
        self.sizes = [documents * length for documents, length in blocks]

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        return self.each(attend_causally, q, k, v)

    def each(self, function, *rows: Tensor) -> Tensor:
        """A function of [documents, length, ...] on the rows of every block."""
        parts = zip(self.blocks, *(row.split(self.sizes) for row in rows))
        return torch.cat([
            function(*(part.unflatten(0, block) for part in own)).flatten(0, 1)
            for block, *own in parts])
