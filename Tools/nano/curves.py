"""Measures the shipped nano models with the built commands, and draws the curves of the README.

    python3 Tools/nano/curves.py            # from the root of the checkout, after `make build`

Accuracy on nano-math against the thinking budget, forced and as an upper bound, against the bits of the weights, and of
majority votes out of one pool of replies. Every run goes through bin/quantize and bin/evaluate with seed 0; stopped runs
go on. Needs the standard library only.
"""

import argparse
import json
import pathlib
import subprocess

from chart import Chart, Series, page

MODELS = ["nano-0.15m", "nano-0.5m", "nano-1.5m", "nano-4m"]
BUDGETS = [32, 64, 96, 128, 192, 256, 384]
BITS = [16, 8, 4, 3]
BUDGET_SAMPLES = 8
VOTES = [1, 3, 4, 6, 8, 12, 16]
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

    def evaluate(self, name, budgets, bits=16, samples=1, force=True):
        """All fields of a run at each budget; every thought is generated once."""
        kind = "forced" if force else "free"
        # Several samples take longer and say more of each problem: half of the problems will do.
        limit = self.limit if samples == 1 else max(1, self.limit // 2)
        journal = self.work / f"{name}-{bits}-{kind}-{samples}-{limit}.jsonl"
        command = [
            "bin/evaluate", "--model", self.model(name, bits), "--bench", "nano-math", "--format", "json",
            "--limit", str(limit), "--samples", str(samples), "--journal", str(journal),
            "--think-budgets", ",".join(map(str, budgets)), "--numerics", "exact", "--head-bits", "16",
        ] + ["--force"] * force
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        results = json.loads(output)
        scores = ", ".join(f"{t}: {result['accuracy']:.3f}" for t, result in zip(budgets, results))
        print(f"{name}, {bits} bits, {kind}, {samples} samples: {scores}", flush=True)
        return results


LABEL = "accuracy on nano-math, %"


def point(x, result, field="accuracy"):
    return x, 100 * result[field], 100 * (result.get(field + "_se") or 0)


def measure(runner):
    def budgets(force):
        return [
            Series(
                name,
                [point(t, r) for t, r in zip(BUDGETS, runner.evaluate(name, BUDGETS, 16, BUDGET_SAMPLES, force))],
            )
            for name in MODELS
        ]

    bits = [
        Series(name, [point(b, runner.evaluate(name, [BITS_BUDGET], b)[0]) for b in BITS]) for name in MODELS
    ]
    votes = []
    for name in MODELS:
        pool = runner.evaluate(name, [VOTE_BUDGET], samples=max(VOTES))[0]
        fields = ["accuracy" if k == 1 else f"maj@{k}" for k in VOTES]
        votes.append(Series(name, [point(k, pool, field) for k, field in zip(VOTES, fields)]))
    samples = f"{BUDGET_SAMPLES} samples a problem"
    return [
        Chart("Thinking longer", "tokens of thought, forced", budgets(True), ticks=BUDGETS, note=samples),
        Chart("Thinking freely", "most tokens of thought", budgets(False), ticks=BUDGETS, note=samples),
        Chart("Fewer bits", f"bits of a weight (GPTQ), {BITS_BUDGET} tokens", bits, ticks=BITS),
        Chart("Voting", f"votes, {VOTE_BUDGET} tokens each", votes, ticks=VOTES, note="one pool of 16 samples"),
    ]


def table(chart):
    head = "| | " + " | ".join(str(tick) for tick in chart.ticks) + " |"
    rows = [head, "|---" * (len(chart.ticks) + 1) + "|"]
    for series in chart.series:
        cells = [f"{y:.0f} ± {error:.1f}" for _, y, error in series.points]
        rows.append(f"| {series.name} | " + " | ".join(cells) + " |")
    note = f"; {chart.note}" if chart.note else ""
    return f"**{chart.title}** ({chart.axis}{note})\n\n" + "\n".join(rows) + "\n"


def charts_of(tables):
    """The charts that tables were made of, from their text."""
    charts = []
    for part in tables.split("\n**"):
        head, *lines = part.removeprefix("**").strip().split("\n")
        title, _, axis = head.partition("** (")
        axis, _, note = axis.removesuffix(")").partition("; ")
        rows = [[cell.strip() for cell in row.strip("|").split("|")] for row in lines if row.startswith("|")]
        if "weights" in rows[0]:
            continue
        ticks = [int(tick) for tick in rows[0][1:]]
        series = []
        for name, *cells in rows[2:]:
            values = [tuple(map(float, cell.split(" ± "))) for cell in cells]
            series.append(Series(name, [(tick, *value) for tick, value in zip(ticks, values)]))
        charts.append(Chart(title, axis, series, ticks, note))
    return charts


def memory_table(runner):
    """Bytes of weights, and of the KV cache of a forced reply at each budget."""
    mebibytes = lambda count: f"{count / 2**20:.2f}"
    head = "| | weights | " + " | ".join(str(tick) for tick in BUDGETS) + " |"
    rows = [head, "|---" * (len(BUDGETS) + 2) + "|"]
    for name in MODELS:
        results = runner.evaluate(name, BUDGETS, 16, BUDGET_SAMPLES)
        cells = [mebibytes(results[0]["weights_bytes"])] + [mebibytes(r["kv_bytes"]) for r in results]
        rows.append(f"| {name} | " + " | ".join(cells) + " |")
    return "**Memory** (MiB: weights in BF16, and the KV cache of one reply by its budget)\n\n" + "\n".join(rows) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", default="runs/curves", help="where runs and quantized models are kept")
    parser.add_argument("--limit", type=int, default=200, help="problems asked, half of them where several samples are taken")
    parser.add_argument("--output", default="docs/nano-curves.svg")
    parser.add_argument("--redraw", action="store_true", help="draw the tables again that lie beside the picture")
    arguments = parser.parse_args()
    output = pathlib.Path(arguments.output)
    if arguments.redraw:
        output.write_text(page(charts_of(output.with_suffix(".md").read_text()), LABEL))
        return
    output.parent.mkdir(parents=True, exist_ok=True)
    runner = Runner(arguments.work, arguments.limit)
    charts = measure(runner)
    output.write_text(page(charts, LABEL))
    tables = "\n".join([table(chart) for chart in charts] + [memory_table(runner)])
    output.with_suffix(".md").write_text(tables)
    print(tables)


if __name__ == "__main__":
    main()
