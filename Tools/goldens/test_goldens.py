"""The committed reference models are what make.py makes, and its forward passes are those of transformers."""

import json
import os
import pathlib
import sys
import tempfile
import unittest

import numpy

import make
import reference

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "checkpoint"))
import safetensors_file  # noqa: E402

# Logits of transformers, from the environment or beside the checkout.
SHARED = pathlib.Path(os.environ.get("BITBUDGET_GOLDENS") or make.FOLDER.parents[2] / ".." / "shared" / "goldens")


def load(folder):
    """The configuration and the tensors of a checkpoint."""
    tensors = {}
    for file in folder.glob("*.safetensors"):
        tensors.update(safetensors_file.read(file))
    return json.loads((folder / "config.json").read_text()), tensors


class GoldensTest(unittest.TestCase):
    def test_committed_models_are_what_is_made(self):
        with tempfile.TemporaryDirectory() as folder:
            made = pathlib.Path(folder) / "models"
            make.main(made)
            names = sorted(str(file.relative_to(made)) for file in made.rglob("*") if file.is_file())
            self.assertEqual(
                names, sorted(str(file.relative_to(make.FOLDER)) for file in make.FOLDER.rglob("*") if file.is_file()))
            for name in names:
                with self.subTest(name):
                    if name.endswith(".npy"):  # a processor's sums may differ in their last bits
                        found, expected = numpy.load(made / name), numpy.load(make.FOLDER / name)
                        self.assertLess(numpy.abs(found - expected).max(), 1e-5)
                    elif not name.endswith("manifest.json"):
                        self.assertEqual((made / name).read_bytes(), (make.FOLDER / name).read_bytes())

    def test_forward_passes_are_those_of_transformers(self):
        folders = [folder for folder in sorted(SHARED.glob("models*/*"))
                   if (config := json.loads((folder / "config.json").read_text())).get("model_type") in reference.FAMILIES
                   and not config.get("use_sliding_window")]
        if not folders:
            self.skipTest(f"no reference models in {SHARED}")
        for folder in folders:
            with self.subTest(folder.name):
                config, tensors = load(folder)
                config = {"tie_word_embeddings": False, "rope_theta": config.get("rope_parameters", {}).get("rope_theta"), **config}
                tensors.setdefault("model.embed_tokens.weight", tensors.get("lm_head.weight", numpy.zeros(0)))
                tokens, expected = (numpy.load(folder / "golden" / f"{name}.npy") for name in ("tokens", "logits"))
                self.assertLess(numpy.abs(reference.logits(config, tensors, tokens) - expected).max(), 1e-4)


if __name__ == "__main__":
    unittest.main()
