"""Model folders of families with experts or linear attention as GGUF files, tensor by tensor as llama.cpp's converter lays them out.

    python3 family_files.py FOLDER OUT.gguf [--type F16] [--old]

`there` of a tensor makes what the file holds from the folder's tensors, `back` the folder's from that, so that a file of blocks
has a folder of the same values. Source: ggml-org/llama.cpp, conversion/qwen.py. Needs the packages gguf and numpy.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import gguf
import numpy

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "checkpoint"))
import safetensors_file  # noqa: E402

ARCHITECTURES = {
    "qwen3_moe": "qwen3moe", "qwen3_next": "qwen3next", "qwen3_5_text": "qwen35", "qwen3_5": "qwen35",
    "qwen3_5_moe_text": "qwen35moe", "qwen3_5_moe": "qwen35moe",
}  # fmt: skip
MIXER = {
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm", "input_layernorm": "attn_norm",
    "linear_attn.norm": "ssm_norm",
}  # fmt: skip
FEED_FORWARD = {
    "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down", "mlp.gate": "ffn_gate_inp",
    "mlp.shared_expert.gate_proj": "ffn_gate_shexp", "mlp.shared_expert.up_proj": "ffn_up_shexp",
    "mlp.shared_expert.down_proj": "ffn_down_shexp",
}  # fmt: skip


@dataclass
class Entry:
    """One tensor of the file."""

    name: str
    there: Callable[[dict], numpy.ndarray]
    back: Callable[[numpy.ndarray], dict]
    keeps_floats: bool = False

    @staticmethod
    def plain(name, hub, **more):
        return Entry(name, lambda t: t[hub], lambda x: {hub: x}, **more)


class Family:
    """What the file of a folder holds."""

    def __init__(self, folder, is_old=False):
        config = json.loads((Path(folder) / "config.json").read_text())
        self.text = config.get("text_config", config)
        self.architecture = ARCHITECTURES[config["model_type"]]
        self.prefix = "model.language_model." if "text_config" in config else "model."
        self.tensors = {
            name: values
            for name, values in safetensors_file.read(Path(folder) / "model.safetensors").items()
            if not name.startswith(("mtp.", "model.visual."))
        }
        self.is_old = is_old
        self.is_hybrid = self.architecture != "qwen3moe"
        self.is_tied = config.get("tie_word_embeddings", False)

    def get(self, key, default=None):
        return self.text.get(key, default)

    @property
    def layer_types(self):
        layers, interval = self.get("num_hidden_layers"), self.get("full_attention_interval", 4)
        types = ["full_attention" if (i + 1) % interval == 0 else "linear_attention" for i in range(layers)]
        return self.get("layer_types", types)

    @property
    def heads(self):
        """Key heads, value heads that share one, and their widths."""
        keys = self.get("linear_num_key_heads")
        return keys, self.get("linear_num_value_heads") // keys, self.get("linear_key_head_dim"), self.get("linear_value_head_dim")

    # Tensors

    def entries(self):
        yield Entry.plain("token_embd.weight", self.prefix + "embed_tokens.weight")
        if not self.is_tied:
            yield Entry.plain("output.weight", "lm_head.weight")
        yield self.norm("output_norm.weight", self.prefix + "norm.weight")
        for layer in range(self.get("num_hidden_layers")):
            yield from self.block(layer)

    def norm(self, name, hub):
        """Hybrids hold how far a weight is from 1, and files the weight."""
        if not self.is_hybrid or hub.endswith("linear_attn.norm.weight"):
            return Entry.plain(name, hub, keeps_floats=True)
        one = numpy.float32(1)
        return Entry(name, lambda t: t[hub].astype(numpy.float32) + one, lambda x: {hub: x - one}, keeps_floats=True)

    def block(self, layer):
        ours, theirs = f"{self.prefix}layers.{layer}.", f"blk.{layer}."
        behind = "post_attention_norm" if self.is_hybrid else "ffn_norm"
        for hub, name in (MIXER | FEED_FORWARD | {"post_attention_layernorm": behind}).items():
            if ours + hub + ".weight" in self.tensors:
                if "norm" in hub:
                    yield self.norm(f"{theirs}{name}.weight", f"{ours}{hub}.weight")
                else:
                    yield Entry.plain(f"{theirs}{name}.weight", f"{ours}{hub}.weight", keeps_floats=hub == "mlp.gate")
        gate = ours + "mlp.shared_expert_gate.weight"
        if gate in self.tensors:
            yield Entry(theirs + "ffn_gate_inp_shexp.weight", lambda t: t[gate][0], lambda x: {gate: x[None]}, keeps_floats=True)
        yield from self.experts(ours + "mlp.experts.", theirs)
        if ours + "linear_attn.A_log" in self.tensors:
            yield from self.linear_attention(ours + "linear_attn.", theirs)

    def experts(self, ours, theirs):
        count = self.get("num_experts")
        if ours + "gate_up_proj" in self.tensors:
            both, down, half = ours + "gate_up_proj", ours + "down_proj", self.get("moe_intermediate_size")
            self.tensors |= {
                f"{ours}{e}.{part}.weight": values
                for e in range(count)
                for part, values in (
                    ("gate_proj", self.tensors[both][e, :half]), ("up_proj", self.tensors[both][e, half:]),
                    ("down_proj", self.tensors[down][e]))
            }  # fmt: skip
        if ours + "0.gate_proj.weight" not in self.tensors:
            return

        def stack(name, *parts):
            names = [[f"{ours}{e}.{part}_proj.weight" for part in parts] for e in range(count)]
            return Entry(
                f"{theirs}ffn_{name}_exps.weight",
                lambda t: numpy.stack([numpy.concatenate([t[name] for name in own]) for own in names]),
                lambda x: {n: v for own, both in zip(names, x) for n, v in zip(own, numpy.split(both, len(parts)))},
            )

        if self.is_old or self.architecture == "qwen3moe":
            yield stack("gate", "gate")
            yield stack("up", "up")
        else:  # as newer files may have it
            yield stack("gate_up", "gate", "up")
        yield stack("down", "down")

    def linear_attention(self, ours, theirs):
        keys, group, key_size, value_size = self.heads
        is_tiled = self.architecture != "qwen3next"
        width = 2 * keys * key_size

        def swap(values, first, size, a, b):
            """Heads that lie in `a` groups of `b`, in `b` groups of `a`, behind the first rows."""
            tail = values[first:]
            tail = tail.reshape(a, b, size, *tail.shape[1:]).swapaxes(0, 1).reshape(tail.shape)
            return numpy.concatenate([values[:first], tail])

        def rows(name, hub, first, size, change=lambda x: x, undo=lambda x: x, **more):
            if not is_tiled:
                return Entry(theirs + name, lambda t: change(t[ours + hub]), lambda x: {ours + hub: undo(x)}, **more)
            return Entry(
                theirs + name,
                lambda t: swap(change(t[ours + hub]), first, size, keys, group),
                lambda x: {ours + hub: undo(swap(x, first, size, group, keys))},
                **more,
            )

        yield rows("ssm_a", "A_log", 0, 1, lambda x: -numpy.exp(x.astype(numpy.float32)), lambda x: numpy.log(-x), keeps_floats=True)
        yield rows("ssm_dt.bias", "dt_bias", 0, 1, keeps_floats=True)
        yield rows("ssm_conv1d.weight", "conv1d.weight", width, value_size, lambda x: x[:, 0], lambda x: x[:, None], keeps_floats=True)
        out = ours + "out_proj.weight"
        if is_tiled:
            yield rows("attn_qkv.weight", "in_proj_qkv.weight", width, value_size)
            yield rows("attn_gate.weight", "in_proj_z.weight", 0, value_size)
            yield rows("ssm_alpha.weight", "in_proj_a.weight", 0, 1)
            yield rows("ssm_beta.weight", "in_proj_b.weight", 0, 1)
            yield Entry(
                theirs + "ssm_out.weight",
                lambda t: swap(t[out].T, 0, value_size, keys, group).T,
                lambda x: {out: swap(x.T, 0, value_size, group, keys).T},
            )
            return
        yield Entry.plain(theirs + "ssm_out.weight", out)
        yield Entry.plain(theirs + "ssm_ba.weight", ours + "in_proj_ba.weight")
        hub = ours + "in_proj_qkvz.weight"
        if self.is_old:
            yield Entry.plain(theirs + "ssm_in.weight", hub)
            return
        sizes = [key_size, key_size, group * value_size, group * value_size]

        def parts(t):
            per_head = t[hub].reshape(keys, sum(sizes), -1)
            return [part.reshape(-1, part.shape[-1]) for part in numpy.split(per_head, numpy.cumsum(sizes)[:-1], axis=1)]

        self.halves = getattr(self, "halves", {})

        def back(name, values):
            """Both halves make the folder's tensor."""
            self.halves[name] = values
            mixed, gate = (self.halves.get(f"{theirs}{part}.weight") for part in ("attn_qkv", "attn_gate"))
            if mixed is None or gate is None:
                return {}
            pieces = numpy.split(mixed, [keys * key_size, width]) + [gate]
            whole = [piece.reshape(keys, size, -1) for piece, size in zip(pieces, sizes)]
            return {hub: numpy.concatenate(whole, axis=1).reshape(-1, mixed.shape[-1])}

        for name, choose in (("attn_qkv", slice(0, 3)), ("attn_gate", slice(3, 4))):
            full = f"{theirs}{name}.weight"
            yield Entry(full, lambda t, choose=choose: numpy.concatenate(parts(t)[choose]), lambda x, full=full: back(full, x))

    # Keys

    def write_keys(self, writer):
        rope = self.get("rope_parameters") or {}
        head = self.get("head_dim")
        writer.add_block_count(self.get("num_hidden_layers"))
        writer.add_context_length(self.get("max_position_embeddings"))
        writer.add_embedding_length(self.get("hidden_size"))
        if self.get("intermediate_size"):
            writer.add_feed_forward_length(self.get("intermediate_size"))
        writer.add_head_count(self.get("num_attention_heads"))
        writer.add_head_count_kv(self.get("num_key_value_heads"))
        writer.add_key_length(head)
        writer.add_value_length(head)
        writer.add_rope_freq_base(rope.get("rope_theta", self.get("rope_theta")))
        writer.add_layer_norm_rms_eps(self.get("rms_norm_eps"))
        if self.get("num_experts"):
            writer.add_expert_count(self.get("num_experts"))
            writer.add_expert_used_count(self.get("num_experts_per_tok"))
            writer.add_expert_feed_forward_length(self.get("moe_intermediate_size"))
            if not self.get("norm_topk_prob", True):
                writer.add_expert_weights_norm(False)
        if self.get("shared_expert_intermediate_size"):
            writer.add_expert_shared_feed_forward_length(self.get("shared_expert_intermediate_size"))
        if not self.is_hybrid:
            return
        keys, group, key_size, value_size = self.heads
        partial = rope.get("partial_rotary_factor", self.get("partial_rotary_factor", 0.25))
        writer.add_rope_dimension_count(int(head * partial))
        if self.architecture != "qwen3next":
            writer.add_rope_dimension_sections([*rope.get("mrope_section", [11, 11, 10]), 0])
        interval = self.get("full_attention_interval", 4)
        if all((kind == "full_attention") == ((i + 1) % interval == 0) for i, kind in enumerate(self.layer_types)):
            writer.add_full_attention_interval(interval)
        else:
            name = f"{self.architecture}.attention.recurrent_layers"
            writer.add_array(name, [kind == "linear_attention" for kind in self.layer_types])
        writer.add_ssm_conv_kernel(self.get("linear_conv_kernel_dim"))
        writer.add_ssm_state_size(key_size)
        writer.add_ssm_group_count(keys)
        writer.add_ssm_time_step_rank(keys * group)
        writer.add_ssm_inner_size(keys * group * value_size)


