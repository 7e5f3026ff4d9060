"""What numerics and heads of fewer bits cost the nano models: Markdown tables from the built commands.

    python3 Tools/numerics/table.py --bin bin --work runs/numerics > table.md

For every model, bits of its weights and pair of numerics and head: the divergence from the same weights computed exactly with
their head as stored, over what each model itself wrote on both benchmarks with its weights as trained; and the accuracy on both
benchmarks, with its paired difference from the same weights computed exactly. Beside them what the weights cost: the divergence
of the quantized model, computed exactly, from the model as trained. What is measured is kept in --work; a second start goes on.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

RESOURCES = Path(__file__).resolve().parents[2] / "Packages/NanoModels/Sources/NanoModels/Resources"
MODELS = ["nano-0.15m", "nano-0.5m", "nano-1.5m", "nano-4m"]
BENCHES = ["nano-math", "nano-facts"]
BITS = [16, 8, 4]
VARIANTS = [(numerics, head) for head in (16, 12, 8) for numerics in ("exact", "int16", "int8", "bf16")]
EXACT = ("exact", 16)


def is_shown(bits, numerics, head):
    """BF16 weights beside a BF16 head are multiplied alike by `exact` and `int16`, and by `int8` and `bf16`. Heads of 12 bits
    are for numerics that are nearly exact."""
    if head == 12:
        return numerics in ("exact", "int16")
    return bits < 16 or head == 8 or numerics in ("exact", "bf16")


class Measurements:
    """Runs the commands, and keeps what they found in a file."""

    def __init__(self, options):
        self.bin, self.work = options.bin.resolve(), options.work
        self.problems, self.texts = options.problems, options.texts
        self.work.mkdir(parents=True, exist_ok=True)
        self.file = self.work / "found.json"
        self.found = json.loads(self.file.read_text()) if self.file.exists() else {}

    def output(self, command, *words):
        done = subprocess.run([str(word) for word in [self.bin / command, *words]], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{command} {' '.join(map(str, words))} failed:\n{done.stderr[-2000:]}")
        return done.stdout

    def once(self, key, measure):
        if key not in self.found:
            self.found[key] = measure()
            self.file.write_text(json.dumps(self.found, indent=1))
            print(f"{key}: {self.found[key]}", file=sys.stderr, flush=True)
        return self.found[key]

    def model(self, name, bits):
        """The model as trained, or quantized by GPTQ in groups of 128."""
        if bits == 16:
            return name
        folder = self.work / f"{name}-{bits}"
        if not folder.exists():
            self.output("quantize", "--model", name, "--bits", bits, "--output", folder)
        return folder

    def journal(self, name, bench, bits, variant):
        """The journal of a run; those of a model, bench and bits ask the same problems with the same seeds."""
        numerics, head = variant
        journal = self.work / f"{name}-{bench}-{bits}-{numerics}-{head}.jsonl"
        run = lambda: json.loads(  # noqa: E731
            self.output("evaluate", "--model", self.model(name, bits), "--bench", bench, "--limit", self.problems, "--samples", 2,
                        "--numerics", numerics, "--head-bits", head, "--journal", journal, "--format", "json")  # fmt: skip
        )[0]["accuracy"]
        return journal, self.once(f"accuracy {name} {bench} {bits} {numerics} {head}", run)

    def difference(self, name, bench, bits, variant):
        """The paired difference of accuracies from the same weights computed exactly, and its standard error."""
        first, second = (self.journal(name, bench, bits, one)[0] for one in (EXACT, variant))
        measure = lambda: paired(first, second)  # noqa: E731
        return self.once(f"difference {name} {bench} {bits} {variant[0]} {variant[1]}", measure)

    def text(self, name):
        """The prompts and replies of the model as trained, as one text file."""
        file = self.work / f"{name}.jsonl"
        if file.exists():
            return file
        rows = []
        for bench, count in zip(BENCHES, (self.texts, 2 * self.texts)):
            lines = (RESOURCES / f"{bench}.jsonl").read_text().splitlines()
            questions = {row["id"]: row["question"] for row in map(json.loads, lines)}
            journal, _ = self.journal(name, bench, 16, EXACT)
            for line in journal.read_text().splitlines()[1 : 2 * count + 1 : 2]:
                reply = json.loads(line)
                prompt = self.output("generate", "--model", name, "--prompt", questions[reply["item"]], "--show-prompt")
                rows.append(prompt + reply["response"]["thought"] + reply["response"]["answer"])
        file.write_text("".join(json.dumps({"text": row}) + "\n" for row in rows))
        return file

    def divergence(self, name, first, second, variant):
        """(mean KL, 99.9 percentile, top-1 agreement, tokens) of `second` from `first`, which is computed exactly."""
        def measure():
            row = json.loads(
                self.output("evaluate", "--compare", first, second, "--text", self.text(name), "--window", 1024, "--numerics",
                            variant[0], "--head-bits", variant[1], "--format", "json")  # fmt: skip
            )[1]
            return [row["kl_mean"], row["kl_p99.9"], row["top1_agreement"], row["tokens"]]

        return self.once(f"divergence {name} {Path(first).name} {Path(second).name} {variant[0]} {variant[1]}", measure)


def paired(first, second):
    """Difference of the mean credit of two journals over their problems, and its standard error."""
    def credit(journal):
        found = {}
        for reply in map(json.loads, journal.read_text().splitlines()[1:]):
            found.setdefault(reply["item"], []).append(float(reply["correct"]))
        return {item: sum(scores) / len(scores) for item, scores in found.items()}

    before, after = credit(first), credit(second)
    differences = [after[item] - before[item] for item in before]
    mean = sum(differences) / len(differences)
    spread = sum((value - mean) ** 2 for value in differences) / (len(differences) - 1)
    return [mean, (spread / len(differences)) ** 0.5]


def table(head, rows):
    print("| " + " | ".join(head) + " |\n|" + "---|" * len(head))
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print()


def shown(bits):
    """The pairs of numerics and head that have rows of their own; the reference has none."""
    return [variant for variant in VARIANTS if variant != EXACT and is_shown(bits, *variant)]


def divergences(bench, models, bits):
    """Mean divergence, with its share of what the weights cost, its 99.9 percentile and top-1 agreement."""
    costs = {name: bench.divergence(name, name, bench.model(name, bits), EXACT) for name in models} if bits < 16 else {}

    def cell(found, cost=None):
        mean, high, agreement, _ = found
        share = f" ({100 * mean / cost[0]:.1f} %)" if cost else ""
        return f"{mean:.1e}{share}, {high:.1e}, {100 * agreement:.2f} %"

    rows = [["the weights", ""] + [cell(costs[name]) for name in models]] if costs else []
    for variant in shown(bits):
        found = {name: bench.divergence(name, bench.model(name, bits), bench.model(name, bits), variant) for name in models}
        rows.append([f"`{variant[0]}`", str(variant[1])] + [cell(found[name], costs.get(name)) for name in models])
    table(["", "head", *models], rows)


def accuracies(bench, models, bits):
    """Paired differences of the accuracy on both benchmarks, in points of a hundred with standard errors."""
    rows = []
    for variant in shown(bits):
        row = [f"`{variant[0]}`", str(variant[1])]
        for name in models:
            pairs = (bench.difference(name, task, bits, variant) for task in BENCHES)
            row.append(", ".join(f"{100 * mean:+.1f} ± {100 * error:.1f}" for mean, error in pairs))
        rows.append(row)
    table(["", "head", *models], rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--work", type=Path, default=Path("runs/numerics"))
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--texts", type=int, default=60, help="replies of nano-math that are read; of nano-facts twice as many")
    parser.add_argument("--without-accuracy", action="store_true")
    options = parser.parse_args()
    bench = Measurements(options)
    for bits in BITS:
        print(f"**{'BF16' if bits == 16 else f'{bits}-bit'} weights**\n")
        divergences(bench, options.models, bits)
        if not options.without_accuracy:
            print("Accuracy on " + ", ".join(BENCHES) + ":\n")
            accuracies(bench, options.models, bits)


if __name__ == "__main__":
    main()
