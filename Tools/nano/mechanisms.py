"""Every mechanism that spends fewer bits or tokens beside the plain run: a Markdown table by the built commands.

    python3 Tools/nano/mechanisms.py nano-4m nano-0.5m > table.md

A cell holds accuracy and its standard error in per cent, tokens of a problem, KiB of the KV cache of a reply, and tokens a second.
One reply to each problem, the same random numbers in all rows; votes take eight replies to half of the problems, and
what rules would have saved is worked out from these. Needs the standard library only; stopped runs go on.
"""

import argparse
import json
import re
import subprocess
from pathlib import Path

BENCHES = ["nano-math", "nano-facts"]
SWEEP = [32, 64, 96, 128, 160, 192, 224, 256, 320, 384]
FORCED = ["--think-budget", "96", "--force"]
# Words for a row, and flags of evaluate.
ROWS = [
    ("plain: BF16, thoughts end by themselves", []),
    ("KV int8, no residual", ["--kv", "bf16:0,int8"]),
    ("KV by `tune`", ["--kv-policy"]),
    ("KV int8 and by kind of thought", ["--kv", "bf16:0,int8+thoughts=int8:64,int4:64"]),
    ("R-KV, 112 tokens", ["--kv-evict", "rkv:96,buffer=16"]),
    ("RaaS, 112 tokens", ["--kv-evict", "raas:96,threshold=0.01,buffer=16"]),
    ("LazyEviction, 112 tokens", ["--kv-evict", "lazy:96,threshold=0.01,buffer=16"]),
    ("one text at a time", ["--batch", "1"]),
    ("the same with nano-0.15m as draft", ["--batch", "1", "--draft", "nano-0.15m"]),
    ("8 votes of 96 tokens", [*FORCED, "--samples", "8"]),
    ("the same, `decided`", "decided"),
    ("the same, `beta:0.95`", "beta:0.95"),
    ("forced, 384 tokens", ["--think-budgets", ",".join(map(str, SWEEP)), "--force"]),
    ("the same, `stable:4`", "stable:4"),
]


class Mechanisms:
    def __init__(self, flags):
        self.bin, self.work, self.limit = flags.bin, flags.work, flags.limit
        self.work.mkdir(parents=True, exist_ok=True)

    def output(self, *command):
        command = [self.bin / command[0], *command[1:]]
        return subprocess.run([str(word) for word in command], check=True, stdout=subprocess.PIPE, text=True).stdout

    def tuned(self, model, bench):
        """The policy file of a model for a task."""
        folder = self.work / f"tune-{model}-{bench}"
        if not (folder / "kv-policy.json").exists():
            self.output("tune", "--model", model, "--bench", bench, "--output", folder)
        return folder / "kv-policy.json"

    def journal(self, model, bench, place):
        return self.work / f"{model}-{bench}-{place}-{self.limit}.jsonl"

    def run(self, model, bench, place, words):
        """What a run came to; of several budgets the longest."""
        votes = "--samples" in words
        if words[:1] == ["--kv-policy"]:
            words = [*words, self.tuned(model, bench)]
        results = json.loads(
            self.output("evaluate", "--model", model, "--bench", bench, "--limit", self.limit // (2 if votes else 1),
                        "--journal", self.journal(model, bench, place), "--format", "json", *words)
        )  # fmt: skip
        last, field = results[-1], "maj@8" if votes else "accuracy"
        tokens = sum(last[name] for name in ["thought_tokens", "injected_tokens", "answer_tokens"]) / last["items"]
        speed = last["tokens_per_second"]
        cells = [self.percent(last[field], last[field + "_se"]), f"{tokens:.0f}", f"{last['kv_bytes'] / 1024:.0f}"]
        return "; ".join([*cells, f"{speed:.0f}" if speed else "-"])

    @staticmethod
    def percent(value, error):
        return f"{100 * value:.1f} ± {100 * (error or 0):.1f}"

    def rule(self, model, bench, place, rule):
        """What a rule would have come to on the replies of the row that it is about."""
        while isinstance(ROWS[place][1], str):
            place -= 1
        base = self.journal(model, bench, place)
        journals = [base]
        if rule.startswith("stable"):
            journals = sorted(self.work.glob(f"{base.stem}*.jsonl"))
        table = self.output("evaluate", "rules", *journals)
        line = next(line for line in table.splitlines() if line.startswith(rule))
        accuracy, error, tokens = re.search(r"([\d.]+) ± ([\d.]+) %.* (\d+) +-?\d+ %$", line.strip()).groups()
        return f"{accuracy} ± {error}; {tokens}; as above; -"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", help="shipped models")
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--work", type=Path, default=Path("runs/mechanisms"), help="where journals and policies are kept")
    parser.add_argument("--limit", type=int, default=200, help="problems")
    flags = parser.parse_args()
    mechanisms = Mechanisms(flags)
    columns = [(model, bench) for model in flags.models for bench in BENCHES]
    print("| | " + " | ".join(f"{model}, {bench}" for model, bench in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for place, (words, row) in enumerate(ROWS):
        make = mechanisms.rule if isinstance(row, str) else mechanisms.run
        print(f"| {words} | " + " | ".join(make(*column, place, row) for column in columns) + " |", flush=True)


if __name__ == "__main__":
    main()
