"""GGUF files of families with experts or linear attention: what the engine computes from them, as from their folders and as llama.cpp.
Run by `make test` where pytest and the package gguf are; llama-cpp-python is used where it is installed."""

import ctypes
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

gguf = pytest.importorskip("gguf")
numpy = pytest.importorskip("numpy")

import family_files  # noqa: E402
import family_models  # noqa: E402

BIN = Path(os.environ.get("BITBUDGET_BIN", "bin"))
ROOT = Path(__file__).resolve().parents[2]
GOLDENS = Path(os.environ.get("BITBUDGET_GOLDENS") or ROOT.parent / "shared/goldens")
REFERENCES = [
    path
    for place in (ROOT / "Tests/Goldens/models", GOLDENS / "models-2026")
    for path in sorted(place.glob("*"))
    if json.loads((path / "config.json").read_text())["model_type"] in family_files.ARCHITECTURES
]
IDS = [5, 17, 3, 64, 90, 12, 5, 33, 71, 2, 48, 9, 81, 7, 7, 23, 60, 41]


def generate(model, *flags):
    command = [BIN / "generate", "--model", model, "--ids", ",".join(map(str, IDS)), "--threads", 2, *flags]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True)


def logits(model, folder):
    done = generate(model, "--logits", folder / "logits.npy", "--numerics", "exact", "--head-bits", 16)
    assert done.returncode == 0, done.stderr
    return numpy.load(folder / "logits.npy")


def greedy(model, count=24):
    done = generate(model, "--print-ids", "--greedy", "--max-tokens", count, "--numerics", "exact", "--head-bits", 16)
    assert done.returncode == 0, done.stderr
    return [int(word) for word in done.stdout.replace(",", " ").split()]


def assert_near(found, expected, most):
    assert found.shape == expected.shape
    worst = numpy.abs(found - expected).max() / numpy.abs(expected).max()
    assert worst <= most, worst


def median_error(found, expected):
    """Of the positions, relative."""
    return numpy.median(numpy.linalg.norm(found - expected, axis=1) / numpy.linalg.norm(expected, axis=1))


# Rates of decay are stored as exponentials, rounded to F32, of what folders hold; all else comes back bit for bit.
def tolerance(folder):
    return 0 if "moe" in json.loads((Path(folder) / "config.json").read_text())["model_type"][:9] else 2e-5


@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize("folder", REFERENCES, ids=lambda path: path.name)
def test_a_file_computes_what_its_folder_does(tmp_path, folder, is_old):
    path = tmp_path / "model.gguf"
    kind = "F16" if folder.name.endswith("f16") and not folder.name.endswith("bf16") else "BF16"
    family_files.write(folder, path, kind, is_old)
    assert_near(logits(path, tmp_path), logits(folder, tmp_path), tolerance(folder))
    assert greedy(path) == greedy(folder)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    place = tmp_path_factory.mktemp("families")
    for name in family_models.MODELS:
        family_models.random_folder(place / name, name)
    return place


@pytest.mark.parametrize("kind", ["F32", "F16", "BF16"])
@pytest.mark.parametrize("name", family_models.MODELS)
def test_floats_are_the_folders(tmp_path, folders, name, kind):
    path = tmp_path / "model.gguf"
    family_files.write(folders / name, path, kind)
    assert_near(logits(path, tmp_path), logits(folders / name, tmp_path), tolerance(folders / name))
    assert greedy(path) == greedy(folders / name)


@pytest.mark.parametrize("kind", ["Q8_0", "Q4_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS", "MXFP4"])
@pytest.mark.parametrize("name", family_models.MODELS)
def test_blocks_have_the_values_of_the_package(tmp_path, folders, name, kind):
    path, values = tmp_path / "model.gguf", tmp_path / "values"
    family_files.write(folders / name, path, kind, values_folder=values)
    assert_near(logits(path, tmp_path), logits(values, tmp_path), 1e-4)
    assert greedy(path) == greedy(values)


