"""Log-likelihoods and scores are those of EleutherAI's evaluation harness, item by item. Skipped without the package or
without benchmark data beside the checkout."""

import os
from pathlib import Path

import pytest

import compare

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared/data/benchmarks"


def test_scores_are_those_of_the_harness():
    pytest.importorskip("lm_eval")
    program = Path(os.environ.get("BITBUDGET_BIN", ROOT / "bin")) / "bitbudget"
    if not program.exists():
        pytest.skip("bin/bitbudget is not built")
    if not DATA.exists():
        pytest.skip(f"no benchmark data in {DATA}")
    model = str(ROOT / "Packages/NanoModels/Sources/NanoModels/Resources/nano-0.5m")
    compared = 0
    for task, found in compare.comparisons([str(program)], model, DATA, 50, 8392):
        if isinstance(found, str):
            continue
        count, candidates, worst, different = found
        assert candidates > count > 5 and worst < 1e-4 and different == 0, (task, found)
        compared += 1
    assert compared > 0
