"""A nano model with strong outlier channels that predicts what it did: some channels of the norms scaled up, their readers down.

    python3 Tools/checkpoint/outlier_model.py nano-4m TARGET [--channels 4] [--factor 64]

A power of two leaves every BF16 weight what it was but for its exponent, so that the logits are the same bits. What rounds
activations token by token then has its scale from these channels alone: large models come like that by themselves.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy

import safetensors_file

NANO = Path(__file__).resolve().parents[2] / "Packages/NanoModels/Sources/NanoModels/Resources"
READERS = {
    "input_layernorm": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    "post_attention_layernorm": ["mlp.gate_proj", "mlp.up_proj"],
}


def scaled(tensors, layers, channels, factor, seed=0):
    """The tensors with `channels` outputs of every norm of a block times `factor`, the columns that read them divided by it."""
    random = numpy.random.default_rng(seed)
    result = dict(tensors)
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        for norm, readers in READERS.items():
            weight = result[f"{prefix}{norm}.weight"].copy()
            chosen = random.choice(len(weight), channels, replace=False)
            weight[chosen] *= factor
            result[f"{prefix}{norm}.weight"] = weight
            for reader in readers:
                matrix = result[f"{prefix}{reader}.weight"].copy()
                matrix[:, chosen] /= factor
                result[f"{prefix}{reader}.weight"] = matrix
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("target", type=Path)
    parser.add_argument("--channels", type=int, default=4)
    parser.add_argument("--factor", type=float, default=64)
    flags = parser.parse_args()
    source = NANO / flags.model
    flags.target.mkdir(parents=True, exist_ok=True)
    for file in source.iterdir():
        if not file.name.startswith("model"):
            shutil.copy(file, flags.target)
    config = json.loads((source / "config.json").read_text())
    tensors = scaled(
        safetensors_file.read(source / "model.safetensors"), config["num_hidden_layers"], flags.channels, flags.factor
    )
    shapes = {name: ("BF16", values.shape) for name, values in tensors.items()}
    safetensors_file.write(
        flags.target / "model.safetensors", shapes, lambda name: safetensors_file.bfloat16(tensors[name])
    )


if __name__ == "__main__":
    main()