def test_blocks_that_draft_are_passed_over(tmp_path, folders):
    """Files may hold them behind the last layer; they count as layers there."""

    def drafting(writer):
        prefix = writer.arch
        layers = family_models.LINEAR["num_hidden_layers"]
        writer.kv_data[0].pop(f"{prefix}.block_count", None)
        writer.add_block_count(layers + 1)
        writer.add_uint32(f"{prefix}.nextn_predict_layers", 1)
        writer.add_tensor(f"blk.{layers}.nextn.eh_proj.weight", numpy.ones((256, 512), numpy.float32))
        writer.add_tensor(f"blk.{layers}.attn_norm.weight", numpy.ones(256, numpy.float32))

    path = tmp_path / "model.gguf"
    family_files.write(folders / "qwen3_5_text", path, "BF16", keys=drafting)
    assert greedy(path) == greedy(folders / "qwen3_5_text")


def test_quantized_again_it_is_the_folder_of_the_values(tmp_path, folders):
    """What other programs read has the folder's order of heads."""
    path, values = tmp_path / "model.gguf", tmp_path / "values"
    family_files.write(folders / "qwen3_5_moe_text", path, "F32", values_folder=values)
    for place in (path, values):
        command = [BIN / "quantize", "--model", place, "--bits", 8, "--method", "rtn", "--group-size", 64, "--output", f"{place}-8"]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert_near(logits(f"{path}-8", tmp_path), logits(f"{values}-8", tmp_path), 1e-4)


@pytest.mark.parametrize("bits", [16, 8, 4])
def test_experts_are_written(tmp_path, folders, bits):
    path = written(folders / "qwen3_moe", tmp_path / "model.gguf", bits)
    kinds = {tensor.name: (tensor.tensor_type.name, tensor.shape.tolist()) for tensor in gguf.GGUFReader(path).tensors}
    assert kinds["blk.1.ffn_down_exps.weight"] == ({16: "F32", 8: "Q8_0", 4: "Q4_0"}[bits], [256, 256, 8])
    assert not any(".mlp." in name or "_exps.0" in name for name in kinds)
    values = tmp_path / "values"
    family_files.write_values(folders / "qwen3_moe", path, values)
    assert_near(logits(path, tmp_path), logits(values, tmp_path), 0 if bits == 16 else 1e-4)
    assert greedy(path) == greedy(values)


@pytest.mark.parametrize("folder, words", [
    (ROOT / "Tests/Goldens/models/qwen3_moe_bf16", "layers without experts in GGUF files"),
    (ROOT / "Tests/Goldens/models/qwen35_tied_bf16", "model_type qwen3_5_text in GGUF files"),
], ids=["dense layers", "hybrid"])  # fmt: skip
def test_what_files_do_not_hold_is_not_written(tmp_path, folder, words):
    command = [BIN / "quantize", "--model", folder, "--format", "gguf", "--bits", "16", "--output", tmp_path / "model.gguf"]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 1 and words in done.stderr, done.stderr
    assert not list(tmp_path.iterdir())


def written(folder, path, bits):
    flags = ["--format", "gguf", "--bits", bits, *(["--method", "rtn"] if bits < 16 else [])]
    command = [BIN / "quantize", "--model", folder, *flags, "--output", path]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return path


def without(unwanted):
    return lambda name, stored: (None if name == unwanted else name, stored)


def fewer(wanted, count):
    return lambda name, stored: (name, stored[:count] if name == wanted else stored)


