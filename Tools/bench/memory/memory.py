#!/usr/bin/env python3
"""Predicted against measured memory: what `plan --fits` says and the peak of the process that `generate` was.

The largest nano model and models of random weights in the shapes of Qwen3-0.6B, of the hybrid Qwen3.5-0.8B, and of some
layers of Qwen3-4B (tied), 8B (with a head of its own) and 30B-A3B (experts); 16, 8 and 4 bits; the whole cache in BF16 and in
4 bits, and an evicted one; 1 and 8 samples. Prints a Markdown table, with what was measured beyond weights and cache, and fails
where a process takes more than was predicted, or where the prediction is more than 5 % + 48 MiB too high.
"""

import argparse
import json
import math
import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

MIB = 1 << 20
NANO = Path(__file__).resolve().parents[3] / "Packages/NanoModels/Sources/NanoModels/Resources/nano-4m"
SHARED = {
    "attention_bias": False, "hidden_act": "silu", "rms_norm_eps": 1e-6, "rope_theta": 1000000, "torch_dtype": "bfloat16",
}
CONFIGS = {
    "random-0.6b": SHARED | {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 128, "hidden_size": 1024,
        "intermediate_size": 3072, "max_position_embeddings": 40960, "num_attention_heads": 16, "num_hidden_layers": 28,
        "num_key_value_heads": 8, "tie_word_embeddings": True, "vocab_size": 151936,
    },
    "random-qwen3.5-0.8b": SHARED | {
        "architectures": ["Qwen3_5ForCausalLM"], "model_type": "qwen3_5_text", "head_dim": 256, "hidden_size": 1024,
        "intermediate_size": 3584, "max_position_embeddings": 262144, "num_attention_heads": 8, "num_hidden_layers": 24,
        "num_key_value_heads": 2, "tie_word_embeddings": True, "vocab_size": 248320, "full_attention_interval": 4,
        "linear_num_key_heads": 16, "linear_num_value_heads": 16, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
        "linear_conv_kernel_dim": 4,
    },
    "random-4b-8-layers": SHARED | {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 128, "hidden_size": 2560,
        "intermediate_size": 9728, "max_position_embeddings": 40960, "num_attention_heads": 32, "num_hidden_layers": 8,
        "num_key_value_heads": 8, "tie_word_embeddings": True, "vocab_size": 151936,
    },
    "random-8b-4-layers": SHARED | {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "head_dim": 128, "hidden_size": 4096,
        "intermediate_size": 12288, "max_position_embeddings": 40960, "num_attention_heads": 32, "num_hidden_layers": 4,
        "num_key_value_heads": 8, "tie_word_embeddings": False, "vocab_size": 151936,
    },
    "random-30b-a3b-4-layers": SHARED | {
        "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "head_dim": 128, "hidden_size": 2048,
        "intermediate_size": 6144, "max_position_embeddings": 40960, "num_attention_heads": 32, "num_hidden_layers": 4,
        "num_key_value_heads": 4, "tie_word_embeddings": False, "vocab_size": 151936, "num_experts": 128,
        "num_experts_per_tok": 8, "moe_intermediate_size": 768, "norm_topk_prob": True,
    },
}


GROUP = 128
BYTES = {"BF16": 2, "I32": 4, "I64": 8}
GENERATOR = random.Random(6)
# A mebibyte of each: numbers between 2^-7 and 2^-5, codes, and scales for them.
NUMBERS = bytes(part for _ in range(1 << 19) for part in (GENERATOR.getrandbits(8), 0x3C | GENERATOR.getrandbits(1) << 7))
CODES = GENERATOR.randbytes(1 << 20)
SCALES = bytes((0x80, 0x39)) * (1 << 19)


def tensors(config):
    """Every tensor of the model with its shape."""
    hidden = config["hidden_size"]
    yield "model.embed_tokens.weight", [config["vocab_size"], hidden]
    for layer in range(config["num_hidden_layers"]):
        start = f"model.layers.{layer}."
        yield start + "input_layernorm.weight", [hidden]
        yield start + "post_attention_layernorm.weight", [hidden]
        attends = (layer + 1) % config.get("full_attention_interval", 1) == 0
        for name, shape in (attention if attends else linear_attention)(config).items():
            yield start + name, shape
        if "num_experts" not in config:
            yield from feed_forward(start + "mlp.", hidden, config["intermediate_size"])
            continue
        yield start + "mlp.gate.weight", [config["num_experts"], hidden]
        for expert in range(config["num_experts"]):
            yield from feed_forward(f"{start}mlp.experts.{expert}.", hidden, config["moe_intermediate_size"])
    yield "model.norm.weight", [hidden]
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", [config["vocab_size"], hidden]


def feed_forward(start, hidden, width):
    for name, shape in (("gate", [width, hidden]), ("up", [width, hidden]), ("down", [hidden, width])):
        yield f"{start}{name}_proj.weight", shape


def attention(config):
    hidden, dimension = config["hidden_size"], config["head_dim"]
    heads, keys = config["num_attention_heads"] * dimension, config["num_key_value_heads"] * dimension
    gated = 2 if "linear_num_key_heads" in config else 1
    return {
        "self_attn.q_norm.weight": [dimension], "self_attn.k_norm.weight": [dimension],
        "self_attn.q_proj.weight": [gated * heads, hidden], "self_attn.k_proj.weight": [keys, hidden],
        "self_attn.v_proj.weight": [keys, hidden], "self_attn.o_proj.weight": [hidden, heads],
    }


