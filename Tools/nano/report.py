"""Shows results.json: `python report.py` draws figures/*.svg and prints the tables as Markdown."""

import json
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

HERE = Path(__file__).parent
COLORS = {"nano-0.15m": "#9aa5b1", "nano-0.5m": "#3d8bd4", "nano-1.5m": "#e08a1e",
          "nano-4m": "#b3262e"}
VOTED_BUDGET, ROUNDED_BUDGET = "128", "384"


def chart(name: str, title: str, x_label: str, ticks: list[int], lines: dict, reverse=False):
    """One line of accuracies per model, against `ticks` on a logarithmic axis."""
    figure, axes = plt.subplots(figsize=(6, 4))
    for model, (xs, ys) in lines.items():
        axes.plot(xs, ys, marker="o", markersize=4, color=COLORS[model], label=model)
    axes.set_xscale("log", base=2)
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    if reverse:
        axes.invert_xaxis()
    axes.set_ylim(0, 100)
    axes.set_title(title, fontsize=11, loc="left")
    axes.set_xlabel(x_label)
    axes.set_ylabel("accuracy on nano-math, percent")
    axes.grid(axis="y", color="#e4e4e4")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(HERE / "figures" / f"{name}.svg", metadata={"Date": None})
    plt.close(figure)


def series(points: dict) -> tuple[list[int], list[float]]:
    return [int(x) for x in points], list(points.values())


def draw(results: dict):
    budgets = {model: series({budget: votes["1"] for budget, votes in r["math_forced"].items()})
               for model, r in results.items()}
    chart("budget", "Longer thoughts answer better", "forced thinking budget, tokens",
          [32, 64, 96, 128, 192, 256, 384], budgets)
    votes = {model: series(r["math_forced"][VOTED_BUDGET]) for model, r in results.items()}
    chart("votes", f"Majorities answer better ({VOTED_BUDGET} tokens each)", "samples",
          [1, 3, 4, 8], votes)
    bits = {model: series({"16": r["math_forced"][ROUNDED_BUDGET]["1"],
                           **{b: rounded["math"][ROUNDED_BUDGET]
                              for b, rounded in r["rounded"].items()}})
            for model, r in results.items()}
    chart("bits", f"Larger models bear fewer bits ({ROUNDED_BUDGET} tokens)",
          "bits per weight, rounded to nearest", [16, 8, 4, 3], bits, reverse=True)


def table(header: list[str], rows: list[list]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)


def tables(results: dict) -> str:
    """Budgets, majorities and bits, one row per model."""
    budgets = list(next(iter(results.values()))["math_forced"])
    by_budget = table(
        ["math, forced budget", *budgets, "natural (mean tokens)", "facts"],
        [[model, *(r["math_forced"][b]["1"] for b in budgets),
          f"{r['math_natural']['accuracy']} ({r['math_natural']['mean_tokens']})",
          r["facts_natural"]["accuracy"]] for model, r in results.items()])
    by_votes = table(
        ["math, majority of 1 / 3 / 4 / 8", "96", "128", "384"],
        [[model, *(" / ".join(map(str, r["math_forced"][b].values())) for b in ("96", "128", "384"))]
         for model, r in results.items()])
    by_bits = table(
        ["bits", *(f"{model} {task}" for model in results for task in ("math", "facts"))],
        [[16, *(cell for r in results.values() for cell in (
            f"{r['math_forced']['128']['1']} / {r['math_forced']['384']['1']}",
            r["facts_forced"]["32"]))]]
        + [[bits, *(cell for r in results.values() for cell in (
            " / ".join(map(str, r["rounded"][bits]["math"].values())),
            r["rounded"][bits]["facts"]))] for bits in ("8", "4", "3")])
    return "\n".join([by_budget, by_votes, by_bits])


def main():
    plt.rcParams["svg.hashsalt"] = "nano"
    (HERE / "figures").mkdir(exist_ok=True)
    results = json.loads((HERE / "results.json").read_text())
    draw(results)
    print(tables(results), end="")


if __name__ == "__main__":
    main()
