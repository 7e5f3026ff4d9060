"""Begins a model with experts, or a hybrid, from a trained dense one: `python upcycle.py nano-moe --from RESOURCES`.

A hybrid keeps everything but the attention of its linear layers, which begin at random; the gates behind what still
attends are one half at first, which twice the output makes up for.

Every expert is a copy of the dense feed-forward layer, moved a little, and the router is random: at first the model
computes nearly what the dense one does, and training drives the experts apart (Komatsuzaki et al., arXiv:2212.05055).
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file

from model import Qwen3
from sizes import SIZES

NOISE = 0.02
"""Of the copies, as a part of the size of their weights."""


def upcycled(name: str, dense: dict, seed: int) -> dict:
    """The weights of model `name`, by those of the dense model that it begins with."""
    model = Qwen3(SIZES[name])
    model.initialize(seed)
    generator = torch.Generator().manual_seed(seed)
    weights = model.state_dict()
    for key in weights:
        layer, _, part = key.partition(".mlp.experts.")
        source = f"{layer}.mlp.{part.partition('.')[2]}" if part else key
        if source not in dense:  # the router, linear attention and gates
            weights[key] = torch.zeros_like(weights[key]) if "gate_proj" in key and "self_attn" in key else weights[key]
            continue
        values = dense[source].float()
        if model.size.linear and "o_proj" in key:
            values = 2 * values
        if part:
            values = values + NOISE * values.std() * torch.randn(values.shape, generator=generator)
        weights[key] = values
    return weights


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[name for name, size in SIZES.items() if size.training.begins_with])
    parser.add_argument("--from", dest="source", type=Path, required=True, help="folder of the trained models")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of checkpoints")
    options = parser.parse_args()
    training = SIZES[options.name].training
    dense = load_file(options.source / training.begins_with / "model.safetensors")
    options.runs.mkdir(parents=True, exist_ok=True)
    torch.save({"model": upcycled(options.name, dense, training.seed), "optimizer": None, "step": 0, "tokens": 0},
               options.runs / f"{options.name}.pt")


if __name__ == "__main__":
    main()
