"""Measures the shipped nano models with the built commands, and draws the curves of the README.

    python3 Tools/nano/curves.py            # from the root of the checkout, after `make build`

Accuracy on nano-math against the forced thinking budget, against the bits of the weights, and of majority votes. Every
run goes through bin/quantize and bin/evaluate with seed 0; stopped runs go on. Needs the standard library only.
"""

import argparse
import json
import pathlib
import subprocess

from chart import Chart, Series, page

MODELS = ["nano-0.15m", "nano-0.5m", "nano-1.5m", "nano-4m"]
BUDGETS = [32, 64, 96, 128, 192, 256, 384]
BITS = [16, 8, 4, 3]
VOTES = [1, 2, 4, 8]
VOTE_BUDGET = 96
BITS_BUDGET = 256


class Runner:
    def __init__(self, work, limit):
        self.work, self.limit = pathlib.Path(work), limit
        self.work.mkdir(parents=True, exist_ok=True)

    def model(self, name, bits):
        """The folder of a model in so many bits."""
        if bits == 16:
            return name
        folder = self.work / f"{name}-{bits}bit"
        if not folder.exists():
            command = ["bin/quantize", "--model", name, "--bits", str(bits), "--output", str(folder)]
            subprocess.run(command, check=True, capture_output=True)
        return str(folder)

    def evaluate(self, name, bits=16, budget=None, samples=1):
        """All fields of one run."""
        journal = self.work / f"{name}-{bits}-{budget}-{samples}-{self.limit}.jsonl"
        command = [
            "bin/evaluate", "--model", self.model(name, bits), "--bench", "nano-math", "--format", "json",
            "--limit", str(self.limit), "--samples", str(samples), "--journal", str(journal),
        ]
        if budget:
            command += ["--think-budget", str(budget), "--force"]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        result = json.loads(output)[0]
        print(f"{name} {bits} bits, budget {budget}, {samples} samples: {result['accuracy']:.3f}", flush=True)
        return result


def point(x, result, field="accuracy"):
    return x, 100 * result[field], 100 * (result.get(field + "_se") or 0)


def measure(runner):
    budget = [
        Series(name, [point(t, runner.evaluate(name, budget=t)) for t in BUDGETS]) for name in MODELS
    ]
    bits = [
        Series(name, [point(b, runner.evaluate(name, bits=b, budget=BITS_BUDGET)) for b in BITS])
        for name in MODELS
    ]
    votes = []
    for name in MODELS:
        pool = runner.evaluate(name, budget=VOTE_BUDGET, samples=max(VOTES))
        fields = ["accuracy" if k == 1 else f"maj@{k}" for k in VOTES]
        votes.append(Series(name, [point(k, pool, field) for k, field in zip(VOTES, fields)]))
    return [
        Chart("Thinking longer", "tokens of thought, forced", budget, ticks=BUDGETS),
        Chart("Fewer bits", f"bits of a weight (GPTQ), {BITS_BUDGET} tokens", bits, ticks=BITS),
        Chart("Voting", f"votes, {VOTE_BUDGET} tokens each", votes, ticks=VOTES),
    ]


def table(chart):
    head = "| | " + " | ".join(str(tick) for tick in chart.ticks) + " |"
    rows = [head, "|---" * (len(chart.ticks) + 1) + "|"]
    for series in chart.series:
        cells = [f"{y:.0f} ± {error:.1f}" for _, y, error in series.points]
        rows.append(f"| {series.name} | " + " | ".join(cells) + " |")
    return f"**{chart.title}** ({chart.axis})\n\n" + "\n".join(rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", default="runs/curves", help="where runs and quantized models are kept")
    parser.add_argument("--limit", type=int, default=200, help="problems asked")
    parser.add_argument("--output", default="docs/nano-curves.svg")
    arguments = parser.parse_args()
    output = pathlib.Path(arguments.output)
    output.parent.mkdir(parents=True, exist_ok=True)
    charts = measure(Runner(arguments.work, arguments.limit))
    output.write_text(page(charts, "accuracy on nano-math, %"))
    tables = "\n".join(table(chart) for chart in charts)
    output.with_suffix(".md").write_text(tables)
    print(tables)


if __name__ == "__main__":
    main()
