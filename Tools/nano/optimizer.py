"""Muon for the layers' matrices, AdamW for embedding and norms, one schedule for both."""

from collections import defaultdict

import torch
from torch import Tensor

from sizes import Training

WARMUP_STEPS = 60


def rate_at(step: int, tokens: int, plan: Training) -> float:
    """The factor on every learning rate, 0...1, after so many steps and tokens."""
    end = plan.tokens
    for length in plan.further:
        begin, end = end, end + length
        if begin <= tokens < end:
            return 0.5 * (end - tokens) / length
    if tokens >= end:
        return 0.0
    left = 1 - tokens / plan.tokens
    return min((step + 1) / WARMUP_STEPS, left / plan.cooldown, 1.0)


def orthogonalized(matrices: Tensor) -> Tensor:
    """Five Newton-Schulz steps towards the nearest orthogonal matrices; [count, rows, columns].

    The quintic of Keller Jordan, "Muon: An optimizer for hidden layers in neural networks" (2024).
    """
    a, b, c = 3.4445, -4.7750, 2.0315
    x = matrices.bfloat16()
    wide = x.shape[1] <= x.shape[2]
    x = x if wide else x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    return (x if wide else x.mT).float()


class Muon(torch.optim.Optimizer):
    """Orthogonalized Nesterov momentum; equal shapes are treated as one batch."""

    def __init__(self, parameters, lr: float, momentum: float = 0.95, weight_decay: float = 0.02):
        super().__init__(parameters, dict(lr=lr, momentum=momentum, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            by_shape = defaultdict(list)
            for parameter in group["params"]:
                by_shape[parameter.shape].append(parameter)
            for shape, parameters in by_shape.items():
                updates = torch.stack([self.momentum(p, group["momentum"]) for p in parameters])
                scale = max(1, shape[0] / shape[1]) ** 0.5
                for parameter, update in zip(parameters, orthogonalized(updates)):
                    parameter.mul_(1 - group["lr"] * group["weight_decay"])
                    parameter.add_(update, alpha=-group["lr"] * scale)

    def momentum(self, parameter: Tensor, decay: float) -> Tensor:
        state = self.state[parameter]
        if not state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(parameter.grad, 1 - decay)
        return parameter.grad.lerp(state["momentum"], decay)


class Optimizer:
    """Both optimizers, stepping together."""

    def __init__(self, model, muon_rate: float, adam_rate: float = 3e-3):
        self.parameters = list(model.parameters())
        matrices = [p for n, p in model.named_parameters() if p.ndim == 2 and "layers" in n]
        chosen = set(matrices)
        others = [p for p in self.parameters if p not in chosen]
        self.parts = [
            (Muon(matrices, muon_rate), muon_rate),
            (torch.optim.AdamW(others, adam_rate, (0.9, 0.98), weight_decay=0.05), adam_rate),
        ]

    def step(self, factor: float):
        """Clips the gradients to norm 1, moves by `factor` times the rates, clears them."""
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        for part, rate in self.parts:
            for group in part.param_groups:
                group["lr"] = factor * rate
            part.step()
            part.zero_grad()

    def state_dict(self) -> list[dict]:
        return [part.state_dict() for part, _ in self.parts]

    def load_state_dict(self, states: list[dict]):
        for (part, _), state in zip(self.parts, states):
            part.load_state_dict(state)
