"""Kills `evaluate` with SIGKILL at random moments of a run, continues it each time, and compares the journal with that of
an undisturbed run: all but times and memory must be equal.

    python3 Tools/faults/kill.py            # from the root of the checkout, after `make build`

200 replies, 20 kills; with --bench FILE of a benchmark whose options are scored, or whose replies are programs, its first
200 items; with --endpoint the killed runs ask a server, the undisturbed one does not. Needs the standard library only.
"""

import argparse
import json
import pathlib
import random
import signal
import subprocess
import tempfile
import time


def command(journal, arguments, address=None):
    bench = ["nano-math", "--limit", "50", "--samples", "4"]
    if arguments.bench:
        bench = [arguments.bench, "--limit", "200"]
    model = ["--endpoint", address] if address else ["--model", arguments.model, "--threads", "1"]
    return [
        *arguments.program.split(), *model, "--bench", *bench, "--batch", "4", "--journal",
        str(journal),
    ]


def serve(arguments):
    """A server of the model on a free port: the process and its address."""
    program = [*arguments.program.split()[:-1], arguments.program.split()[-1].replace("evaluate", "serve")]
    process = subprocess.Popen(
        [*program, "--model", arguments.model, "--threads", "1", "--port", "0"],
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


def main():
    parser = argparse.ArgumentParser(description="kill -9 and continue")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--model", default="nano-4m")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--bench", help="the YAML file of a benchmark with one reply to an item")
    parser.add_argument("--endpoint", action="store_true", help="ask a server of the model")
    parser.add_argument("--program", default="bin/evaluate")
    arguments = parser.parse_args()
    server, address = serve(arguments) if arguments.endpoint else (None, None)
    try:
        compare(arguments, address)
    finally:
        if server:
            server.kill()
            server.wait()


def compare(arguments, address):
    """Runs the benchmark once, and once with kills; the journals have to be equal."""
    chance = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, parts = (pathlib.Path(folder) / name for name in ("whole.jsonl", "parts.jsonl"))
        subprocess.run(command(whole, arguments), check=True, capture_output=True)
        torn = 0
        for kill, target in enumerate(sorted(chance.sample(range(190), arguments.kills)), 1):
            process = subprocess.Popen(
                command(parts, arguments, address), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            while records(parts) < target and process.poll() is None:
                time.sleep(0.001)
            time.sleep(chance.uniform(0, 0.05))
            assert process.poll() is None, "the run ended before it was killed"
            process.send_signal(signal.SIGKILL)
            process.wait()
            data = parts.read_bytes() if parts.exists() else b""
            torn += bool(data) and not data.endswith(b"\n")
            print(f"kill {kill}: {records(parts)} of 200 replies", flush=True)
        subprocess.run(command(parts, arguments, address), check=True, capture_output=True)
        first, second = contents(whole), contents(parts)
        assert len(first) == 201, f"{len(first) - 1} replies"
        assert first == second, "the journals differ"
    print(f"equal after {arguments.kills} kills, {torn} of which tore a line")


if __name__ == "__main__":
    main()
