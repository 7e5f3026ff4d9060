"""What schemes of weights and activations cost the nano models: a Markdown table from the built commands.

    python3 Tools/checkpoint/schemes.py --bin bin [--models nano-4m ...] > table.md

Calibration takes every second row of the shipped text; the comparison reads the rows between them. Accuracy is that of one
reply to each of some problems of nano-math, with the same random numbers for all. A model that was given outlier
channels (outlier_model.py) stands beside the one it was made of.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

TOOLS = Path(__file__).resolve().parent
TEXT = TOOLS.parents[1] / "Packages/NanoModels/Sources/NanoModels/Resources/calibration.jsonl"
MODELS = ["nano-0.15m", "nano-0.5m", "nano-1.5m", "nano-4m"]
# Name, flags of quantize. Weights alone are computed exactly; int16 adds what the scheme itself rounds and next to nothing else.
SCHEMES = [
    ("8 bits, weights alone", ["--bits", 8]),
    ("4 bits, weights alone", ["--bits", 4]),
    ("w4a16", ["--scheme", "w4a16"]),
    ("w8a8-fp", ["--scheme", "w8a8-fp"]),
    ("w8a8-int", ["--scheme", "w8a8-int"]),
    ("w8a8-int, --smooth 0.5", ["--scheme", "w8a8-int", "--smooth", 0.5]),
    ("quik-w4a4, --outliers 0", ["--scheme", "quik-w4a4", "--outliers", 0]),
    ("quik-w4a4, --outliers 0, --smooth 0.5", ["--scheme", "quik-w4a4", "--outliers", 0, "--smooth", 0.5]),
    ("quik-w4a4", ["--scheme", "quik-w4a4"]),
    ("w4a4-rotated", ["--scheme", "w4a4-rotated"]),
]


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def accuracy(flags, folder, model, numerics):
    """Accuracy in per cent with its standard error, from a journal of its own."""
    if flags.limit == 0:
        return "-"
    (row,) = json.loads(
        output(flags.bin / "evaluate", "--model", model, "--bench", "nano-math", "--limit", flags.limit,
               "--samples", 1, "--journal", folder / (Path(model).name + ".jsonl"), "--format", "json", *numerics)
    )  # fmt: skip
    return f"{100 * row['accuracy']:.1f} ± {100 * row['accuracy_se']:.1f}"


def rows(flags, folder, text, name, model):
    """One row of the table for each scheme of a model."""
    exact = ["--numerics", "exact", "--head-bits", "16"]
    yield f"| {name} | BF16 | | | {accuracy(flags, folder, model, exact)} |"
    for scheme, words in SCHEMES:
        if flags.only not in scheme:
            continue
        target = folder / f"{name}-{scheme.replace(' ', '')}"
        calibration = [] if scheme == "w8a8-fp" else ["--calibration", TEXT, "--samples", 128]
        output(flags.bin / "quantize", "--model", model, "--output", target, *words, *calibration)
        numerics = exact if "alone" in scheme or scheme == "w4a16" else ["--numerics", "int16", "--head-bits", "16"]
        _, row = json.loads(
            output(flags.bin / "evaluate", "--compare", model, target, "--text", text, "--format", "json", *numerics)
        )
        yield (
            f"| {name} | {scheme} | {row['kl_mean']:.5f} ± {row['kl_mean_se']:.5f} | {100 * row['top1_agreement']:.2f} "
            f"| {accuracy(flags, folder, target, numerics)} |"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--models", nargs="*", default=MODELS)
    parser.add_argument("--outliers", default="nano-4m", help="the model that is given outlier channels too; none for none")
    parser.add_argument("--limit", type=int, default=200, help="problems of nano-math; 0 for none")
    parser.add_argument("--only", default="", help="schemes whose names hold this")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = folder / "held-out.jsonl"
        text.write_text("".join(TEXT.read_text().splitlines(keepends=True)[1::2]))
        models = [(model, model) for model in flags.models]
        if flags.outliers != "none":
            made = folder / f"{flags.outliers}-outliers"
            output(sys.executable, TOOLS / "outlier_model.py", flags.outliers, made)
            place = 1 + next((at for at, (title, _) in enumerate(models) if title == flags.outliers), len(models))
            models.insert(place, (made.name, made))
        print("| model | scheme | KL mean | top-1 agreement, % | accuracy, % |")
        print("|---|---|---|---|---|")
        for title, model in models:
            for row in rows(flags, folder, text, title, model):
                print(row, flush=True)


if __name__ == "__main__":
    main()
