"""Random-weight GGUF files with published shapes; quantized types are made by llama.cpp's own quantizer.

    python random_gguf.py FOLDER 30b-a3b q8_0 --layers 4       # prints the path, as JSON
"""

import argparse
import ctypes
import json
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

from shapes import INTERVAL, SHAPES, TAPS, WIDTH

FILE_TYPES = {"q8_0": 7, "q4_0": 2}


def write_vocabulary(writer, count):
    """Invented words: nothing is ever tokenized."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list([f"w{index}" for index in range(count)])
    writer.add_token_types([gguf.TokenType.NORMAL] * (count - 1) + [gguf.TokenType.CONTROL])
    writer.add_token_merges(["w 0"])
    writer.add_eos_token_id(count - 1)


def write_sizes(writer, shape):
    """What llama.cpp reads of a file of this architecture."""
    writer.add_block_count(shape.layers)
    writer.add_context_length(40_960)
    writer.add_embedding_length(shape.hidden)
    writer.add_feed_forward_length(shape.intermediate)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_key_length(shape.head_dimension)
    writer.add_value_length(shape.head_dimension)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    if shape.experts:
        writer.add_expert_count(shape.experts[0])
        writer.add_expert_used_count(shape.experts[1])
        writer.add_expert_feed_forward_length(shape.intermediate)
    if shape.linear_heads:
        keys, values = shape.linear_heads
        writer.add_full_attention_interval(INTERVAL)
        writer.add_rope_dimension_count(shape.head_dimension // 4)
        writer.add_rope_dimension_sections([11, 11, 10, 0])
        writer.add_ssm_conv_kernel(TAPS)
        writer.add_ssm_state_size(WIDTH)
        writer.add_ssm_group_count(keys)
        writer.add_ssm_time_step_rank(values)
        writer.add_ssm_inner_size(values * WIDTH)


def is_float(name, dimensions):
    """Whether a tensor stays in F32, as converters leave it."""
    return len(dimensions) == 1 or "conv1d" in name or "gate_inp" in name


def write_bf16(path, shape):
    writer = gguf.GGUFWriter(path, shape.architecture)
    write_sizes(writer, shape)
    writer.add_file_type(32)
    write_vocabulary(writer, shape.vocabulary)
    shapes = list(shape.tensors())
    for name, dimensions in shapes:
        count = int(np.prod(dimensions))
        if is_float(name, dimensions):
            writer.add_tensor_info(name, dimensions, np.dtype(np.float32), count * 4)
        else:
            kind = gguf.GGMLQuantizationType.BF16
            writer.add_tensor_info(name, dimensions, np.dtype(np.uint16), count * 2, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    random = np.random.default_rng(1)
    for name, dimensions in shapes:
        if name.endswith("ssm_a"):  # by which what is held decays
            writer.write_tensor_data(np.full(dimensions, -0.5, np.float32))
        elif len(dimensions) == 1:
            writer.write_tensor_data(np.ones(dimensions, np.float32))
        elif is_float(name, dimensions):
            writer.write_tensor_data(random.uniform(-1 / 32, 1 / 32, dimensions).astype(np.float32))
        else:  # sign and mantissa at random, magnitude 1/64 to 1/32
            bits = random.integers(0, 1 << 16, dimensions, np.uint16)
            writer.write_tensor_data(bits & np.uint16(0x807F) | np.uint16(0x3C80))
    writer.close()


def model_file(folder, name, kind, layers):
    """The file of one type, made when it is not there yet."""
    shape = SHAPES[name].cut(layers)
    path = folder / f"{name}-{shape.layers}-layers-{kind}.gguf"
    if path.exists():
        return path
    partial = path.with_suffix(".partial")
    if kind == "bf16":
        write_bf16(partial, shape)
    else:
        options = llama_cpp.llama_model_quantize_default_params()
        options.ftype = FILE_TYPES[kind]
        source = model_file(folder, name, "bf16", layers)
        if llama_cpp.llama_model_quantize(str(source).encode(), str(partial).encode(), ctypes.byref(options)):
            raise SystemExit(f"{path}: llama.cpp could not quantize")
    return partial.rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("shape", choices=SHAPES)
    parser.add_argument("type", choices=["bf16", *FILE_TYPES])
    parser.add_argument("--layers", type=int, help="where fewer than the shape has")
    options = parser.parse_args()
    print(json.dumps(str(model_file(options.folder, options.shape, options.type, options.layers))))


if __name__ == "__main__":
    main()
