"""Writes a trained model as a Hugging Face folder: `python export.py nano-0.5m --to DIR`."""

import argparse
import json
from pathlib import Path

import torch
from safetensors.torch import save_file

import tokenizer as nano_tokenizer
from delta import TAPS
from document import END_OF_TEXT, IM_END, IM_START, SPECIAL_TOKENS, THINK, END_THINK
from sizes import NORM_EPSILON, ROPE_THETA, SIZES, Family, Size


def config(size: Size, tokens: int) -> dict:
    """`config.json`; `nano_training` tells what the weights have seen."""
    experts = {} if not size.experts else {
        "num_experts": size.experts, "num_experts_per_tok": size.chosen, "moe_intermediate_size": size.intermediate,
        "norm_topk_prob": True, "decoder_sparse_step": 1, "mlp_only_layers": [],
    }
    hybrid = {} if not size.linear else {
        "layer_types": ["linear_attention" if layer in size.linear else "full_attention" for layer in range(size.layers)],
        "linear_num_key_heads": size.kv_heads, "linear_num_value_heads": size.heads,
        "linear_key_head_dim": size.head_dim, "linear_value_head_dim": size.head_dim, "linear_conv_kernel_dim": TAPS,
        "partial_rotary_factor": 1.0,
    }
    kind = "qwen3_moe" if experts else "qwen3_5_text" if hybrid else "qwen3"
    return {
        "architectures": [{"qwen3_moe": "Qwen3MoeForCausalLM", "qwen3_5_text": "Qwen3_5ForCausalLM"}.get(kind, "Qwen3ForCausalLM")],
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": SPECIAL_TOKENS.index(END_OF_TEXT),
        "eos_token_id": SPECIAL_TOKENS.index(IM_END),
        "head_dim": size.head_dim,
        "hidden_act": "silu",
        "hidden_size": size.hidden,
        "initializer_range": 0.02,
        "intermediate_size": size.intermediate,
        "max_position_embeddings": size.family.positions,
        "max_window_layers": size.layers,
        "model_type": kind,
        "num_attention_heads": size.heads,
        "num_hidden_layers": size.layers,
        "num_key_value_heads": size.kv_heads,
        "pad_token_id": SPECIAL_TOKENS.index(END_OF_TEXT),
        "rms_norm_eps": NORM_EPSILON,
        "rope_scaling": None,
        "rope_theta": ROPE_THETA,
        "sliding_window": None,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "use_sliding_window": False,
        "vocab_size": size.family.vocabulary,
        **experts, **hybrid,
        "nano_training": {"tokens": tokens, "seed": size.training.seed},
    }


def generation_config() -> dict:
    return {
        "bos_token_id": SPECIAL_TOKENS.index(END_OF_TEXT),
        "do_sample": True,
        "eos_token_id": [SPECIAL_TOKENS.index(IM_END), SPECIAL_TOKENS.index(END_OF_TEXT)],
        "pad_token_id": SPECIAL_TOKENS.index(END_OF_TEXT),
        "temperature": 0.6,
        "top_k": 20,
        "top_p": 0.95,
    }


def tokenizer_config(family: Family) -> dict:
    return {
        "add_bos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": {
            str(index): {
                "content": token, "lstrip": False, "normalized": False, "rstrip": False,
                "single_word": False, "special": token not in (THINK, END_THINK),
            }
            for index, token in enumerate(SPECIAL_TOKENS)
        },
        "additional_special_tokens": [IM_START, IM_END],
        "bos_token": None,
        "chat_template": Path(__file__).with_name("chat_template.jinja").read_text(),
        "clean_up_tokenization_spaces": False,
        "eos_token": IM_END,
        "errors": "replace",
        "model_max_length": family.positions,
        "pad_token": END_OF_TEXT,
        "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer",
        "unk_token": None,
    }


def write_json(path: Path, fields: dict):
    path.write_text(json.dumps(fields, indent=2) + "\n")


def stored(weights: dict, size: Size) -> dict:
    """Names and numbers as files hold them; a hybrid's norms hold how far they are from 1, and its gates stand in `q_proj`."""
    if not size.linear:
        return weights
    found = {}
    for key, value in weights.items():
        if key.endswith("self_attn.gate_proj.weight"):
            continue
        if key.endswith("norm.weight") and "linear_attn" not in key:
            value = value.float() - 1
        if key.endswith("q_proj.weight"):
            gate = weights[key.replace("q_proj", "gate_proj")]
            both = torch.stack([part.unflatten(0, (-1, size.head_dim)) for part in (value, gate)], 1)
            value = both.flatten(0, 2)
        found[key] = value
    return found


def export(name: str, runs: Path, tokenizer: Path, folder: Path):
    """Weights are rounded to bfloat16; the head is the embedding and is not stored twice."""
    saved = torch.load(runs / f"{name}.pt", weights_only=True)
    weights = {key: value.bfloat16().contiguous() for key, value in stored(saved["model"], SIZES[name]).items()}
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    write_json(folder / "config.json", config(SIZES[name], saved["tokens"]))
    write_json(folder / "generation_config.json", generation_config())
    write_json(folder / "tokenizer_config.json", tokenizer_config(SIZES[name].family))
    nano_tokenizer.load(tokenizer).save(str(folder / "tokenizer.json"))
    count = sum(weight.numel() for weight in weights.values())
    print(f"{folder}: {count} parameters, {saved['tokens']} tokens seen")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=SIZES)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of checkpoints")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder of tokenizer.json")
    parser.add_argument("--to", type=Path, required=True, help="a folder per model goes here")
    options = parser.parse_args()
    for name in options.names:
        export(name, options.runs, options.tokenizer, options.to / name)


if __name__ == "__main__":
    main()
