"""What `quantize --format gguf` writes, as the gguf package and llama.cpp read it. Run by `make test` where pytest and the
packages are; llama-cpp-python is used where it is installed."""

import os
import subprocess
from pathlib import Path

import pytest

gguf = pytest.importorskip("gguf")
numpy = pytest.importorskip("numpy")

BIN = Path(os.environ.get("BITBUDGET_BIN", "bin"))
MODEL = "nano-0.5m"
FOLDER = Path(__file__).resolve().parents[2] / "Packages/NanoModels/Sources/NanoModels/Resources" / MODEL
PROBLEM = "Start with 8. Then (a) multiply by 3. What is the result?"


def run(command, *flags):
    done = subprocess.run([BIN / command, *map(str, flags)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def written(folder, bits):
    path = folder / f"{bits}.gguf"
    run("quantize", "--model", MODEL, "--format", "gguf", "--bits", bits, "--method", "rtn", "--output", path)
    return path


def original(name):
    """A tensor of the model folder, as floats."""
    import json

    data = (FOLDER / "model.safetensors").read_bytes()
    length = int.from_bytes(data[:8], "little")
    entry = json.loads(data[8 : 8 + length])[name]
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    bits = numpy.frombuffer(data[begin:end], "<u2").astype(numpy.uint32) << 16
    return bits.view(numpy.float32).reshape(entry["shape"])


@pytest.mark.parametrize("bits, kind", [(16, "BF16"), (8, "Q8_0"), (4, "Q4_0")])
def test_the_package_reads_what_was_meant(tmp_path, bits, kind):
    reader = gguf.GGUFReader(written(tmp_path, bits))
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    queries = tensors["blk.1.attn_q.weight"]
    assert queries.tensor_type.name == kind
    values = gguf.dequantize(queries.data, queries.tensor_type)
    expected = original("model.layers.1.self_attn.q_proj.weight")
    assert values.shape == expected.shape
    error = numpy.abs(values - expected).reshape(-1, 32)
    if bits == 16:
        assert not error.any()
    else:
        # Codes go from -2^(bits-1) to 2^(bits-1) - 1: values are off by half a step, or lie above the highest code.
        # Finished blocks wait with scales of the model's BF16, whose rounding comes on top.
        blocks, half = expected.reshape(-1, 32), 2 ** (bits - 1)
        scale = numpy.abs(blocks).max(axis=1, keepdims=True) / (half - 0.5)
        above = blocks - (half - 1) * scale * 0.995
        assert (error <= numpy.maximum(scale * (0.5 + half / 250), above) + 1e-6).all()
    assert tensors["output_norm.weight"].tensor_type.name == "F32"
    fields = reader.fields
    assert fields["general.architecture"].contents() == "qwen3"
    assert fields["tokenizer.ggml.pre"].contents() == "qwen2"
    tokens = fields["tokenizer.ggml.tokens"].contents()
    assert len(tokens) == tensors["token_embd.weight"].shape[1]


MIXES = [
    # Of nano-4m: five blocks, the second and fifth of which are no outer ones.
    ("Q4_K_M", {"token_embd": "Q6_K", "blk.0.attn_v": "Q4_K", "blk.2.attn_v": "Q6_K", "blk.1.ffn_down": "Q4_K", "blk.0.attn_q": "Q4_K"}),
    ("Q4_K_S", {"token_embd": "Q6_K", "blk.0.attn_v": "Q5_K", "blk.4.attn_v": "Q4_K", "blk.1.ffn_down": "Q4_K"}),
    ("Q5_K_M", {"token_embd": "Q6_K", "blk.2.attn_v": "Q6_K", "blk.0.attn_v": "Q5_K", "blk.0.attn_q": "Q5_K"}),
    ("Q5_K_S", {"token_embd": "Q6_K", "blk.2.attn_v": "Q5_K"}),
    ("Q6_K", {"blk.2.attn_v": "Q6_K", "blk.0.ffn_gate": "Q6_K"}),
]  # fmt: skip


def mixed(folder, mix, model="nano-4m"):
    path = folder / f"{mix}.gguf"
    run("quantize", "--model", model, "--type", mix, "--output", path)
    return path


@pytest.mark.parametrize("mix, kinds", MIXES)
def test_mixes_hold_what_their_names_say(tmp_path, mix, kinds):
    path = mixed(tmp_path, mix)
    reader = gguf.GGUFReader(path)
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    for name, kind in kinds.items():
        assert tensors[name + ".weight"].tensor_type.name == kind, name
    assert reader.fields["general.file_type"].contents() == gguf.LlamaFileType["MOSTLY_" + mix]
    plain = run("quantize", "--model", "nano-4m", "--format", "gguf", "--bits", 16, "--output", tmp_path / "plain.gguf")
    originals = {tensor.name: tensor for tensor in gguf.GGUFReader(plain.strip()).tensors}
    most = {"Q4_K": 0.10, "Q5_K": 0.05, "Q6_K": 0.025, "Q8_0": 0.01}
    for name, tensor in tensors.items():
        values = gguf.dequantize(tensor.data, tensor.tensor_type)
        expected = gguf.dequantize(originals[name].data, originals[name].tensor_type)
        error = numpy.sqrt(((values - expected) ** 2).sum() / (expected**2).sum())
        assert error <= most.get(tensor.tensor_type.name, 0), (name, error)


def test_rows_that_are_no_super_blocks_become_bytes(tmp_path):
    tensors = {tensor.name: tensor for tensor in gguf.GGUFReader(mixed(tmp_path, "Q4_K_M", MODEL)).tensors}
    assert tensors["blk.0.attn_q.weight"].tensor_type.name == "Q8_0"
    assert tensors["blk.0.ffn_down.weight"].tensor_type.name == "Q4_K"


@pytest.mark.parametrize("mix", [mix for mix, _ in MIXES])
def test_llama_cpp_writes_the_same_text_of_mixes(tmp_path, mix, llama):
    path = mixed(tmp_path, mix)
    ids = prompt_ids(path)
    ours = run("generate", "--model", path, "--ids", ",".join(map(str, ids)), "--print-ids", "--greedy", "--max-tokens", 24)
    expected = [int(word) for word in ours.replace(",", " ").split()]
    theirs = []
    for token in llama(path).generate(ids, temp=0.0, top_k=1, repeat_penalty=1.0):
        theirs.append(token)
        if len(theirs) == len(expected):
            break
    assert theirs == expected


@pytest.fixture
def llama(monkeypatch):
    """What opens a file with llama.cpp, its weights as they are in the file: its kernels for tile registers end some
    processes that have these."""
    llama_cpp = pytest.importorskip("llama_cpp")
    low = llama_cpp.llama_cpp
    defaults = low.llama_model_default_params

    def plain():
        parameters = defaults()
        parameters.use_extra_bufts = False
        return parameters

    monkeypatch.setattr(low, "llama_model_default_params", plain)
    return lambda path, **settings: llama_cpp.Llama(str(path), n_ctx=512, n_threads=2, verbose=False, **settings)


def prompt_ids(path):
    return [int(word) for word in run("generate", "--model", path, "--tokenize", PROBLEM).splitlines()[0].split(",")]


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_llama_cpp_writes_the_same_text(tmp_path, bits, llama):
    path = written(tmp_path, bits)
    ids = prompt_ids(path)
    model = llama(path)
    assert model.tokenize(PROBLEM.encode(), add_bos=False, special=True) == ids
    ours = run("generate", "--model", path, "--ids", ",".join(map(str, ids)), "--print-ids", "--greedy", "--max-tokens", 24)
    expected = [int(word) for word in ours.replace(",", " ").split()]
    theirs = []
    for token in model.generate(ids, temp=0.0, top_k=1, repeat_penalty=1.0):
        theirs.append(token)
        if len(theirs) == len(expected):
            break
    assert theirs == expected


@pytest.mark.parametrize("bits, most", [(16, 1e-3), (8, 5e-3), (4, 1e-2)])
def test_llama_cpp_predicts_nearly_the_same(tmp_path, bits, most, llama):
    """Divergence in nats, mean over the positions of a prompt: activations are rounded otherwise there."""
    path = written(tmp_path, bits)
    ids = prompt_ids(path)
    run("generate", "--model", path, "--ids", ",".join(map(str, ids)), "--logits", tmp_path / "ours.npy",
        "--numerics", "exact", "--head-bits", 16)  # fmt: skip
    model = llama(path, logits_all=True)
    model.eval(ids)
    ours, theirs = (log_softmax(rows) for rows in (numpy.load(tmp_path / "ours.npy"), model.scores[: len(ids)]))
    divergence = (numpy.exp(ours) * (ours - theirs)).sum(axis=1).mean()
    assert 0 <= divergence < most, divergence


def log_softmax(logits):
    logits = logits.astype(numpy.float64)
    logits -= logits.max(axis=1, keepdims=True)
    return logits - numpy.log(numpy.exp(logits).sum(axis=1, keepdims=True))


def split(path, folder):
    """The file in parts of eight tensors, as `llama-gguf-split` makes them; the path of the first."""
    reader = gguf.GGUFReader(path)
    architecture = reader.fields["general.architecture"].contents()
    writer = gguf.GGUFWriter(folder / "part", architecture, split_max_tensors=8)
    for name, field in reader.fields.items():
        if not name.startswith("GGUF.") and name != "general.architecture":
            kind = field.types[0]
            inner = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(name, field.contents(), kind, sub_type=inner)
    for tensor in reader.tensors:
        writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return sorted(folder.glob("part-00001-of-*.gguf"))[0]


def test_parts_of_a_file_are_one_model(tmp_path):
    whole = written(tmp_path, 8)
    first = split(whole, tmp_path)
    flags = ["--prompt", PROBLEM, "--greedy", "--print-ids", "--max-tokens", 24]
    expected = run("generate", "--model", whole, *flags)
    assert run("generate", "--model", first, *flags) == expected
    second = Path(str(first).replace("-00001-", "-00002-"))
    second.rename(tmp_path / "away")
    missing = subprocess.run([BIN / "generate", "--model", first, *map(str, flags)], capture_output=True, text=True)
    assert missing.returncode == 1 and second.name in missing.stderr
