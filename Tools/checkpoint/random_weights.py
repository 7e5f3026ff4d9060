"""Writes a checkpoint of random weights with the exact shapes of a Qwen3 model, one tensor in memory at a time.

    python3 random_weights.py 0.6b FOLDER [--layers 4] [--tokenizer NANO-MODEL-FOLDER]

It answers nothing, but costs what the real one costs: time, memory, disk. Sizes are those of the published config.json.
"""

import argparse
import json
import shutil
from pathlib import Path

import numpy

import safetensors_file

# hidden, intermediate, layers, heads, key/value heads, tied embedding
SIZES = {
    "0.6b": (1024, 3072, 28, 16, 8, True),
    "1.7b": (2048, 6144, 28, 16, 8, True),
    "4b": (2560, 9728, 36, 32, 8, True),
    "8b": (4096, 12288, 36, 32, 8, False),
    "14b": (5120, 17408, 40, 40, 8, False),
    "32b": (5120, 25600, 64, 64, 8, False),
}
HEAD, VOCABULARY, SPREAD = 128, 151936, 0.02


def configuration(size, layers=None):
    hidden, intermediate, depth, heads, kv_heads, tied = SIZES[size]
    return {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "torch_dtype": "bfloat16",
        "hidden_size": hidden, "intermediate_size": intermediate, "num_hidden_layers": layers or depth,
        "num_attention_heads": heads, "num_key_value_heads": kv_heads, "head_dim": HEAD,
        "vocab_size": VOCABULARY, "tie_word_embeddings": tied, "max_position_embeddings": 40960,
        "rope_theta": 1000000, "rope_scaling": None, "rms_norm_eps": 1e-6, "hidden_act": "silu",
        "attention_bias": False, "bos_token_id": 151643, "eos_token_id": 151645,
    }  # fmt: skip


def shapes(config):
    """Every tensor of the checkpoint: {name: shape}."""
    hidden, intermediate = config["hidden_size"], config["intermediate_size"]
    queries = config["num_attention_heads"] * HEAD
    keys = config["num_key_value_heads"] * HEAD
    result = {"model.embed_tokens.weight": (VOCABULARY, hidden)}
    for layer in range(config["num_hidden_layers"]):
        prefix = f"model.layers.{layer}."
        result |= {
            prefix + "input_layernorm.weight": (hidden,),
            prefix + "self_attn.q_proj.weight": (queries, hidden),
            prefix + "self_attn.k_proj.weight": (keys, hidden),
            prefix + "self_attn.v_proj.weight": (keys, hidden),
            prefix + "self_attn.q_norm.weight": (HEAD,),
            prefix + "self_attn.k_norm.weight": (HEAD,),
            prefix + "self_attn.o_proj.weight": (hidden, queries),
            prefix + "post_attention_layernorm.weight": (hidden,),
            prefix + "mlp.gate_proj.weight": (intermediate, hidden),
            prefix + "mlp.up_proj.weight": (intermediate, hidden),
            prefix + "mlp.down_proj.weight": (hidden, intermediate),
        }
    result["model.norm.weight"] = (hidden,)
    if not config["tie_word_embeddings"]:
        result["lm_head.weight"] = (VOCABULARY, hidden)
    return result


def write(folder, config, seed=0):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    layout = shapes(config)
    random = numpy.random.default_rng(seed)

    def values(name):
        if len(layout[name]) == 1:
            return safetensors_file.bfloat16(numpy.ones(layout[name]))
        return safetensors_file.bfloat16(random.standard_normal(layout[name], numpy.float32) * SPREAD)

    typed = {name: ("BF16", shape) for name, shape in layout.items()}
    safetensors_file.write(folder / "model.safetensors", typed, values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--layers", type=int, help="fewer decoder blocks than the real model")
    parser.add_argument("--tokenizer", type=Path, help="folder whose tokenizer files are copied")
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    write(flags.folder, configuration(flags.size, flags.layers), flags.seed)
    if flags.tokenizer:
        for file in flags.tokenizer.glob("*token*.json"):
            shutil.copy(file, flags.folder)


if __name__ == "__main__":
    main()
