"""How near GPTQ comes to the original by what it is calibrated with: a Markdown table from the built commands.

    python3 Tools/checkpoint/calibrations.py --bin bin --other FILE [--models nano-0.5m nano-1.5m] > table.md

Calibrations are no text (rounding to nearest), random tokens, texts that the model writes itself, and every second row of the
shipped text. The divergence is measured on the rows between those, and on FILE, a text of another source.
"""

import argparse
import json
import random
import subprocess
import tempfile
from pathlib import Path

from table import TEXT, output, with_error

AMOUNTS = ["8x512", "16x512", "32x512", "64x512", "128x512"]


def random_tokens(flags, model, folder, sequences=64, length=512):
    """A file of texts whose tokens are drawn from the whole vocabulary alike."""
    tokenizer = json.loads((TEXT.parent / model / "tokenizer.json").read_text())
    special = {token["id"] for token in tokenizer["added_tokens"]}
    tokens = sorted(set(tokenizer["model"]["vocab"].values()) - special)
    draw = random.Random(1)
    lines = "".join(json.dumps(draw.choices(tokens, k=length)) + "\n" for _ in range(sequences))
    run = subprocess.run(
        [flags.bin / "generate", "--model", model, "--detokenize-jsonl"], input=lines, check=True, capture_output=True, text=True
    )
    path = folder / "random.jsonl"
    path.write_text("".join(json.dumps({"text": json.loads(line)}) + "\n" for line in run.stdout.splitlines()))
    return path


def divergence(flags, model, target, text):
    rows = json.loads(output(flags.bin / "evaluate", "--compare", model, target, "--text", text, "--format", "json"))
    return f"{with_error(rows[1], 'kl_mean', 5)} | {100 * rows[1]['top1_agreement']:.2f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--models", nargs="+", default=["nano-0.5m", "nano-1.5m"])
    parser.add_argument("--bits", nargs="+", type=int, default=[4, 3])
    parser.add_argument("--other", type=Path, required=True)
    flags = parser.parse_args()
    print("| model | bits | calibration | KL, the model's kind of text | top-1, % | KL, another source | top-1, % |")
    print("|---|---|---|---|---|---|---|")
    rows = TEXT.read_text().splitlines(keepends=True)
    for model in flags.models:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            shown, held = folder / "shown.jsonl", folder / "held-out.jsonl"
            shown.write_text("".join(rows[::2]))
            held.write_text("".join(rows[1::2]))
            other = folder / "other.txt"
            other.write_text(flags.other.read_text()[:40_000])
            ways = [("none (rtn)", ["--method", "rtn"])]
            ways += [("random tokens, 64x512", ["--calibration", random_tokens(flags, model, folder), "--samples", 64])]
            ways += [(f"self:{amount}", ["--calibration", f"self:{amount}"]) for amount in AMOUNTS]
            ways += [("file, 128 rows", ["--calibration", shown, "--samples", 128])]
            for bits in flags.bits:
                for number, (way, options) in enumerate(ways):
                    # All in one folder, so that texts once written serve for other bits.
                    target = folder / f"{bits}-{number}"
                    output(flags.bin / "quantize", "--model", model, "--bits", bits, "--output", target, *options)
                    print(
                        f"| {model} | {bits} | {way} | {divergence(flags, model, target, held)} "
                        f"| {divergence(flags, model, target, other)} |",
                        flush=True,
                    )


if __name__ == "__main__":
    main()