@pytest.mark.parametrize("name, change, keys, words", [
    ("qwen3_moe", without("blk.1.ffn_down_exps.weight"), None, ["model.layers.1.mlp.experts.0.down_proj"]),
    ("qwen3_moe", fewer("blk.0.ffn_up_exps.weight", 5), None, ["blk.0.ffn_up_exps.weight", "[5, 256, 256]", "8 experts"]),
    ("qwen3_moe", without("blk.1.ffn_gate_inp.weight"), None, ["model.layers.1.mlp.gate"]),
    ("qwen3_moe", None, lambda w: w.add_uint32("qwen3moe.expert_gating_func", 2), ["expert_gating_func = 2"]),
    ("qwen3_moe", None, lambda w: w.add_float32("qwen3moe.expert_weights_scale", 2.5), ["expert_weights_scale = 2.5"]),
    ("qwen3_5_moe_text", None, lambda w: w.add_bool("qwen35moe.expert_weights_norm", False), ["expert_weights_norm = false"]),
    ("qwen3_5_text", fewer("blk.0.attn_qkv.weight", 512), None, ["blk.0.attn_qkv.weight", "512 rows", "1280 expected"]),
    ("qwen3_5_text", without("blk.2.ssm_a"), None, ["linear_attn.A_log"]),
    ("qwen3_5_text", lambda n, x: (n, -x if n == "blk.0.ssm_a" else x), None, ["A_log", "numbers that the family cannot have"]),
    ("qwen3_next", fewer("blk.0.ssm_ba.weight", 10), None, ["blk.0.ssm_ba.weight", "10 rows", "12 expected"]),
], ids=range(10))  # fmt: skip
def test_what_cannot_be_right_is_refused_by_name(tmp_path, folders, name, change, keys, words):
    path = tmp_path / "model.gguf"
    family_files.write(folders / name, path, "BF16", change=change, keys=keys)
    done = generate(path, "--max-tokens", 1)
    assert done.returncode == 1 and all(word in done.stderr for word in words), done.stderr


# llama.cpp


@pytest.fixture(scope="module")
def llama():
    """What opens a file with llama.cpp: its kernels for tile registers end some processes that have these."""
    llama_cpp = pytest.importorskip("llama_cpp")
    low = llama_cpp.llama_cpp
    parameters = low.llama_model_default_params

    def plain():
        chosen = parameters()
        chosen.use_extra_bufts = False
        return chosen

    low.llama_model_default_params = plain
    yield lambda path, **more: llama_cpp.Llama(str(path), n_ctx=256, n_threads=2, verbose=False, logits_all=True, **more)
    low.llama_model_default_params = parameters


@pytest.mark.parametrize("kind", ["F32", "Q8_0", "Q4_K", "Q6_K"])
@pytest.mark.parametrize("is_old", [False, True])
@pytest.mark.parametrize("name", family_models.MODELS)
def test_llama_cpp_computes_the_same(tmp_path, folders, llama, name, is_old, kind):
    """It rounds activations before it multiplies blocks by them, which may send a token to another expert."""
    path = tmp_path / "model.gguf"
    family_files.write(folders / name, path, "F32", is_old)
    if kind != "F32":
        path = quantized(path, kind)
    model = llama(path)
    model.eval(IDS)
    expected = numpy.array(model.scores[: len(IDS)])
    found = logits(path, tmp_path)
    if kind != "F32":
        assert median_error(found, expected) <= 0.15
    else:
        assert_near(found, expected, 1e-3)
        theirs = []
        model.reset()
        for token in model.generate(IDS, temp=0.0, top_k=1, repeat_penalty=1.0):
            if token == 2 or len(theirs) == 24:  # the token that ends a text
                break
            theirs.append(token)
        assert greedy(path) == theirs


def test_llama_cpp_reads_what_is_written(tmp_path, folders, llama):
    source = tmp_path / "source"
    shutil.copytree(folders / "qwen3_moe", source)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(ROOT / "Packages/NanoModels/Sources/NanoModels/Resources/nano-0.5m" / name, source)
    path = written(source, tmp_path / "model.gguf", 8)
    model = llama(path)
    model.eval(IDS)
    assert median_error(logits(path, tmp_path), numpy.array(model.scores[: len(IDS)])) <= 0.1


def quantized(path, kind):
    """The file with most matrices of a type, by llama.cpp's own quantizer."""
    import llama_cpp

    options = llama_cpp.llama_model_quantize_default_params()
    options.ftype = {"Q8_0": 7, "Q4_K": 15, "Q6_K": 18}[kind]
    target = path.with_suffix(f".{kind}.gguf")
    assert llama_cpp.llama_model_quantize(str(path).encode(), str(target).encode(), ctypes.byref(options)) == 0
    return target
