#!/usr/bin/env python3
"""Predicted against measured memory: what `plan --fits` says and the peak of the process that `generate` was.

Twelve configurations: the largest nano model and a model of random weights in the shapes of Qwen3-0.6B; 16, 8 and 4 bits;
the whole cache in BF16 and in 4 bits, and an evicted one; 1 and 8 samples. Prints a Markdown table and fails where a difference exceeds 5 % + 48 MiB.
"""

import argparse
import json
import os
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

MIB = 1 << 20
NANO = Path(__file__).resolve().parents[3] / "Packages/NanoModels/Sources/NanoModels/Resources/nano-4m"
QWEN3_06B = {
    "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "attention_bias": False, "head_dim": 128,
    "hidden_act": "silu", "hidden_size": 1024, "intermediate_size": 3072, "max_position_embeddings": 40960,
    "num_attention_heads": 16, "num_hidden_layers": 28, "num_key_value_heads": 8, "rms_norm_eps": 1e-6,
    "rope_theta": 1000000, "tie_word_embeddings": True, "vocab_size": 151936, "torch_dtype": "bfloat16",
}


def tensors(config):
    """Every tensor of the model with its shape."""
    hidden, width = config["hidden_size"], config["intermediate_size"]
    heads = config["num_attention_heads"] * config["head_dim"]
    keys = config["num_key_value_heads"] * config["head_dim"]
    yield "model.embed_tokens.weight", [config["vocab_size"], hidden]
    for layer in range(config["num_hidden_layers"]):
        start = f"model.layers.{layer}."
        yield start + "input_layernorm.weight", [hidden]
        yield start + "post_attention_layernorm.weight", [hidden]
        yield start + "self_attn.q_norm.weight", [config["head_dim"]]
        yield start + "self_attn.k_norm.weight", [config["head_dim"]]
        for name, shape in (("q", [heads, hidden]), ("k", [keys, hidden]), ("v", [keys, hidden]), ("o", [hidden, heads])):
            yield f"{start}self_attn.{name}_proj.weight", shape
        for name, shape in (("gate", [width, hidden]), ("up", [width, hidden]), ("down", [hidden, width])):
            yield f"{start}mlp.{name}_proj.weight", shape
    yield "model.norm.weight", [hidden]


def write_random_model(folder):
    """A checkpoint of random BF16 weights between 2^-7 and 2^-5, either sign, with a nano model's tokenizer."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(NANO / file, folder)
    (folder / "config.json").write_text(json.dumps(QWEN3_06B))
    header, at = {}, 0
    for name, shape in tensors(QWEN3_06B):
        count = 1
        for size in shape:
            count *= size
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + 2 * count]}
        at += 2 * count
    text = json.dumps(header).encode()
    generator = random.Random(6)
    block = bytes(part for _ in range(1 << 19)
                  for part in (generator.getrandbits(8), 0x3C | generator.getrandbits(1) << 7))
    partial = folder / "partial"
    with open(partial, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        while at > 0:
            at -= file.write(block[:min(at, len(block))])
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
    arguments = parser.parse_args()
    large = arguments.work / "random-0.6b"
    if not (large / "model.safetensors").exists():
        write_random_model(large)
    cases = []
    for model, prompt, thought, kept in (("nano-4m", 200, 600, 64), (str(large), 1024, 96, 256)):
        cases += [(model, prompt, thought, bits, kv, samples) for bits, kv, samples in (
            (16, "bf16", 1), (16, "bf16", 8), (8, "int4", 8), (8, f"rkv:{kept}", 1), (4, f"rkv:{kept}", 8), (4, "int4", 1))]
    print("| model | bits | KV | samples | tokens | predicted | measured | difference |\n|---|---|---|---|---|---|---|---|")
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
        predicted = json.loads(plan.stdout)["total_bytes"]["actual"]
        generator = random.Random(1)
        ids = ",".join(str(generator.randrange(10, 700)) for _ in range(prompt))
        measured = peak_of([str(arguments.bin / "generate"), "--model", folder, "--ids", ids, "--ignore-eos",
                            "--max-tokens", str(thought), "--samples", str(samples), *cache])
        difference = predicted - measured
        isClose = abs(difference) <= 0.05 * measured + 48 * MIB
        failed = failed or not isClose
        print(f"| {Path(model).name} | {bits} | {kv} | {samples} | {prompt} + {thought} | {predicted / MIB:.0f} MiB | {measured / MIB:.0f} MiB | "
              f"{difference / MIB:+.0f} MiB{'' if isClose else ' (too far)'} |", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
