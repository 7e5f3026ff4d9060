"""Random-weight GGUF files with the shapes of Qwen3; quantized types are made by llama.cpp's own quantizer.

    python random_gguf.py FOLDER 0.6b q8_0        # prints the path, as JSON
"""

import ctypes
import json
import sys
from pathlib import Path

import gguf
import llama_cpp
import numpy as np

VOCABULARY, HEAD_DIMENSION, KV_HEADS = 151_936, 128, 8
SHAPES = {"0.6b": (28, 1024, 3072, 16), "1.7b": (28, 2048, 6144, 16)}  # layers, hidden, intermediate, heads
FILE_TYPES = {"q8_0": 7, "q4_0": 2}


def tensors(shape):
    """Names and shapes of everything the file holds."""
    layers, hidden, intermediate, heads = SHAPES[shape]
    yield "token_embd.weight", (VOCABULARY, hidden)
    yield "output_norm.weight", (hidden,)
    for layer in range(layers):
        for name, dimensions in {
            "attn_norm": (hidden,), "ffn_norm": (hidden,),
            "attn_q_norm": (HEAD_DIMENSION,), "attn_k_norm": (HEAD_DIMENSION,),
            "attn_q": (heads * HEAD_DIMENSION, hidden), "attn_output": (hidden, heads * HEAD_DIMENSION),
            "attn_k": (KV_HEADS * HEAD_DIMENSION, hidden), "attn_v": (KV_HEADS * HEAD_DIMENSION, hidden),
            "ffn_gate": (intermediate, hidden), "ffn_up": (intermediate, hidden), "ffn_down": (hidden, intermediate),
        }.items():
            yield f"blk.{layer}.{name}.weight", dimensions


def write_vocabulary(writer):
    """Invented words: nothing is ever tokenized."""
    words = [f"w{index}" for index in range(VOCABULARY)]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("qwen2")
    writer.add_token_list(words)
    writer.add_token_types([gguf.TokenType.NORMAL] * (VOCABULARY - 1) + [gguf.TokenType.CONTROL])
    writer.add_token_merges(["w 0"])
    writer.add_eos_token_id(VOCABULARY - 1)


def write_bf16(path, shape):
    layers, hidden, intermediate, heads = SHAPES[shape]
    writer = gguf.GGUFWriter(path, "qwen3")
    writer.add_block_count(layers)
    writer.add_context_length(40_960)
    writer.add_embedding_length(hidden)
    writer.add_feed_forward_length(intermediate)
    writer.add_head_count(heads)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_DIMENSION)
    writer.add_value_length(HEAD_DIMENSION)
    writer.add_rope_freq_base(1e6)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_file_type(32)
    write_vocabulary(writer)
    shapes = list(tensors(shape))
    for name, dimensions in shapes:
        count = int(np.prod(dimensions))
        if len(dimensions) == 1:
            writer.add_tensor_info(name, dimensions, np.dtype(np.float32), count * 4)
        else:
            kind = gguf.GGMLQuantizationType.BF16
            writer.add_tensor_info(name, dimensions, np.dtype(np.uint16), count * 2, raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    random = np.random.default_rng(1)
    for _, dimensions in shapes:
        if len(dimensions) == 1:
            writer.write_tensor_data(np.ones(dimensions, np.float32))
        else:  # sign and mantissa at random, magnitude 1/64 to 1/32
            bits = random.integers(0, 1 << 16, dimensions, np.uint16)
            writer.write_tensor_data(bits & np.uint16(0x807F) | np.uint16(0x3C80))
    writer.close()


def model_file(folder: Path, shape: str, kind: str) -> Path:
    """The file of one type, made when it is not there yet."""
    path = folder / f"qwen3-{shape}-{kind}.gguf"
    if path.exists():
        return path
    partial = path.with_suffix(".partial")
    if kind == "bf16":
        write_bf16(partial, shape)
    else:
        options = llama_cpp.llama_model_quantize_default_params()
        options.ftype = FILE_TYPES[kind]
        source = model_file(folder, shape, "bf16")
        if llama_cpp.llama_model_quantize(str(source).encode(), str(partial).encode(), ctypes.byref(options)):
            raise SystemExit(f"{path}: llama.cpp could not quantize")
    return partial.rename(path)


if __name__ == "__main__":
    print(json.dumps(str(model_file(Path(sys.argv[1]), *sys.argv[2:]))))
