"""What quantized forms of a nano model keep of its scores on the Open LLM Leaderboard: Markdown tables by the built commands.

    python3 Tools/nano/recovery.py nano-4m --data DATA > table.md

DATA is laid out as `evaluate list` says. A few items of each benchmark are asked, without examples where their data is not at
hand or the model's context does not hold them; of BBH four of each task. Needs the standard library only; stopped runs go on.
"""

import argparse
import json
import re
from pathlib import Path

from commands import Commands, print_table

# Words for a form, and flags of quantize.
FORMS = [("16", []), ("8", ["--bits", 8]), ("4", ["--bits", 4]), ("w8a8-int", ["--scheme", "w8a8-int"])]
# By leaderboard: benchmark, items, flags of evaluate.
BOARDS = {
    "leaderboard-v1": [
        ("arc-challenge-25shot", 100, ["--shots", 0]),
        ("hellaswag-10shot", 100, ["--shots", 0]),
        ("mmlu-5shot", 50, []),
        ("truthfulqa-mc2", 60, []),
        ("winogrande-5shot", 100, ["--shots", 0]),
        ("gsm8k-5shot", 60, ["--shots", 0]),
    ],
    "leaderboard-v2": [("ifeval", 40, []), ("bbh", 100, [])],
}
BBH_ITEMS = 4


class Recovery(Commands):
    def form(self, model, words):
        """The model, or a quantized form of it."""
        name, flags = next(form for form in FORMS if form[0] == words)
        folder = self.work / name
        if flags and not folder.exists():
            self.output("quantize", "--model", model, *flags, "--output", folder)
        return folder if flags else model

    def folder(self, data, bench):
        """Where a benchmark's data lies; of BBH a part of it."""
        if bench != "bbh":
            return data
        part = self.work / "data"
        (part / "bbh").mkdir(parents=True, exist_ok=True)
        for file in data.glob("bbh/*.json"):
            rows = json.loads(file.read_text())["examples"][:BBH_ITEMS]
            (part / "bbh" / file.name).write_text(json.dumps({"examples": rows}))
        if not (part / "bbh/cot-prompts").exists():
            (part / "bbh/cot-prompts").symlink_to((data / "bbh/cot-prompts").resolve())
        return part

    def run(self, model, words, data, board):
        """The results of a form on a leaderboard's benchmarks."""
        results = []
        for bench, items, flags in BOARDS[board]:
            journal = self.work / f"{words}-{bench}.jsonl"
            self.output("evaluate", "--model", self.form(model, words), "--bench", bench, "--limit", items, *flags,
                        "--data", self.folder(data, bench), "--journal", journal, "--format", "brief")  # fmt: skip
            results.append(journal.with_suffix(".result.json"))
        return results

    def scores(self, board, results, against):
        """By benchmark: score, normalised, the other's, recovery."""
        lines = self.output("evaluate", "leaderboard", board, *results, "--against", *against).strip().splitlines()[1:]
        rows = [re.split(r"\s{2,}", line.strip()) for line in lines]
        return {row[0]: row[1:] for row in rows}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True, help="where the benchmarks' data lies")
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--work", type=Path, default=Path("runs/recovery"), help="where everything that is made is kept")
    flags = parser.parse_args()
    recovery = Recovery(flags)
    for board in BOARDS:
        results = {words: recovery.run(flags.model, words, flags.data, board) for words, _ in FORMS}
        scores = {words: recovery.scores(board, results[words], results["16"]) for words in results}

        def cell(words, bench):
            _, normalised, _, kept = scores[words][bench]
            return normalised if words == "16" or normalised == "-" else f"{normalised}; {kept}"

        rows = [*(bench for bench, _, _ in BOARDS[board]), "mean"]
        print(f"**{board}**\n")
        print_table([(words, words) for words, _ in FORMS], [(bench, bench) for bench in rows], cell)
        print()


if __name__ == "__main__":
    main()
