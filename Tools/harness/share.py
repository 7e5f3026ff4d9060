"""What share of an evaluation's time the harness takes: all that is not the engine's, from building prompts to the journal.

    python3 Tools/harness/share.py --model nano-4m --data DATA
    python3 Tools/harness/share.py --model FOLDER --data DATA --runs likelihood --limit 20 --stacks 12

Runs benchmarks under `perf` with one thread and sorts the samples of the run and of the programs that it starts by what stands
on their stacks: the engine (decoding and scoring), getting ready (reading the model and the benchmark,
before the first question and after the last), and the harness. Its share of the processors' time is that of the samples; its share
of the clock is the time between the first question and the last verdict in which the engine does not run: programs are graded
beside it where a processor is free.

Of a run whose options are scored, the engine's time of the processor for a token is set beside that for a token of a prompt
which `generate` reads, the least of three each, in turns. A prompt needs one row of the output head, and a task one for
every token that it scores. So there are two figures: of the tokens alone, and of the work that the task asks for, where a row of
the head counts as so many tokens of a prompt as it has multiplications. Needs `perf` and the right to use it; the standard
library else.
"""

import argparse
import collections
import json
import pathlib
import re
import subprocess
import tempfile
import time

MODELS = pathlib.Path(__file__).resolve().parents[2] / "Packages/NanoModels/Sources/NanoModels/Resources"
BIN = pathlib.Path(__file__).resolve().parents[2] / "bin"
RUNS = {
    "likelihood": ("mmlu-5shot", []),
    "ends": ("truthfulqa-mc2", []),
    "generation": ("nano-math", ["--max-tokens", "256"]),
    "code": ("humaneval", ["--max-tokens", "256"]),
    "ifeval": ("ifeval", ["--max-tokens", "256"]),
}
FREQUENCY = 499
# Swift's mangled names hold these words after their lengths.
ENGINE = re.compile(r"14TextGeneration|11ForwardPass")
ANSWERING = re.compile(r"15EngineResponder\w*(7respond|5score)|11BudgetSweep\w*3run")


def stacks(file):
    """All samples: program, whether it is the main thread, the time, and the frames, innermost first."""
    text = subprocess.run(
        ["perf", "script", "-i", str(file), "-F", "comm,pid,tid,time,ip,sym"], check=True, capture_output=True, text=True,
        errors="replace").stdout
    for block in text.split("\n\n"):
        head, *frames = block.strip().splitlines() or [""]
        if found := re.match(r"(.*?)\s+(\d+)/(\d+)\s+([0-9.]+):", head):
            yield (found[1], found[2] == found[3], float(found[4]),
                   [frame.strip().partition(" ")[2] for frame in frames])


def share_of_the_clock(marks):
    """The share of the time between the first mark and the last of the answering in which the engine does not run; a mark is
    (time, whether of the main thread, what it belongs to)."""
    answering = [mark for mark in sorted(marks) if mark[2] != "ready"]
    engine = 0.0
    main = [mark for mark in answering if mark[1]]
    for mark, following in zip(main, main[1:]):
        if mark[2] == "engine":
            # A sample stands for two milliseconds; behind a longer gap the thread has waited.
            engine += min(following[0] - mark[0], 2 / FREQUENCY)
    return 1 - engine / (answering[-1][0] - answering[0][0])


def sort(program, frames):
    """What a sample belongs to: programs that were started are the harness's."""
    whole = " ".join(frames)
    if program == "evaluate" and ENGINE.search(whole):
        return "engine"
    return "harness" if program != "evaluate" or ANSWERING.search(whole) else "ready"


def demangled(names):
    result = subprocess.run(["swift", "demangle", "--simplified", *names], capture_output=True, text=True)
    return dict(line.split(" ---> ") for line in result.stdout.splitlines() if " ---> " in line)


def samples_of(command, file):
    """Runs a command under `perf`; what it printed."""
    run = subprocess.run(["perf", "record", "-q", "-g", "-F", str(FREQUENCY), "-o", str(file), *command],
                         capture_output=True, text=True)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)}: {run.stderr[-1000:]}")
    return run.stdout + run.stderr