def write_vocabulary(writer, count, pre):
    """Invented words: nothing is ever tokenized."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list([f"w{index}" for index in range(count)])
    writer.add_token_types([gguf.TokenType.NORMAL] * count)
    writer.add_token_merges(["w 0"])
    writer.add_eos_token_id(2)


def random_blocks(shape, kind, random):
    """Bytes of any codes with scales of F16 about as large as weights need them."""
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (*shape[:-1], shape[-1] // elements, size), numpy.uint8)
    places = {"Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,), "IQ4_XS": (0,)}[kind.name]
    for place in places:
        scale = random.uniform(1e-5, 1e-4, blocks.shape[:-1]).astype("<f2")
        blocks[..., place : place + 2] = scale[..., None].view(numpy.uint8)
    return blocks.reshape(*shape[:-1], -1)


def write(folder, path, kind="BF16", is_old=False, values_folder=None, change=None, keys=None):
    """Writes the file. Matrices take the type `kind`: rounded to it, or for K-quants and IQ4 with any codes.

    With `values_folder` a folder of the same values is written, in F32. `change` may change a tensor's name and bytes, `keys` add keys.
    """
    family = Family(folder, is_old)
    kind = gguf.GGMLQuantizationType[kind]
    writer = gguf.GGUFWriter(path, family.architecture)
    family.write_keys(writer)
    write_vocabulary(writer, family.get("vocab_size"), "qwen35" if family.architecture.startswith("qwen35") else "qwen2")
    if keys:
        keys(writer)
    random, values, entries = numpy.random.default_rng(3), {}, list(family.entries())
    for entry in entries:
        floats = numpy.ascontiguousarray(entry.there(family.tensors), dtype=numpy.float32)
        own = gguf.GGMLQuantizationType.F32 if entry.keeps_floats or floats.ndim == 1 else kind
        if own.name in ("Q4_K", "Q5_K", "Q6_K", "IQ4_XS"):
            stored = random_blocks(floats.shape, own, random)
        else:
            stored = floats if own.name == "F32" else gguf.quants.quantize(floats, own)
        if values_folder:
            values |= entry.back(gguf.quants.dequantize(stored, own).astype(numpy.float32).reshape(floats.shape))
        name, stored = change(entry.name, stored) if change else (entry.name, stored)
        if name:
            writer.add_tensor(name, stored, raw_dtype=own)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    if values_folder:
        write_folder(values_folder, json.loads((Path(folder) / "config.json").read_text()), values)


def write_values(folder, path, values_folder):
    """Writes a folder of the values that the file holds, which was made of the model in `folder`."""
    stored = {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}
    values = {}
    for entry in list(Family(folder).entries()):
        tensor = stored[entry.name]
        floats = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(numpy.float32)
        values |= entry.back(floats.reshape(tensor.shape[::-1]))
    write_folder(values_folder, json.loads((Path(folder) / "config.json").read_text()), values)


def write_folder(folder, config, tensors):
    Path(folder).mkdir(exist_ok=True)
    (Path(folder) / "config.json").write_text(json.dumps(config))
    shapes = {name: ("F32", values.shape) for name, values in tensors.items()}
    safetensors_file.write(Path(folder) / "model.safetensors", shapes, tensors.get)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--type", default="BF16", help="of the matrices, as GGUF names it")
    parser.add_argument("--old", action="store_true", help="lay tensors out as older converters did")
    arguments = parser.parse_args()
    write(arguments.folder, arguments.out, arguments.type, arguments.old)
