"""Every mechanism that spends fewer bits or tokens beside the plain run: a Markdown table by the built commands.

    python3 Tools/nano/mechanisms.py nano-4m nano-0.5m > table.md

A cell holds accuracy and its standard error in per cent, tokens of a problem, KiB of the KV cache of a reply, and milliseconds
of a processor that a problem took, starting the program included, by one thread: other programs hardly change these. One reply
to each problem, the same random numbers in all rows; votes take eight replies to half of the problems. What rules save is worked
out from the replies of the row above, and their time from their share of its tokens (marked ~). Needs the standard library only;
stopped runs go on, but tell no times.
"""

import re
from resource import RUSAGE_CHILDREN, getrusage

from commands import Commands, flags, percent, print_table

BENCHES = ["nano-math", "nano-facts"]
SWEEP = "32,64,96,128,160,192,224,256,320,384"
THREADS = ["--threads", "1"]
FORCED = ["--think-budget", "96", "--force"]
# Words for a row, with flags of evaluate.
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
    ("forced, 384 tokens", ["--think-budget", "384", "--force"]),
    ("the same, `stable:4`", "stable:4"),
]


class Mechanisms(Commands):
    def __init__(self, flags):
        super().__init__(flags)
        self.done = {}

    def cell(self, column, place):
        model, bench = column
        words = ROWS[place][1]
        if isinstance(words, str):
            return self.rule(model, bench, place, words)
        accuracy, tokens, kibibytes, milliseconds = self.run(model, bench, place)
        return f"{accuracy}; {tokens:.0f}; {kibibytes:.0f}; " + (f"{milliseconds:.1f}" if milliseconds else "-")

    def run(self, model, bench, place):
        """What a row came to: accuracy in words, tokens and KiB, and milliseconds where all was generated now."""
        if (model, bench, place) not in self.done:
            self.done[model, bench, place] = self.measured(model, bench, place)
        return self.done[model, bench, place]

    def measured(self, model, bench, place):
        words = ROWS[place][1]
        samples, field = (8, "maj@8") if "--samples" in words else (1, "accuracy")
        if words[:1] == ["--kv-policy"]:
            words = [*words, self.tuned(model, bench)]
        if samples > 1:
            words = words[: words.index("--samples")]
        name = f"{model}-{bench}-{place}"
        is_new = not list(self.work.glob(f"{name}-*.jsonl"))
        before = self.processor_seconds()
        (result,) = self.evaluate(model, bench, name, [*words, *THREADS], samples)
        seconds = self.processor_seconds() - before
        tokens = sum(result[kind + "_tokens"] for kind in ["thought", "injected", "answer"]) / result["items"]
        return (
            percent(result[field], result[field + "_se"]), tokens, result["kv_bytes"] / 1024,
            1000 * seconds / result["items"] if is_new else None,
        )  # fmt: skip

    @staticmethod
    def processor_seconds():
        """What the programs that have ended took."""
        usage = getrusage(RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    def tuned(self, model, bench):
        """The policy file of a model for a task."""
        folder = self.work / f"tune-{model}-{bench}"
        if not (folder / "kv-policy.json").exists():
            self.output("tune", "--model", model, "--bench", bench, "--output", folder)
        return folder / "kv-policy.json"

    def rule(self, model, bench, place, rule):
        """What a rule would have come to on the replies of the row that it is about."""
        while isinstance(ROWS[place][1], str):
            place -= 1
        _, all_tokens, kibibytes, milliseconds = self.run(model, bench, place)
        journals = [next(self.work.glob(f"{model}-{bench}-{place}-*.jsonl"))]
        if rule.startswith("stable"):
            probes = f"{model}-{bench}-probes"
            self.evaluate(model, bench, probes, ["--think-budgets", SWEEP, "--force"])
            journals = sorted(self.work.glob(f"{probes}-{self.limit}-*.jsonl"))
        table = self.output("evaluate", "rules", *journals)
        line = next(line for line in table.splitlines() if line.startswith(rule))
        accuracy, error, tokens = re.search(r"([\d.]+) ± ([\d.]+) %.* (\d+) +-?\d+ %$", line.strip()).groups()
        time = f"~{milliseconds * float(tokens) / all_tokens:.1f}" if milliseconds else "-"
        return f"{accuracy} ± {error}; {tokens}; {kibibytes:.0f}; {time}"


def main():
    given = flags(__doc__.splitlines()[0], "runs/mechanisms", "shipped models")
    columns = [(f"{model}, {bench}", (model, bench)) for model in given.models for bench in BENCHES]
    print_table(columns, [(words, place) for place, (words, _) in enumerate(ROWS)], Mechanisms(given).cell)


if __name__ == "__main__":
    main()