def prompt_cost(arguments, folder):
    """Samples of the engine for a token of a prompt that `generate` reads."""
    text, file = pathlib.Path(folder) / "prompt.txt", pathlib.Path(folder) / "prompt.samples"
    text.write_text(" ".join(f"Start with {n}. Then (a) add {n * 7 % 90}, (b) multiply by {n % 9}." for n in range(25)))
    told = samples_of([str(BIN / "generate"), "--model", arguments.model, "--threads", "1", "--prompt-file", str(text),
                       "--max-tokens", "1"], file)
    tokens = int(re.search(r"^prompt +([0-9]+) tokens", told, re.M)[1])
    return sum("11ForwardPass" in " ".join(frames) for _, _, _, frames in stacks(file)) / tokens


def evaluation(kind, arguments, journal):
    bench, flags = RUNS[kind]
    return [str(BIN / "evaluate"), "--model", arguments.model, "--threads", "1", "--bench", bench, *flags, "--data",
            arguments.data, "--limit", str(arguments.limit), "--journal", str(journal)]


def tokens_of_a_row(model):
    """How many tokens of a prompt have as many multiplications as a row of the output head; dense models of Llama's form."""
    folder = pathlib.Path(model)
    config = json.loads(((folder if folder.is_dir() else MODELS / model) / "config.json").read_text())
    width, heads = config["hidden_size"], config["num_attention_heads"]
    head = config.get("head_dim") or width // heads
    block = 2 * width * head * (heads + config["num_key_value_heads"]) + 3 * width * config["intermediate_size"]
    return config["vocab_size"] * width / (config["num_hidden_layers"] * block)


def scored(journal):
    """Tokens that were run, and rows of the head: one for every scored token, but one for all first tokens of a question."""
    records = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
    seconds = sum(record["response"]["cost"]["seconds"] for record in records)
    tokens = seconds * json.loads(journal.with_suffix(".result.json").read_text())["tokensPerSecond"]
    candidates = [record["response"]["candidates"] for record in records]
    return tokens, sum(sum(one["tokens"] - 1 for one in all) + 1 for all in candidates)


def measure(kind, arguments):
    bench = RUNS[kind][0]
    with tempfile.TemporaryDirectory() as folder:
        journal, samples = pathlib.Path(folder) / "run.jsonl", pathlib.Path(folder) / "samples"
        began = time.monotonic()
        samples_of(evaluation(kind, arguments, journal), samples)
        seconds = time.monotonic() - began
        counts, inner, marks = collections.Counter(), collections.Counter(), []
        for program, is_main, instant, frames in stacks(samples):
            where = sort(program, frames)
            counts[where] += 1
            marks.append((instant, is_main and program == "evaluate", where))
            if where == "harness":
                ours = next((frame for frame in frames if frame.startswith("$s")), frames[0] if frames else program)
                inner[f"{program}: {ours}"] += 1
        speed = ""
        if kind in ("likelihood", "ends"):
            tokens, rows = scored(journal)
            costs = [(prompt_cost(arguments, folder), counts["engine"])]
            for turn in range(2):
                samples_of(evaluation(kind, arguments, pathlib.Path(folder) / f"turn-{turn}.jsonl"), samples)
                engine = sum(sort(program, frames) == "engine" for program, _, _, frames in stacks(samples))
                costs.append((prompt_cost(arguments, folder), engine))
            prompt, engine = map(min, zip(*costs))
            work = tokens + rows * tokens_of_a_row(arguments.model)
            speed = (f"; {100 * tokens * prompt / engine:.0f} % of a prompt's speed, with the rows of the head "
                     f"{100 * work * prompt / engine:.0f} %")
    answering = counts["engine"] + counts["harness"]
    print(
        f"{kind} ({bench}): {seconds:.1f} s, of the samples while answering {100 * counts['harness'] / answering:.1f} % "
        f"in the harness ({answering}, getting ready {counts['ready']}), of the clock {100 * share_of_the_clock(marks):.1f} %"
        + speed, flush=True)
    most = inner.most_common(arguments.stacks)
    names = demangled([name.split(": ")[1] for name, _ in most if "$s" in name])
    for name, count in most:
        program, symbol = name.split(": ", 1)
        print(f"    {100 * count / answering:5.1f} %  {program}: {names.get(symbol, symbol)[:120]}")


def main():
    parser = argparse.ArgumentParser(description="share of an evaluation's time outside of the model")
    parser.add_argument("--model", default="nano-4m")
    parser.add_argument("--data", required=True)
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=list(RUNS))
    parser.add_argument("--limit", type=int, default=40)
    parser.add_argument("--stacks", type=int, default=0, help="so many places of the harness")
    arguments = parser.parse_args()
    for kind in arguments.runs:
        measure(kind, arguments)


if __name__ == "__main__":
    main()
