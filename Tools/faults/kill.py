"""Kills commands with SIGKILL at random moments, continues them each time, and compares what they leave with that of an
undisturbed run: all but times and memory must be equal, and nothing else may lie there. What a killed run had started has
to end by itself.

    python3 Tools/faults/kill.py --data DATA                  # from the root of the checkout, after `make build`
    python3 Tools/faults/kill.py --data DATA --runs code      # one kind of run

20 kills each of `evaluate` where it generates, scores options by their likelihood (TruthfulQA), runs programs (HumanEval),
and asks a server, whose journal is compared with that of a run that asks none; and of commands that write other files.
DATA holds the data of those two benchmarks (`docs/evaluate.md`). Needs the standard library only.
"""

import argparse
import ctypes
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import tempfile
import time

from common import STUDY
from outputs import contents as folder_contents, difference, hub, runs

PR_SET_CHILD_SUBREAPER = 36
SECONDS_TO_END = 15  # a sandboxed program may run for 10

RUNS = {
    "generation": ["--bench", "nano-math", "--limit", "50", "--samples", "4"],
    "likelihood": ["--bench", "truthfulqa-mc2", "--limit", "200"],
    "code": ["--bench", "humaneval", "--max-tokens", "64"],
    "endpoint": ["--bench", "nano-math", "--limit", "50", "--samples", "4"],
}
# Those of `outputs.py`.
FOLDERS = ["quantize", "quantize-again", "gguf", "study", "tune", "pull", "logits"]


def command(kind, journal, arguments, address=None):
    model = ["--endpoint", address] if address else ["--model", arguments.model, "--threads", "1"]
    data = ["--data", arguments.data] if kind in ("likelihood", "code") else []
    return [*arguments.program.split(), *model, *RUNS[kind], *data, "--batch", "4", "--journal", str(journal)]


