"""What each method, width and group size costs a nano model: a Markdown table from the built commands.

    python3 Tools/checkpoint/table.py --bin bin [--model nano-1.5m] > table.md

Calibration takes every second row of the shipped text; the comparison reads the rows between them. Accuracy is that of one
reply to each of 200 problems of nano-math, with the same random numbers for all.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

TEXT = Path(__file__).resolve().parents[2] / "Packages/NanoModels/Sources/NanoModels/Resources/calibration.jsonl"
EXACT = ["--numerics", "exact", "--head-bits", "16"]
METHODS, BITS, GROUPS = ["rtn", "hqq", "gptq"], [8, 4, 3, 2], [32, 64, 128]


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def accuracy(flags, folder, model):
    """Accuracy in per cent with its standard error, from a journal of its own."""
    journal = folder / (Path(model).name + ".jsonl")
    (row,) = json.loads(
        output(flags.bin / "evaluate", "--model", model, "--bench", "nano-math", "--limit", 200, "--samples", 1,
               "--journal", journal, "--format", "json", *EXACT)
    )  # fmt: skip
    return f"{100 * row['accuracy']:.1f} ± {100 * row['accuracy_se']:.1f}"


def figures(flags, folder, text, method, bits, group):
    """The comparison of one quantized model with its source: what the table says of both."""
    target = folder / f"{method}-{bits}-{group}"
    calibration = ["--calibration", TEXT, "--samples", 128] if method == "gptq" else []
    output(flags.bin / "quantize", "--model", flags.model, "--method", method, "--bits", bits, "--group-size", group,
           "--output", target, *calibration)  # fmt: skip
    reference, candidate = json.loads(
        output(flags.bin / "evaluate", "--compare", flags.model, target, "--text", text, "--format", "json", *EXACT)
    )
    return reference, candidate, accuracy(flags, folder, target)


def with_error(row, field, digits):
    return f"{row[field]:.{digits}f} ± {row[field + '_se']:.{digits}f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--model", default="nano-1.5m")
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = folder / "held-out.jsonl"
        text.write_text("".join(TEXT.read_text().splitlines(keepends=True)[1::2]))
        original = accuracy(flags, folder, flags.model)
        rows = []
        for bits in BITS:
            for group in GROUPS:
                for method in METHODS:
                    reference, row, right = figures(flags, folder, text, method, bits, group)
                    rows.append(
                        f"| {bits} | {group} | {method} | {row['perplexity']:.2f} "
                        f"| {with_error(row, 'log_perplexity_ratio', 4)} | {with_error(row, 'kl_mean', 5)} | {row['kl_p99.9']:.4f} "
                        f"| {100 * row['top1_agreement']:.2f} | {right} |"
                    )
    print(f"{reference['model']}, {reference['tokens']} tokens of text held out from calibration; ", end="")
    print(f"perplexity of the original {with_error(reference, 'perplexity', 2)}, accuracy {original} %.\n")
    print("| bits | group | method | perplexity | ln of its ratio to the original | KL mean | KL 99.9 % | top-1 agreement, % | accuracy, % |")
    print("|---|---|---|---|---|---|---|---|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()
