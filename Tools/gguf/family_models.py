"""Small random model folders of families with experts or linear attention, of sizes that llama.cpp takes too. Needs numpy."""

import re

import numpy

from family_files import write_folder

HIDDEN, VOCABULARY = 256, 704  # as the shipped models' tokenizer has
SIZES = {
    "hidden_size": HIDDEN, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": VOCABULARY,
    "max_position_embeddings": 1024, "rms_norm_eps": 1e-6, "hidden_act": "silu", "tie_word_embeddings": False, "rope_theta": 1e6,
    "num_hidden_layers": 2, "intermediate_size": 512, "eos_token_id": 2,
}  # fmt: skip
EXPERTS = {"num_experts": 8, "num_experts_per_tok": 3, "moe_intermediate_size": 256, "norm_topk_prob": True}
LINEAR = {
    "num_hidden_layers": 4, "full_attention_interval": 4, "linear_num_key_heads": 2, "linear_num_value_heads": 6,
    "linear_key_head_dim": 128, "linear_value_head_dim": 128, "linear_conv_kernel_dim": 4, "partial_rotary_factor": 0.25,
}  # fmt: skip
SHARED = {"shared_expert_intermediate_size": 256}
MODELS = {
    "qwen3_moe": SIZES | EXPERTS,
    "qwen3_next": SIZES | LINEAR | EXPERTS | SHARED,
    "qwen3_5_text": SIZES | LINEAR | {"tie_word_embeddings": True},
    "qwen3_5_moe_text": SIZES | LINEAR | EXPERTS | SHARED,
}


def random_shapes(model_type):
    """Names and shapes of a model folder's tensors."""
    config = MODELS[model_type]
    head, heads, kv_heads = config["head_dim"], config["num_attention_heads"], config["num_key_value_heads"]
    is_hybrid = model_type != "qwen3_moe"
    shapes = {"model.embed_tokens": (VOCABULARY, HIDDEN), "model.norm": (HIDDEN,)}
    if not config["tie_word_embeddings"]:
        shapes["lm_head"] = (VOCABULARY, HIDDEN)
    for layer in range(config["num_hidden_layers"]):
        own = {"input_layernorm": (HIDDEN,), "post_attention_layernorm": (HIDDEN,)}
        if is_hybrid and (layer + 1) % 4:
            keys, values = config["linear_num_key_heads"], config["linear_num_value_heads"]
            key_width, value_width = keys * config["linear_key_head_dim"], values * config["linear_value_head_dim"]
            own |= {"linear_attn.conv1d": (2 * key_width + value_width, 1, 4), "linear_attn.norm": (config["linear_value_head_dim"],)}
            own |= {"linear_attn.A_log": (values,), "linear_attn.dt_bias": (values,), "linear_attn.out_proj": (HIDDEN, value_width)}
            if model_type == "qwen3_next":
                own |= {"linear_attn.in_proj_qkvz": (2 * key_width + 2 * value_width, HIDDEN), "linear_attn.in_proj_ba": (2 * values, HIDDEN)}
            else:
                own |= {"linear_attn.in_proj_qkv": (2 * key_width + value_width, HIDDEN), "linear_attn.in_proj_z": (value_width, HIDDEN)}
                own |= {"linear_attn.in_proj_b": (values, HIDDEN), "linear_attn.in_proj_a": (values, HIDDEN)}
        else:
            own |= {"self_attn.q_proj": ((2 if is_hybrid else 1) * heads * head, HIDDEN), "self_attn.o_proj": (HIDDEN, heads * head)}
            own |= {f"self_attn.{part}_proj": (kv_heads * head, HIDDEN) for part in "kv"}
            own |= {f"self_attn.{part}_norm": (head,) for part in "qk"}
        feeds = {"mlp.": config["intermediate_size"]}
        if "num_experts" in config:
            feeds = {f"mlp.experts.{e}.": config["moe_intermediate_size"] for e in range(config["num_experts"])}
            own["mlp.gate"] = (config["num_experts"], HIDDEN)
        if "shared_expert_intermediate_size" in config:
            feeds["mlp.shared_expert."] = config["shared_expert_intermediate_size"]
            own["mlp.shared_expert_gate"] = (1, HIDDEN)
        for prefix, width in feeds.items():
            own |= {prefix + "gate_proj": (width, HIDDEN), prefix + "up_proj": (width, HIDDEN), prefix + "down_proj": (HIDDEN, width)}
        shapes |= {f"model.layers.{layer}.{name}": shape for name, shape in own.items()}
    is_bare = re.compile(r"A_log$|dt_bias$").search
    return {name if is_bare(name) else name + ".weight": shape for name, shape in shapes.items()}


def random_folder(folder, model_type):
    """A model folder whose numbers F16 and BF16 hold too."""
    random = numpy.random.default_rng(7)

    def values(name, shape):
        if name.endswith("norm.weight"):
            base = 1 if model_type == "qwen3_moe" or "linear_attn" in name else 0
            return base + random.integers(-8, 8, shape) / 64
        if name.endswith(("A_log", "dt_bias")):
            return random.integers(-16, 16, shape) / 8
        scale = 0.5 if "conv1d" in name else 1 if "embed" in name else 1.5 / shape[-1] ** 0.5
        codes = random.integers(-64, 64, shape) / 64
        return codes * 2.0 ** round(numpy.log2(scale))

    tensors = {name: values(name, shape).astype(numpy.float32) for name, shape in random_shapes(model_type).items()}
    write_folder(folder, MODELS[model_type] | {"model_type": model_type}, tensors)
