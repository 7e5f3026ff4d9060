"""What the programs of this folder share: where the commands lie, a model and a study that take no time."""

import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "bin"
MODEL = "nano-0.15m"
STUDY = f"""name: small
title: A small study
tasks: {{nano-math: math}}
weights: {{method: rtn, group-size: 64}}
limit: 2
temperature: 0.6
grids:
  - benchmarks: [nano-math]
    models: [{MODEL}]
    bits: [16, 4]
    kv: [bf16, "rkv:32,buffer=16"]
    budgets: [16, 48]
    samples: [1, 3]
"""


def ours(name, *words):
    """The words of one of our commands."""
    return [str(BIN / name), *map(str, words)]