def serve(arguments):
    """A server of the model on a free port: the process and its address."""
    *before, evaluate = arguments.program.split()
    process = subprocess.Popen(
        [*before, evaluate.replace("evaluate", "serve"), "--model", arguments.model, "--threads", "1", "--port", "0"],
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        if "http://" in line:
            return process, line.split()[-1]
    raise SystemExit("the server did not start")


def contents(journal):
    """The header, and every record without what its reply cost."""
    lines = [json.loads(line) for line in journal.read_text().splitlines()]
    for record in lines[1:]:
        del record["response"]["cost"]
    return lines


def records(journal):
    return max(0, journal.read_bytes().count(b"\n") - 1) if journal.exists() else 0


def finish(command):
    """Runs a command to its end, which has to be a good one."""
    result = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if result.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {result.returncode}\n{result.stderr[-2000:]}")


def children():
    return {int(child) for child in pathlib.Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


def left_behind(known):
    """Children that this process has inherited from killed runs (it is their subreaper) and that still run at the end of
    the time they have."""
    deadline = time.monotonic() + SECONDS_TO_END
    while True:
        orphans = children() - known
        for orphan in orphans:
            os.waitpid(orphan, os.WNOHANG)
        if not orphans or time.monotonic() > deadline:
            return orphans
        time.sleep(0.02)


def compare(kind, arguments):
    """Runs the benchmark once, and once with kills; the journals have to be equal."""
    chance = random.Random(f"{kind} {arguments.seed}")
    server, address = serve(arguments) if kind == "endpoint" else (None, None)
    known = children()
    try:
        with tempfile.TemporaryDirectory() as folder:
            whole, parts, temporary = (pathlib.Path(folder) / name for name in ("whole.jsonl", "parts.jsonl", "temporary"))
            temporary.mkdir()
            finish(command(kind, whole, arguments))
            total = records(whole)
            torn = 0
            for kill, target in enumerate(sorted(chance.sample(range(total * 19 // 20), arguments.kills)), 1):
                process = subprocess.Popen(
                    command(kind, parts, arguments, address), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                    env={**os.environ, "TMPDIR": str(temporary)})
                while records(parts) < target and process.poll() is None:
                    time.sleep(0.001)
                time.sleep(chance.uniform(0, 0.05))
                if process.poll() is not None:
                    raise SystemExit(f"{kind}: exit {process.returncode} before kill {kill}, at {records(parts)} records")
                process.send_signal(signal.SIGKILL)
                process.wait()
                data = parts.read_bytes() if parts.exists() else b""
                torn += bool(data) and not data.endswith(b"\n")
                if orphans := left_behind(known):
                    raise SystemExit(f"{kind}: processes {orphans} outlived kill {kill}")
                if left := os.listdir(temporary):
                    raise SystemExit(f"{kind}: kill {kill} left {left}")
                print(f"{kind}, kill {kill}: {records(parts)} of {total} records", flush=True)
            finish(command(kind, parts, arguments, address))
            if contents(whole) != contents(parts):
                raise SystemExit(f"{kind}: the journals differ ({records(parts)} records, {total} undisturbed)")
    finally:
        if server:
            server.kill()
            server.wait()
    print(f"{kind}: {total} records, equal after {arguments.kills} kills, {torn} of which tore a line", flush=True)


def same_folder(kind, run, arguments):
    """Runs a command of which files are left; those of runs with kills have to be the same."""
    chance, known = random.Random(f"{kind} {arguments.seed}"), children()
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = (pathlib.Path(folder) / name for name in ("whole", "parts"))

        def begin(place):
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir()
            if run.kept:
                subprocess.run([word.replace("{}", str(place)) for word in run.kept], check=True, capture_output=True)

        def check(code, messages):
            # A run may have been killed when all was done.
            if code and "exists" not in messages:
                raise SystemExit(f"{kind}: exit {code}: {messages[-600:]}")
            first, second = folder_contents(whole), folder_contents(parts)
            for file in sorted({*first, *second}):
                if found := difference(first.get(file), second.get(file)):
                    raise SystemExit(f"{kind}: {file}{found}")

        begin(whole)
        begun = time.monotonic()
        code, messages = run.start(whole)
        if code:
            raise SystemExit(f"{kind}: exit {code}: {messages[-600:]}")
        seconds, kills, ends = time.monotonic() - begun, 0, 0
        begin(parts)
        while kills < arguments.kills:
            process = subprocess.Popen(run.words(parts), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=parts,
                                       env=run.variables(parts))
            time.sleep(chance.uniform(0, 0.9 * seconds))
            process.send_signal(signal.SIGKILL)
            messages = process.communicate()[1].decode(errors="replace")
            if orphans := left_behind(known):
                raise SystemExit(f"{kind}: processes {orphans} outlived kill {kills}")
            kills += process.returncode < 0
            if process.returncode >= 0:
                check(process.returncode, messages)
                begin(parts)
                ends += 1
        check(*run.start(parts))
    print(f"{kind}: the files of {ends + 1} runs are equal after {kills} kills", flush=True)


def main():
    parser = argparse.ArgumentParser(description="kill -9 and continue")
    parser.add_argument("--runs", nargs="+", choices=[*RUNS, *FOLDERS], default=[*RUNS, *FOLDERS])
    parser.add_argument("--data", help="folder of the benchmarks' data, for likelihood and code")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--model", default="nano-0.5m")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--program", default="bin/evaluate")
    arguments = parser.parse_args()
    if not arguments.data and {"likelihood", "code"} & set(arguments.runs):
        parser.error("--runs likelihood and code need --data")
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as folder:
        study = pathlib.Path(folder) / "study.yaml"
        study.write_text(STUDY)
        with hub(pathlib.Path(folder) / "hub") as address:
            others = runs(address, study)
            for kind in arguments.runs:
                if kind in RUNS:
                    compare(kind, arguments)
                else:
                    same_folder(kind, others[kind], arguments)


if __name__ == "__main__":
    main()