def linear_attention(config):
    hidden, heads = config["hidden_size"], config["linear_num_value_heads"]
    values = heads * config["linear_value_head_dim"]
    channels = 2 * config["linear_num_key_heads"] * config["linear_key_head_dim"] + values
    return {
        "linear_attn.in_proj_qkv.weight": [channels, hidden], "linear_attn.in_proj_z.weight": [values, hidden],
        "linear_attn.in_proj_b.weight": [heads, hidden], "linear_attn.in_proj_a.weight": [heads, hidden],
        "linear_attn.conv1d.weight": [channels, 1, config["linear_conv_kernel_dim"]],
        "linear_attn.A_log": [heads], "linear_attn.dt_bias": [heads],
        "linear_attn.norm.weight": [config["linear_value_head_dim"]], "linear_attn.out_proj.weight": [hidden, values],
    }


def stored(config, bits):
    """(name, type, shape, filling) of what a file holds: in fewer than 16 bits codes and scales of the quantized layers, as
    compressed-tensors packs them."""
    for name, shape in tensors(config):
        layer = name.removesuffix(".weight")
        if bits == 16 or not layer.endswith(("_proj", "in_proj_qkv", "in_proj_z")):
            yield name, "BF16", shape, NUMBERS
            continue
        rows, columns = shape
        yield layer + ".weight_packed", "I32", [rows, columns * bits // 32], CODES
        yield layer + ".weight_scale", "BF16", [rows, columns // GROUP], SCALES
        yield layer + ".weight_shape", "I64", [2], struct.pack("<2q", rows, columns)


def quantization(bits):
    """The entry of `config.json`."""
    weights = {"num_bits": bits, "group_size": GROUP, "strategy": "group", "symmetric": True, "type": "int"}
    return {"quant_method": "compressed-tensors", "format": "pack-quantized", "ignore": ["lm_head"],
            "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights}}}


def write_random_model(folder, config, bits):
    """A checkpoint of random weights, either sign, with a nano model's tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(NANO / file, folder)
    (folder / "config.json").write_text(json.dumps(config if bits == 16 else config | {"quantization_config": quantization(bits)}))
    header, at = {}, 0
    for name, kind, shape, _ in stored(config, bits):
        size = BYTES[kind] * math.prod(shape)
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    partial = folder / "partial"
    with open(partial, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, kind, shape, filling in stored(config, bits):
            left = BYTES[kind] * math.prod(shape)
            while left > 0:
                left -= file.write(filling[:min(left, len(filling))])
    partial.rename(folder / "model.safetensors")


def peak_of(command):
    """The most bytes that a command's process held."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{' '.join(command)} failed:\n{errors}")
    return usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", type=Path, default=Path("bin"), help="folder of the commands")
    parser.add_argument("--work", type=Path, default=Path("out/memory"), help="folder for the models")
    parser.add_argument("--models", nargs="+", choices=["nano-4m", *CONFIGS], default=["nano-4m", *CONFIGS])
    arguments = parser.parse_args()
    cases = []
    for name in arguments.models:
        prompt, thought, kept = (200, 600, 64) if name == "nano-4m" else (1024, 96, 256)
        model = name
        if name in CONFIGS:
            model = str(arguments.work / name)
            for bits in (16, 8, 4):
                folder = Path(model if bits == 16 else f"{model}-{bits}bit")
                if not (folder / "model.safetensors").exists():
                    write_random_model(folder, CONFIGS[name], bits)
        cases += [(model, prompt, thought, bits, kv, samples) for bits, kv, samples in (
            (16, "bf16", 1), (16, "bf16", 8), (8, "int4", 8), (8, f"rkv:{kept}", 1), (4, f"rkv:{kept}", 8), (4, "int4", 1))]
    print("| model | bits | KV | samples | tokens | predicted | measured | difference | beside weights and cache |\n|" + "---|" * 9)
    failed = False
    for model, prompt, thought, bits, kv, samples in cases:
        folder = model
        if bits < 16:
            folder = str(arguments.work / f"{Path(model).name}-{bits}bit")
            if not Path(folder).exists():
                subprocess.run([arguments.bin / "quantize", "--model", model, "--bits", str(bits), "--method", "rtn",
                                "--output", folder], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        cache = ["--kv-evict" if kv.startswith("rkv") else "--kv", kv]
        plan = subprocess.run(
            [arguments.bin / "plan", "--fits", "--json", "--memory", "1TB", "--model", model, "--bits", str(bits), "--kv", kv,
             "--samples", str(samples), "--prompt", str(prompt), "--budget", str(thought), "--answer", "1"],
            check=True, capture_output=True, text=True)
        predicted, weights, held = (json.loads(plan.stdout)[part]["actual"] for part in ("total_bytes", "weights_bytes", "kv_bytes"))
        generator = random.Random(1)
        ids = ",".join(str(generator.randrange(10, 700)) for _ in range(prompt))
        measured = peak_of([str(arguments.bin / "generate"), "--model", folder, "--ids", ids, "--ignore-eos",
                            "--max-tokens", str(thought), "--samples", str(samples), *cache])
        difference = predicted - measured
        isClose = 0 <= difference <= 0.05 * measured + 48 * MIB
        failed = failed or not isClose
        print(f"| {Path(model).name} | {bits} | {kv} | {samples} | {prompt} + {thought} | {predicted / MIB:.0f} MiB | {measured / MIB:.0f} MiB | "
              f"{difference / MIB:+.0f} MiB{'' if isClose else ' (too far)'} | {(measured - weights - held) / MIB:.0f} MiB |", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
