#!/usr/bin/env python3
"""plans.py [--check]: writes the table of docs/plan.md by `bin/plan`, or says whether it is as the program has it.

It holds the first rows of the plan for each memory and both tasks, on a machine that reads 50 GB a second.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "plan.md"
MEMORIES = (4, 6, 8, 12, 16, 24, 32, 64)
ROWS = 3
HEAD = "| memory | task | row | model | bits | KV | thought | samples | GiB | answer in | expected, % | figure is |"


def duration(seconds):
    minutes = round(seconds / 60)
    return f"{minutes // 60}h{minutes % 60:02}m" if minutes >= 60 else f"{minutes}m"


def policy(kv):
    """As `plan` prints it: an evicted cache by its eviction where it is in BF16."""
    if kv["policy"] == "full":
        return kv["format"]
    return kv["policy"] if kv["format"] == "bf16" else f"{kv['policy']}+{kv['format']}"


def rows(memory, task):
    command = [ROOT / "bin" / "plan", "--memory", f"{memory}GiB", "--task", task, "--bandwidth", "50GB",
               "--family", "qwen3", "--json"]
    plans = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    for place, plan in enumerate(plans[:ROWS], 1):
        low, middle, high = (100 * plan[f"{name}"] for name in ("accuracy_low", "expected_accuracy", "accuracy_high"))
        cells = [
            f"{memory} GiB", task, place, plan["model"], plan["weight_bits"], policy(plan["kv"]), plan["think_budget"],
            plan["samples"], f"{plan['total_bytes'] / 2**30:.2f}", duration(plan["seconds_per_answer"]),
            f"{middle:.1f} ({low:.0f} to {high:.0f})", plan["accuracy_origin"]]
        yield "| " + " | ".join(str(cell) for cell in cells) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    checks = parser.parse_args().check
    table = [HEAD, "|" + "---|" * HEAD.count(" | ") + "---|"]
    for memory in MEMORIES:
        for task in ("math", "knowledge"):
            table += rows(memory, task)
    lines = PAGE.read_text().split("\n")
    first = lines.index(HEAD)
    last = next(number for number in range(first, len(lines)) if not lines[number].startswith("|"))
    made = "\n".join(lines[:first] + table + lines[last:])
    if checks:
        if made != PAGE.read_text():
            sys.exit("docs/plan.md: the table is not what bin/plan says; run python3 Tools/readme/plans.py")
    else:
        PAGE.write_text(made)


if __name__ == "__main__":
    main()
