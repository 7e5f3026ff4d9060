"""How near GPTQ comes to the original by the numerics of its calibration passes: a Markdown table from the built commands.

    python3 Tools/checkpoint/calibration_numerics.py --bin bin [--models nano-0.5m nano-1.5m nano-4m] > table.md

Calibration takes every second row of the shipped text; the divergence is measured, with exact numerics, on the rows between.
"""

import argparse
import json
import tempfile
from pathlib import Path

from table import EXACT, TEXT, output, with_error

NUMERICS = ["exact", "bf16", "int16", "int8"]


def row(flags, folder, model, bits, numerics, text):
    target = folder / f"{model}-{bits}-{numerics}"
    output(flags.bin / "quantize", "--model", model, "--bits", bits, "--calibration", TEXT, "--samples", 128,
           "--calibration-numerics", numerics, "--output", target)  # fmt: skip
    layers = [layer["report"]["layerError"] for layer in json.loads((target / "bitbudget.json").read_text())["layers"]]
    _, found = json.loads(
        output(flags.bin / "evaluate", "--compare", model, target, "--text", text, "--format", "json", *EXACT)
    )
    error = 100 * sum(layers) / len(layers)
    return f"{error:.4f} | {with_error(found, 'kl_mean', 5)} | {100 * found['top1_agreement']:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--models", nargs="+", default=["nano-0.5m", "nano-1.5m", "nano-4m"])
    parser.add_argument("--bits", nargs="+", type=int, default=[8, 4, 3, 2])
    flags = parser.parse_args()
    print("| model | bits | numerics | error of the layers' outputs, % | KL mean | top-1, % |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = folder / "held-out.jsonl"
        text.write_text("".join(TEXT.read_text().splitlines(keepends=True)[1::2]))
        for model in flags.models:
            for bits in flags.bits:
                for numerics in NUMERICS:
                    print(f"| {model} | {bits} | {numerics} | {row(flags, folder, model, bits, numerics, text)} |", flush=True)


if __name__ == "__main__":
    main()
