"""What formats and evictions of the KV cache cost a nano model: Markdown tables from the built commands.

    python3 Tools/kv/table.py --bin bin [--model nano-4m] [--problems 200] [--only variants] > table.md

`grid`: accuracy on nano-math with forced thoughts, and KL divergence from a BF16 cache that keeps everything, for every
format and policy. `variants`: the divergence alone for schemes, groups, rules and rotations of full-length caches.

The divergence is read over replies that the model itself wrote with the BF16 cache.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

PROBLEMS = Path(__file__).resolve().parents[2] / "Packages/NanoModels/Sources/NanoModels/Resources/nano-math.jsonl"
FORMATS = ["bf16", "int8", "int4", "int2", "tiered"]
POLICIES = ["none", "rkv", "streaming", "snapkv", "h2o"]
TIERS = "bf16:64,int8:64,int4"
BUDGETS = [128, 256]
TEXTS = 40
# The cache alone is what is measured.
EXACT = ["--numerics", "exact", "--head-bits", "16"]


def cache_flags(kv, policy, kept):
    """No residual, so that codes are what is measured; `tiered` has tiers that fit replies of 300 tokens."""
    flags = ["--kv", TIERS] if kv == "tiered" else ["--kv", kv]
    flags += ["--kv-residual", 0] if kv.startswith("int") else []
    return flags + (["--kv-evict", f"{policy}:{kept},buffer=16,prompt=16"] if policy != "none" else [])


class Bench:
    def __init__(self, flags, folder):
        self.bin, self.model, self.problems, self.folder = flags.bin, flags.model, flags.problems, folder

    def output(self, command, *words):
        words = [str(word) for word in [self.bin / command, *words]]
        return subprocess.run(words, check=True, capture_output=True, text=True).stdout

    def accuracy(self, name, kv):
        """The rows of the result, one for each thinking budget."""
        budgets = ",".join(str(budget) for budget in BUDGETS)
        return json.loads(
            self.output("evaluate", "--model", self.model, "--bench", "nano-math", "--limit", self.problems,
                        "--think-budgets", budgets, "--force", "--journal", self.folder / f"{name}.jsonl",
                        "--format", "json", *EXACT, *kv)  # fmt: skip
        )

    def write_text(self, journal):
        """The prompts and replies of a journal as one text file."""
        questions = {row["id"]: row["question"] for row in map(json.loads, PROBLEMS.read_text().splitlines())}
        rows = []
        for line in journal.read_text().splitlines()[1 : TEXTS + 1]:
            reply = json.loads(line)
            prompt = self.output("generate", "--model", self.model, "--prompt", questions[reply["item"]], "--show-prompt")
            rows.append(prompt + reply["response"]["thought"] + reply["response"]["answer"])
        text = self.folder / "replies.jsonl"
        text.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
        return text

    def divergence(self, text, kv):
        return json.loads(
            self.output("evaluate", "--compare", self.model, self.model, "--text", text, "--window", 1024,
                        "--format", "json", *EXACT, *kv)  # fmt: skip
        )[1]


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def grid(bench, text, kept):
    for policy in POLICIES:
        print(f"**{policy if policy == 'none' else f'{policy}:{kept}'}**\n")
        rows = []
        for kv in FORMATS:
            flags = cache_flags(kv, policy, kept)
            results = bench.accuracy(f"{policy}-{kv}", flags)
            row = bench.divergence(text, flags)
            tokens = results[-1]["thought_tokens"] / results[-1]["replies"]
            rows.append(
                [kv]
                + [f"{100 * result['accuracy']:.0f} ± {100 * result['accuracy_se']:.1f}" for result in results]
                + [f"{row['kl_mean']:.5f}", f"{100 * row['top1_agreement']:.1f} %"]
                + [f"{results[-1]['kv_bytes'] / 1024:.0f}", f"{tokens:.0f}"]
            )
            print(f"{policy} {kv}: {rows[-1]}", file=sys.stderr)
        head = ["cache"] + [f"accuracy, % ({budget} tokens)" for budget in BUDGETS]
        table(head + ["mean KL", "top-1 agreement", "KiB", "tokens thought"], rows)


def variants(bench, text):
    rows = []
    for kv in ["int8", "int4", "int2"]:
        for extra in [
            [], ["--kv-scheme", "hqq"], ["--kv-scheme", "sym-absmax"], ["--kv-scheme", "sym-full"],
            ["--kv-group", 32], ["--kv-group", 32, "--kv-scheme", "hqq"],
            ["--kv-key-axis", "per-token"], ["--kv-key-axis", "per-token", "--kv-group", 32],
            ["--kv-key-axis", "per-token", "--kv-rotate", "k"],
            ["--kv-rotate", "k"], ["--kv-rotate", "v"], ["--kv-rotate", "kv"], ["--kv-rotate", "kv", "--kv-scheme", "hqq"],
            ["--kv-group", 32, "--kv-residual", 32], ["--kv-group", 32, "--kv-residual", 32, "--kv-rule", "kivi"],
        ]:  # fmt: skip
            residual = [] if "--kv-residual" in extra else ["--kv-residual", 0]
            row = bench.divergence(text, ["--kv", kv, *residual, *extra])
            words = " ".join(str(word) for word in extra)
            rows.append([kv, f"`{words}`" if words else "", f"{row['kl_mean']:.2e}", f"{row['kl_p99.9']:.2g}",
                         f"{100 * row['top1_agreement']:.1f} %"])  # fmt: skip
            print(rows[-1], file=sys.stderr)
    table(["cache", "flags", "mean KL", "KL, 99.9 percentile", "top-1 agreement"], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--model", default="nano-4m")
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--kept", type=int, default=128, help="tokens that an eviction keeps")
    parser.add_argument("--only", choices=["grid", "variants"])
    flags = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(flags, Path(name))
        bench.accuracy("reference", [])
        text = bench.write_text(bench.folder / f"reference-{BUDGETS[-1]}.jsonl")
        rows = sum(len(json.loads(line)["text"]) for line in text.read_text().splitlines())
        print(f"{flags.model}, {bench.problems} problems; divergences over {TEXTS} replies, {rows} characters.\n")
        if flags.only != "grid":
            variants(bench, text)
        if flags.only != "variants":
            grid(bench, text, flags.kept)


if __name__ == "__main__":
    main()
