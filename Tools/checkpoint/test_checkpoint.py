"""Quantized checkpoints as another program sees them: the built commands' files, read with NumPy alone.

Needs NumPy, pytest and the built commands (BITBUDGET_BIN, or bin/ of the repository).
"""

import json
import os
import shutil
import subprocess
from pathlib import Path

import numpy
import pytest

import random_weights
import readers
import safetensors_file

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("BITBUDGET_BIN", ROOT / "bin"))
NANO = ROOT / "Packages/NanoModels/Sources/NanoModels/Resources"
MODEL = NANO / "nano-0.5m"

pytestmark = pytest.mark.skipif(not (BIN / "quantize").exists(), reason="the commands are not built")


def quantize(folder, layout, bits, group):
    subprocess.run(
        [BIN / "quantize", "--model", MODEL, "--method", "rtn", "--bits", str(bits), "--group-size", str(group),
         "--format", layout, "--output", folder],
        check=True, capture_output=True,
    )  # fmt: skip
    return safetensors_file.read(folder / "model.safetensors")


def widths(tensors):
    """(out, in) of every matrix of the source's decoder blocks."""
    return [v.shape for n, v in tensors.items() if n.startswith("model.layers.") and v.ndim == 2]


@pytest.mark.parametrize("layout", ["gptq", "compressed-tensors"])
@pytest.mark.parametrize("bits,group", [(8, 128), (4, 32), (4, 128), (3, 64), (2, 32), (4, 0)])
def test_readers_agree_with_the_engine(tmp_path, layout, bits, group):
    """The engine predicts the same with the packed codes as with the plain weights that NumPy reads out of them."""
    packed = tmp_path / "packed"
    agree(tmp_path, packed, readers.dense(quantize(packed, layout, bits, group), bits))


def scheme_folder(tmp_path, scheme):
    """A checkpoint of a scheme in the form of compressed-tensors."""
    folder = tmp_path / "packed"
    calibration = ["--calibration", NANO / "calibration.jsonl", "--samples", "4", "--length", "64"]
    subprocess.run(
        [BIN / "quantize", "--model", MODEL, "--scheme", scheme, "--format", "compressed-tensors", "--output", folder,
         *([] if scheme == "w8a8-fp" else calibration)],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.mark.parametrize("scheme", ["w8a8-int", "w8a8-fp"])
def test_readers_agree_on_eight_bits(tmp_path, scheme):
    """Weights of 8 bits as vLLM loads them; exact numerics leave the activations as they are."""
    packed = scheme_folder(tmp_path, scheme)
    config = json.loads((packed / "config.json").read_text())["quantization_config"]
    kind = {"w8a8-int": "int", "w8a8-fp": "float"}[scheme]
    group = config["config_groups"]["group_0"]
    assert config["format"] == f"{kind}-quantized" and config["ignore"] == ["lm_head"]
    assert group["weights"]["strategy"] == "channel" and group["weights"]["type"] == kind
    assert group["input_activations"]["strategy"] == "token" and group["input_activations"]["dynamic"]
    agree(tmp_path, packed, readers.dense(safetensors_file.read(packed / "model.safetensors"), 8))


@pytest.mark.parametrize("scheme,bits", [("w8a8-int", 8), ("w8a8-fp", 8), ("w4a16", 4)])
def test_the_package_of_the_format_reads_the_same(tmp_path, scheme, bits):
    """What `compressed-tensors`, as transformers uses it, makes of a file is what the reader here does, in BF16."""
    pytest.importorskip("compressed_tensors")
    transformers = pytest.importorskip("transformers")
    packed = scheme_folder(tmp_path, scheme)
    form = transformers.CompressedTensorsConfig(dequantize=True)
    found = transformers.AutoModelForCausalLM.from_pretrained(packed, quantization_config=form).state_dict()
    for name, values in readers.dense(safetensors_file.read(packed / "model.safetensors"), bits).items():
        others = found[name].float().numpy()
        assert others.shape == values.shape
        assert (abs(others - values) <= 2.0**-8 * abs(values)).all(), name


def agree(tmp_path, packed, tensors):
    """Plain weights of these values predict what the packed checkpoint does."""
    plain = tmp_path / "plain"
    source = safetensors_file.read(MODEL / "model.safetensors")
    assert {n: v.shape for n, v in tensors.items()} == {n: v.shape for n, v in source.items()}
    plain.mkdir()
    for name in ["config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"]:
        shutil.copy(MODEL / name, plain)
    config = json.loads((MODEL / "config.json").read_text()) | {"torch_dtype": "float32"}
    (plain / "config.json").write_text(json.dumps(config))
    shapes = {name: ("F32", values.shape) for name, values in tensors.items()}
    safetensors_file.write(plain / "model.safetensors", shapes, tensors.__getitem__)
    text = tmp_path / "text.txt"
    text.write_text((NANO / "calibration.jsonl").read_text()[:3000])
    out = subprocess.run(
        [BIN / "evaluate", "--compare", plain, packed, "--text", text, "--format", "json",
         "--numerics", "exact", "--head-bits", "16"],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    result = json.loads(out.stdout)[1]
    # Sums of another order may round a cached BF16 key to its neighbour; a wrong code or scale shows in the third digit.
    assert result["kl_mean"] < 1e-6 and result["top1_agreement"] > 0.995


@pytest.mark.parametrize("bits", [8, 4, 3, 2])
@pytest.mark.parametrize("group", [32, 64, 128, 0])
def test_sizes_are_the_formulas(tmp_path, bits, group):
    """Bytes of the layers: those of the equations in the paper (arXiv:2510.10964, appendix A), to the byte."""
    source = safetensors_file.read(MODEL / "model.safetensors")
    expected = {"gptq": 0, "compressed-tensors": 0}
    for rows, columns in widths(source):
        groups = -(-columns // group) if group else 1
        codes, scales = rows * columns * bits // 8, rows * groups * 2
        expected["gptq"] += codes + scales + groups * rows * bits // 8 + columns * 4
        expected["compressed-tensors"] += codes + scales + 2 * 8
    for layout, size in expected.items():
        folder = tmp_path / layout
        quantize(folder, layout, bits, group)
        header = safetensors_file.read(folder / "model.safetensors")
        marks = (".qweight", ".qzeros", ".scales", ".g_idx", "_packed", "_scale", "_shape")
        stored = {n: v for n, v in header.items() if n.endswith(marks)}
        # A BF16 scale is read as float32, twice its size in the file.
        halves = sum(v.nbytes // 2 for n, v in stored.items() if n.endswith("_scale"))
        assert sum(v.nbytes for v in stored.values()) - halves == size


def test_random_weights_have_the_published_sizes():
    """Parameters of the models, as their cards count them (tied embedding once)."""
    for size, billions in {"0.6b": 0.596, "1.7b": 1.72, "4b": 4.02, "8b": 8.19, "14b": 14.77, "32b": 32.76}.items():
        shapes = random_weights.shapes(random_weights.configuration(size))
        total = sum(int(numpy.prod(shape)) for shape in shapes.values())
        assert abs(total / 1e9 - billions) < 0.005 * billions
