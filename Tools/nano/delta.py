"""Gated DeltaNet, the linear attention of Qwen3.5 (arXiv:2412.06464), by chunks."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sizes import NORM_EPSILON, Size

TAPS = 4
CHUNK = 32


def delta_rule(q: Tensor, k: Tensor, v: Tensor, decay: Tensor, strength: Tensor) -> Tensor:
    """`S = e^decay S; S += k (strength (v - S^T k))^T; o = S^T q` over the tokens of [..., length, width].

    Within a chunk the corrections solve a triangular system (arXiv:2406.06484); the state goes from chunk to chunk.
    """
    length = q.shape[-2]
    parts = -(-length // CHUNK)
    q, k, v = (F.pad(x, (0, 0, 0, parts * CHUNK - length)).unflatten(-2, (parts, CHUNK)) for x in (q, k, v))
    decay, strength = (F.pad(x, (0, parts * CHUNK - length)).unflatten(-1, (parts, CHUNK)) for x in (decay, strength))
    passed = decay.cumsum(-1)
    between = (passed[..., :, None] - passed[..., None, :]).tril().exp().tril()
    mixed = strength[..., None] * (k @ k.mT) * between
    system = mixed.tril(-1) + torch.eye(CHUNK)
    right = torch.cat([strength[..., None] * v, (strength * passed.exp())[..., None] * k], -1)
    solved = torch.linalg.solve_triangular(system, right, upper=False, unitriangular=True)
    values, keys = solved.split([v.shape[-1], k.shape[-1]], -1)
    inside = (q @ k.mT) * between
    state, outputs = torch.zeros(*k.shape[:-3], k.shape[-1], v.shape[-1]), []
    for part in range(parts):
        at = (..., part, slice(None), slice(None))
        corrected = values[at] - keys[at] @ state
        outputs.append(passed[..., part, :, None].exp() * (q[at] @ state) + inside[at] @ corrected)
        left = passed[..., part, -1:]
        state = left[..., None].exp() * state + ((left - passed[..., part, :]).exp()[..., None] * k[at]).mT @ corrected
    return torch.cat(outputs, -2)[..., :length, :]


class GatedNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor, gate: Tensor) -> Tensor:
        return F.rms_norm(x, self.weight.shape, self.weight, NORM_EPSILON) * F.silu(gate.float())


class GatedDeltaNet(nn.Module):
    """Keys have as many heads as the attention's keys, values as many as its queries."""

    def __init__(self, size: Size):
        super().__init__()
        self.keys, self.values, self.width = size.kv_heads, size.heads, size.head_dim
        channels, values = (2 * self.keys + self.values) * self.width, self.values * self.width
        self.in_proj_qkv = nn.Linear(size.hidden, channels, bias=False)
        self.in_proj_z = nn.Linear(size.hidden, values, bias=False)
        self.in_proj_b = nn.Linear(size.hidden, self.values, bias=False)
        self.in_proj_a = nn.Linear(size.hidden, self.values, bias=False)
        self.conv1d = nn.Conv1d(channels, channels, TAPS, groups=channels, padding=TAPS - 1, bias=False)
        # Heads begin to forget at rates of their own: half of what they hold after 1 to 64 tokens.
        rates = 0.7 * 2.0 ** -torch.linspace(0, 6, self.values)
        self.A_log = nn.Parameter(torch.zeros(self.values))
        self.dt_bias = nn.Parameter(rates.expm1().log())
        self.norm = GatedNorm(self.width)
        self.out_proj = nn.Linear(values, size.hidden, bias=False)

    def forward(self, x: Tensor, documents) -> Tensor:
        """`x` [..., hidden]; `documents` applies a function to each document of rows by itself."""
        mixed = documents(self.mixed, self.in_proj_qkv(x), self.in_proj_b(x), self.in_proj_a(x))
        gate = self.in_proj_z(x).unflatten(-1, (self.values, self.width))
        return self.out_proj(self.norm(mixed, gate).to(x.dtype).flatten(-2))

    def mixed(self, qkv: Tensor, strength: Tensor, decay: Tensor) -> Tensor:
        """Of [documents, length, channels and heads] to [documents, length, heads, width]."""
        qkv = F.silu(self.conv1d(qkv.mT)[..., : qkv.shape[1]].mT.float())
        q, k, v = qkv.unflatten(-1, (-1, self.width)).transpose(1, 2).split([self.keys, self.keys, self.values], 1)
        q, k = (x * (x.square().sum(-1, keepdim=True) + 1e-6).rsqrt() for x in (q, k))
        q, k = (x.repeat_interleave(self.values // self.keys, 1) for x in (q * self.width**-0.5, k))
        decay = -self.A_log.exp() * F.softplus(decay.float() + self.dt_bias)
        with torch.autocast("cpu", enabled=False):
            y = delta_rule(q, k, v, decay.mT, strength.float().sigmoid().mT)
        return y.transpose(1, 2)
