"""What forcing, votes, caches and fewer bits do to models of different kinds: a Markdown table by the built commands.

    python3 Tools/nano/kinds.py nano-0.5m FOLDER/nano-moe FOLDER/nano-hybrid > table.md

One reply to each problem of nano-math, the same random numbers for all models and rows; votes take eight replies to
half of the problems. Needs the standard library only; stopped runs go on.
"""

from pathlib import Path

from commands import Commands, flags, percent, print_table

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


class Kinds(Commands):
    def model(self, name, bits):
        """The model, or its form in so many bits."""
        if bits == 16:
            return name
        folder = self.work / f"{Path(name).name}-{bits}bit"
        if not folder.exists():
            self.output("quantize", "--model", name, "--bits", bits, "--calibration", CALIBRATION, "--samples", 128,
                        "--output", folder)  # fmt: skip
        return folder

    def cell(self, name, place):
        """Accuracy and its standard error in per cent."""
        _, bits, words, samples, field = ROWS[place]
        journal = f"{Path(name).name}-{place}"
        (result,) = self.evaluate(self.model(name, bits), "nano-math", journal, words, samples)
        return percent(result[field], result[field + "_se"])


def main():
    given = flags(__doc__.splitlines()[0], "runs/kinds", "names or folders")
    columns = [(Path(name).name, name) for name in given.models]
    print_table(columns, [(row[0], place) for place, row in enumerate(ROWS)], Kinds(given).cell)


if __name__ == "__main__":
    main()
