"""Writes GGUF files that hold the tokenizers of model folders, with a model of random weights, for tests.

    python3 tokenizer_files.py FOLDER OUT.gguf [--architecture qwen3]

The tokenizer's keys are those that llama.cpp's converter writes. Source: ikawrakow/ik_llama.cpp, convert_hf_to_gguf.py
(get_vocab_base, _set_vocab_llama_hf). Needs the packages gguf and numpy.
"""

import argparse
import json
from pathlib import Path

import gguf
import numpy

WIDTH = 32

# What the converter finds by hashing the ids of a test text.
PRE = {"qwen3": "qwen2", "qwen2.5": "qwen2", "llama3.1": "llama-bpe", "falcon": "falcon", "gpt2": "gpt-2"}
ARCHITECTURE = {"qwen3": "qwen3", "qwen2.5": "qwen2", "falcon": "falcon"}


def looks_special(token):
    return token in ("<pad>", "<mask>") or (token.startswith("<|") and token.endswith("|>"))


def vocabulary(tokenizer, is_sentencepiece):
    """Tokens, types and the ids that have none."""
    kinds = gguf.TokenType
    pieces = {index: (token, kinds.NORMAL) for token, index in tokenizer["model"]["vocab"].items()}
    for index, (token, kind) in pieces.items():
        if is_sentencepiece and len(token) == 6 and token.startswith("<0x"):
            pieces[index] = (token, kinds.BYTE)
    for added in tokenizer["added_tokens"]:
        token = added["content"]
        if added["special"] or looks_special(token):
            unknown = is_sentencepiece and token == tokenizer["model"].get("unk_token")
            pieces[added["id"]] = (token, kinds.UNKNOWN if unknown else kinds.CONTROL)
        else:
            pieces[added["id"]] = (token.replace("\u2581", " "), kinds.USER_DEFINED)
    # Real files fill up to the size of the embedding.
    size = -(-(max(pieces) + 1) // 64) * 64
    table = [pieces.get(index, (f"[PAD{index}]", kinds.UNUSED)) for index in range(size)]
    return [token for token, _ in table], [kind for _, kind in table]


def scores(tokenizer, tokens):
    """SentencePiece's scores, which order its merges."""
    merges = tokenizer["model"]["merges"]
    joined = [merge.replace(" ", "") if isinstance(merge, str) else "".join(merge) for merge in merges]
    rank = {}
    for piece in joined:
        rank.setdefault(piece, len(rank))
    return [float(-rank[token]) if token in rank else -1e9 for token in tokens]


def write(folder, path, architecture=None, pre=None):
    folder = Path(folder)
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    config = json.loads((folder / "tokenizer_config.json").read_text())
    is_sentencepiece = bool(tokenizer["model"].get("byte_fallback"))
    tokens, types = vocabulary(tokenizer, is_sentencepiece)
    architecture = architecture or ARCHITECTURE.get(folder.name, "llama")
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_name(folder.name)
    add_model(writer, architecture, len(tokens))
    writer.add_tokenizer_model("llama" if is_sentencepiece else "gpt2")
    writer.add_tokenizer_pre("default" if is_sentencepiece else pre or PRE[folder.name])
    writer.add_token_list(tokens)
    writer.add_token_types(types)
    if is_sentencepiece:
        writer.add_token_scores(scores(tokenizer, tokens))
    else:
        merges = tokenizer["model"]["merges"]
        writer.add_token_merges([merge if isinstance(merge, str) else " ".join(merge) for merge in merges])
    ids = {added["content"]: added["id"] for added in tokenizer["added_tokens"]}

    def named(key):
        token = config.get(key)
        token = token.get("content") if isinstance(token, dict) else token
        return ids.get(token)

    for key, add in (
        ("bos_token", writer.add_bos_token_id), ("eos_token", writer.add_eos_token_id),
        ("unk_token", writer.add_unk_token_id), ("pad_token", writer.add_pad_token_id),
    ):  # fmt: skip
        if named(key) is not None:
            add(named(key))
    for key, add in (("add_bos_token", writer.add_add_bos_token), ("add_eos_token", writer.add_add_eos_token)):
        if isinstance(config.get(key), bool):
            add(config[key])
    template = config.get("chat_template")
    if template:
        writer.add_chat_template(template)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def add_model(writer, architecture, vocabulary_size):
    """One block of random weights; what it answers does not matter."""
    random = numpy.random.default_rng(1)
    writer.add_block_count(1)
    writer.add_context_length(256)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(WIDTH)
    writer.add_head_count(2)
    writer.add_head_count_kv(2)
    epsilon = writer.add_layer_norm_eps if architecture == "falcon" else writer.add_layer_norm_rms_eps
    epsilon(1e-5)

    def tensor(name, *shape, dtype=numpy.float32):
        writer.add_tensor(name, (random.standard_normal(shape) * 0.1).astype(dtype))

    tensor("token_embd.weight", vocabulary_size, WIDTH, dtype=numpy.float16)
    tensor("output_norm.weight", WIDTH)
    tensor("blk.0.attn_norm.weight", WIDTH)
    if architecture == "falcon":
        tensor("output_norm.bias", WIDTH)
        tensor("blk.0.attn_norm.bias", WIDTH)
        tensor("blk.0.attn_norm_2.weight", WIDTH)
        tensor("blk.0.attn_norm_2.bias", WIDTH)
        tensor("blk.0.attn_qkv.weight", 3 * WIDTH, WIDTH)
    else:
        tensor("blk.0.ffn_norm.weight", WIDTH)
        tensor("blk.0.ffn_gate.weight", WIDTH, WIDTH)
        for part in "qkv":
            tensor(f"blk.0.attn_{part}.weight", WIDTH, WIDTH)
            if architecture == "qwen2":
                tensor(f"blk.0.attn_{part}.bias", WIDTH)
        if architecture == "qwen3":
            tensor("blk.0.attn_q_norm.weight", WIDTH // 2)
            tensor("blk.0.attn_k_norm.weight", WIDTH // 2)
    tensor("blk.0.attn_output.weight", WIDTH, WIDTH)
    tensor("blk.0.ffn_up.weight", WIDTH, WIDTH)
    tensor("blk.0.ffn_down.weight", WIDTH, WIDTH)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--architecture")
    arguments = parser.parse_args()
    write(arguments.folder, arguments.out, arguments.architecture)
