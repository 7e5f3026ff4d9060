"""What forcing, votes, caches and fewer bits do to models of different kinds: a Markdown table by the built commands.

    python3 Tools/nano/kinds.py nano-0.5m FOLDER/nano-moe FOLDER/nano-hybrid > table.md

One reply to each problem of nano-math, the same random numbers for all models and rows; votes take eight replies to
half of the problems. Needs the standard library only; stopped runs go on.
"""

import argparse
import json
import subprocess
from pathlib import Path

CALIBRATION = Path(__file__).resolve().parents[2] / "Packages/NanoModels/Sources/NanoModels/Resources/calibration.jsonl"
# Words for a row, bits of the weights, flags of evaluate, samples, the field of its report.
ROWS = [
    ("BF16, thoughts end by themselves", 16, [], 1, "accuracy"),
    ("forced, 96 tokens", 16, ["--think-budget", "96", "--force"], 1, "accuracy"),
    ("forced, 192 tokens", 16, ["--think-budget", "192", "--force"], 1, "accuracy"),
    ("forced, 384 tokens", 16, ["--think-budget", "384", "--force"], 1, "accuracy"),
    ("8 votes of 96 tokens", 16, ["--think-budget", "96", "--force"], 8, "maj@8"),
    ("KV int8, no residual", 16, ["--kv", "bf16:0,int8"], 1, "accuracy"),
    ("KV int4, no residual", 16, ["--kv", "bf16:0,int4"], 1, "accuracy"),
    ("R-KV, 112 tokens", 16, ["--kv-evict", "rkv:112,buffer=16"], 1, "accuracy"),
    ("StreamingLLM, 112 tokens", 16, ["--kv-evict", "streaming:112,buffer=16"], 1, "accuracy"),
    ("GPTQ, 8 bits", 8, [], 1, "accuracy"),
    ("GPTQ, 4 bits", 4, [], 1, "accuracy"),
]


def output(*command):
    return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout


class Kinds:
    def __init__(self, flags):
        self.bin, self.work, self.limit = flags.bin, flags.work, flags.limit
        self.work.mkdir(parents=True, exist_ok=True)

    def model(self, name, bits):
        """The model, or its form in so many bits."""
        if bits == 16:
            return name
        folder = self.work / f"{Path(name).name}-{bits}bit"
        if not folder.exists():
            output(self.bin / "quantize", "--model", name, "--bits", bits, "--calibration", CALIBRATION, "--samples", 128,
                   "--output", folder)  # fmt: skip
        return folder

    def cell(self, name, row, place):
        """Accuracy and its standard error in per cent."""
        _, bits, words, samples, field = row
        limit = self.limit if samples == 1 else self.limit // 2
        journal = self.work / f"{Path(name).name}-{place}-{limit}.jsonl"
        (result,) = json.loads(
            output(self.bin / "evaluate", "--model", self.model(name, bits), "--bench", "nano-math", "--limit", limit,
                   "--samples", samples, "--journal", journal, "--format", "json", *words)
        )  # fmt: skip
        return f"{100 * result[field]:.1f} ± {100 * result[field + '_se']:.1f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", help="names or folders")
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--work", type=Path, default=Path("runs/kinds"), help="where journals and quantized models are kept")
    parser.add_argument("--limit", type=int, default=200, help="problems")
    flags = parser.parse_args()
    kinds = Kinds(flags)
    print("| | " + " | ".join(Path(name).name for name in flags.models) + " |")
    print("|---" * (len(flags.models) + 1) + "|")
    for place, row in enumerate(ROWS):
        cells = [kinds.cell(name, row, place) for name in flags.models]
        print(f"| {row[0]} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
