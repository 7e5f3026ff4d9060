#!/usr/bin/env python3
"""Makes Tests/Goldens/models: tiny checkpoints of every family with logits that `reference.py` computes in float64.

    python3 Tools/goldens/make.py            # writes the folder anew; the same bytes every time

The folders are as a hub has them (config.json, model.safetensors), with `golden` beside: `tokens` [33] and their `logits`, the `greedy` text
after them [24], `tokens_long` [200] and the logits of its last 4 positions, and a manifest with tolerances for an engine that computes in float32.
"""

import argparse
import json
import pathlib
import shutil
import sys

import numpy

import reference

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "checkpoint"))
import safetensors_file  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "Tests" / "Goldens" / "models"
TOKENS, GREEDY, LONG, TAIL = 33, 24, 200, 4
# Greedy text must not hang on a rounding: the least distance of the two likeliest tokens that is accepted.
GAP = 0.02
# Nor must the choice of experts.
ROUTER_GAP = 2e-4

LLAMA = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "vocab_size": 96, "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
    "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2,
}
OPT = {
    "model_type": "opt", "architectures": ["OPTForCausalLM"], "hidden_size": 32, "word_embed_proj_dim": 32, "ffn_dim": 64,
    "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 96, "max_position_embeddings": 256, "activation_function": "relu",
    "do_layer_norm_before": True, "enable_bias": True, "layer_norm_elementwise_affine": True, "_remove_final_layer_norm": False,
    "tie_word_embeddings": True, "bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1,
}
FALCON = {
    "model_type": "falcon", "architectures": ["FalconForCausalLM"], "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4,
    "vocab_size": 96, "layer_norm_epsilon": 1e-5, "multi_query": True, "parallel_attn": True, "bias": False, "alibi": False,
    "new_decoder_architecture": False, "apply_residual_connection_post_layernorm": False, "bos_token_id": 11, "eos_token_id": 11,
}
QWEN35 = LLAMA | {
    "head_dim": 16, "rms_norm_eps": 1e-6, "num_hidden_layers": 3, "tie_word_embeddings": True, "max_position_embeddings": 512,
    "model_type": "qwen3_5_text", "architectures": ["Qwen3_5ForCausalLM"],
    "layer_types": ["linear_attention", "linear_attention", "full_attention"], "linear_num_key_heads": 2, "linear_num_value_heads": 4,
    "linear_key_head_dim": 8, "linear_value_head_dim": 12, "linear_conv_kernel_dim": 4,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1e7, "partial_rotary_factor": 0.25},
}
# Name -> (type of the stored weights, config.json).
MODELS = {
    "qwen3_tied_bf16": ("BF16", LLAMA | {
        "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "head_dim": 16, "rope_theta": 1e6, "rms_norm_eps": 1e-6,
        "tie_word_embeddings": True, "attention_bias": False, "use_sliding_window": False}),
    "qwen3_yarn_f32": ("F32", LLAMA | {
        "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"], "head_dim": 16, "num_key_value_heads": 1, "rms_norm_eps": 1e-2,
        "attention_bias": False, "use_sliding_window": False,
        "rope_scaling": {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}}),
    "qwen2_f16": ("F16", LLAMA | {
        "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"], "rope_theta": 1e6, "use_sliding_window": False, "sliding_window": 16,
        "max_window_layers": 2}),
    "llama2_f16": ("F16", LLAMA | {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "num_key_value_heads": 4, "attention_bias": False, "mlp_bias": False}),
    "llama3_bf16": ("BF16", LLAMA | {
        "model_type": "llama", "architectures": ["LlamaForCausalLM"], "rope_theta": 500000.0, "attention_bias": False, "mlp_bias": False,
        "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                         "original_max_position_embeddings": 64}}),
    "mistral_window_bf16": ("BF16", LLAMA | {
        "model_type": "mistral", "architectures": ["MistralForCausalLM"], "head_dim": None, "sliding_window": 12}),
    "qwen3_moe_bf16": ("BF16", LLAMA | {
        "model_type": "qwen3_moe", "architectures": ["Qwen3MoeForCausalLM"], "head_dim": 16, "num_experts": 6, "num_experts_per_tok": 2,
        "moe_intermediate_size": 16, "norm_topk_prob": True, "mlp_only_layers": [0], "decoder_sparse_step": 1, "attention_bias": False,
        "use_sliding_window": False}),
    "opt_f16": ("F16", OPT),
    "opt_post_f16": ("F16", OPT | {"do_layer_norm_before": False, "word_embed_proj_dim": 24}),
    "falcon_7b_bf16": ("BF16", FALCON),
    "qwen35_tied_bf16": ("BF16", QWEN35),
    "falcon_40b_bf16": ("BF16", FALCON | {"new_decoder_architecture": True, "num_kv_heads": 2, "layer_norm_epsilon": 1e-2}),
    "falcon_rw_bf16": ("BF16", FALCON | {"multi_query": False, "parallel_attn": False, "bias": True, "alibi": True}),
}


def recurrence(block, config, found):
    """The tensors of a layer of linear attention."""
    heads, hidden = config["linear_num_value_heads"], config["hidden_size"]
    width = heads * config["linear_value_head_dim"]
    channels = 2 * config["linear_num_key_heads"] * config["linear_key_head_dim"] + width
    for name, rows in (("qkv", channels), ("z", width), ("a", heads), ("b", heads)):
        found[f"{block}in_proj_{name}.weight"] = (rows, hidden)
    found[block + "conv1d.weight"] = (channels, 1, config["linear_conv_kernel_dim"])
    found[block + "A_log"] = found[block + "dt_bias"] = (heads,)
    found[block + "norm.weight"] = (config["linear_value_head_dim"],)
    found[block + "out_proj.weight"] = (hidden, width)


def shapes(config):
    """The tensors of a checkpoint: name -> shape."""
    hidden, vocabulary = config["hidden_size"], config["vocab_size"]
    heads = config["num_attention_heads"]
    found = {}

    def linear(name, out, inputs, bias=False):
        found[name + ".weight"] = (out, inputs)
        if bias:
            found[name + ".bias"] = (out,)

    def norm(name, width=hidden, bias=True):
        found[name + ".weight"] = (width,)
        if bias:
            found[name + ".bias"] = (width,)

    for layer in range(config["num_hidden_layers"]):
        if config["model_type"] == "opt":
            block = f"model.decoder.layers.{layer}."
            for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
                linear(block + "self_attn." + name, hidden, hidden, bias=True)
            linear(block + "fc1", config["ffn_dim"], hidden, bias=True)
            linear(block + "fc2", hidden, config["ffn_dim"], bias=True)
            norm(block + "self_attn_layer_norm")
            norm(block + "final_layer_norm")
        elif config["model_type"] == "falcon":
            block, d = f"transformer.h.{layer}.", hidden // heads
            kv = config.get("num_kv_heads", 1 if config["multi_query"] else heads)
            linear(block + "self_attention.query_key_value", (heads + 2 * kv) * d, hidden, bias=config["bias"])
            linear(block + "self_attention.dense", hidden, hidden, bias=config["bias"])
            linear(block + "mlp.dense_h_to_4h", 4 * hidden, hidden, bias=config["bias"])
            linear(block + "mlp.dense_4h_to_h", hidden, 4 * hidden, bias=config["bias"])
            names = ("ln_attn", "ln_mlp") if config["new_decoder_architecture"] else ("input_layernorm",)
            for name in names if config["parallel_attn"] else (*names, "post_attention_layernorm"):
                norm(block + name)
        else:
            block, d = f"model.layers.{layer}.", config.get("head_dim") or hidden // heads
            kv, inner = config["num_key_value_heads"] * d, config["intermediate_size"]
            types = config.get("layer_types")
            if types and types[layer] == "linear_attention":
                recurrence(block + "linear_attn.", config, found)
            else:
                for name, rows in (("q_proj", heads * d * (2 if types else 1)), ("k_proj", kv), ("v_proj", kv)):
                    linear(block + "self_attn." + name, rows, hidden, bias=config["model_type"] == "qwen2")
                linear(block + "self_attn.o_proj", hidden, heads * d)
                if config["model_type"] in ("qwen3", "qwen3_moe", "qwen3_5_text"):
                    norm(block + "self_attn.q_norm", d, bias=False)
                    norm(block + "self_attn.k_norm", d, bias=False)
            parts, is_sparse = ["mlp."], "num_experts" in config and layer not in config["mlp_only_layers"]
            if is_sparse:
                linear(block + "mlp.gate", config["num_experts"], hidden)
                parts = [f"mlp.experts.{expert}." for expert in range(config["num_experts"])]
                inner = config["moe_intermediate_size"]
            for part in parts:
                for name in ("gate_proj", "up_proj"):
                    linear(block + part + name, inner, hidden)
                linear(block + part + "down_proj", hidden, inner)
            for name in ("input_layernorm", "post_attention_layernorm"):
                norm(block + name, bias=False)
    if config["model_type"] == "opt":
        width = config["word_embed_proj_dim"]
        linear("model.decoder.embed_tokens", vocabulary, width)
        linear("model.decoder.embed_positions", config["max_position_embeddings"] + 2, hidden)
        if width != hidden:
            linear("model.decoder.project_in", hidden, width)
            linear("model.decoder.project_out", width, hidden)
        if config["do_layer_norm_before"]:
            norm("model.decoder.final_layer_norm")
    elif config["model_type"] == "falcon":
        linear("transformer.word_embeddings", vocabulary, hidden)
        norm("transformer.ln_f")
    else:
        linear("model.embed_tokens", vocabulary, hidden)
        norm("model.norm", bias=False)
        if not config["tie_word_embeddings"]:
            linear("lm_head", vocabulary, hidden)
    return dict(sorted(found.items()))


def stored(values, dtype):
    """The nearest numbers of a type, as safetensors_file writes them and as float64."""
    if dtype != "BF16":
        bits = values.astype(safetensors_file.TYPES[dtype])
        return bits, bits.astype(numpy.float64)
    bits = safetensors_file.bfloat16(values)
    return bits, (bits.astype(numpy.uint32) << 16).view(numpy.float32).astype(numpy.float64)


def weights(config, random):
    """Values that make attention and feed-forward matter, and logits of some units: name -> array."""
    for name, shape in shapes(config).items():
        values = random.standard_normal(shape)
        is_norm = "norm" in name or ".ln_" in name
        if is_norm and name.endswith(".weight"):
            is_unit = config["model_type"] == "qwen3_5_text" and "linear_attn" not in name  # stored less 1
            values = (0 if is_unit else 1) + 0.2 * values
        elif name.endswith(("A_log", "dt_bias")):
            values = values - 2
        elif name.endswith(".bias"):
            values = 0.1 * values
        elif "embed_positions" in name:
            values = 0.5 * values
        elif "embed" in name:
            values = 0.7 * values
        else:
            values = 1.3 * values / numpy.sqrt(shape[-1])
        yield name, values


def greedy(config, tensors, tokens, gaps):
    """The likeliest continuation, and the least distance of its tokens from the next likeliest."""
    tokens, gap = list(tokens), numpy.inf
    for _ in range(GREEDY):
        last = reference.logits(config, tensors, tokens, gaps)[-1]
        second, first = numpy.sort(last)[-2:]
        gap = min(gap, first - second)
        tokens.append(int(last.argmax()))
    return tokens[-GREEDY:], gap


def make(name, folder):
    """Writes a model and what it should compute."""
    dtype, config = MODELS[name]
    for seed in range(100):
        random = numpy.random.Generator(numpy.random.PCG64([seed, *name.encode()]))
        pairs = {tensor: stored(values, dtype) for tensor, values in weights(config, random)}
        tensors = {tensor: value for tensor, (_, value) in pairs.items()}
        tokens, long = (random.integers(0, config["vocab_size"], count) for count in (TOKENS, LONG))
        routes = [numpy.inf]
        text, gap = greedy(config, tensors, tokens, routes)
        tail = reference.logits(config, tensors, long, routes)[-TAIL:]
        if gap > GAP and min(routes) > ROUTER_GAP and len(set(text)) > 3:
            break
    else:
        raise SystemExit(f"{name}: no seed gives a greedy text that stands")
    golden = folder / "golden"
    golden.mkdir(parents=True)
    torch_names = {"F32": "float32", "F16": "float16", "BF16": "bfloat16"}
    (folder / "config.json").write_text(json.dumps(config | {"torch_dtype": torch_names[dtype]}, indent=2) + "\n")
    safetensors_file.write(folder / "model.safetensors", {tensor: (dtype, bits.shape) for tensor, (bits, _) in pairs.items()},
                           lambda tensor: pairs[tensor][0])
    logits = reference.logits(config, tensors, tokens)
    arrays = {"tokens": tokens, "logits": logits, "greedy": text, "tokens_long": long,
              "logits_long_tail": tail}
    for array, values in arrays.items():
        values = numpy.asarray(values)
        numpy.save(golden / f"{array}.npy", values.astype("<f4" if values.dtype.kind == "f" else "<i4"))
    manifest = {
        "kind": "model-logits", "model": name, "seed": seed, "compute": "weights as stored, NumPy float64 (Tools/goldens)",
        "measured": {"greedy_min_gap": round(float(gap), 4), "logits_std": round(float(logits.std()), 4)},
        "tolerances": {"logits_max_abs": round(2e-4 * float(logits.std()), 6), "logits_rel_l2": 5e-5}}
    (golden / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main(folder=FOLDER):
    """What is there is replaced when all of it was made."""
    fresh = folder.with_name(folder.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    for name in MODELS:
        make(name, fresh / name)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


if __name__ == "__main__":
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    main()
