"""What tables of measurements share: the built commands by their names, and a table's lines in Markdown."""

import argparse
import json
import subprocess
from pathlib import Path


class Commands:
    """The built commands, with a folder in which journals and models are kept, and how many problems are asked, if that is
    the same for all."""

    def __init__(self, flags):
        self.bin, self.work, self.limit = flags.bin, flags.work, getattr(flags, "limit", None)
        self.work.mkdir(parents=True, exist_ok=True)

    def output(self, command, *words):
        """What a command prints; its messages are seen."""
        words = [str(word) for word in [self.bin / command, *words]]
        return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout

    def evaluate(self, model, bench, journal, words, samples=1):
        """All fields of a run at each of its budgets. Several samples say more of a problem: half of the problems will do."""
        limit = self.limit if samples == 1 else max(1, self.limit // 2)
        return json.loads(
            self.output("evaluate", "--model", model, "--bench", bench, "--limit", limit, "--samples", samples,
                        "--journal", self.work / f"{journal}-{limit}.jsonl", "--format", "json", *words)
        )  # fmt: skip


def flags(description, work, models):
    """The flags of a program that makes a table."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("models", nargs="+", help=models)
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--work", type=Path, default=Path(work), help="where everything that is made is kept")
    parser.add_argument("--limit", type=int, default=200, help="problems")
    return parser.parse_args()


def percent(value, error):
    """A share and its standard error in per cent."""
    return f"{100 * value:.1f} ± {100 * (error or 0):.1f}"


def print_table(columns, rows, cell):
    """Prints a table line by line, as cells are measured. `columns` and `rows` are words with what `cell` takes."""
    print("| | " + " | ".join(words for words, _ in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for words, row in rows:
        print(f"| {words} | " + " | ".join(cell(column, row) for _, column in columns) + " |", flush=True)
