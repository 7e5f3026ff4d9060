#!/usr/bin/env python3
"""typed.py [FILE]: types the commands of README.md (or FILE) as a reader would, and holds them to what is said of them.

Every `sh` fence is run line by line in an empty folder that has bin/, docs/, studies/ and Tools/ of this checkout; fences
marked `sh skip` need the network or minutes. A command without an entry in EFFECTS is a failure: what nobody checks is
not to be promised. One that ends in `&` is a server: it has to say where it listens, and those behind it try it. A `text` fence that follows shows lines of the output: each has to come, but for times.
"""

import argparse
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_SECONDS = 120


def holds(folder, *names):
    return lambda where, _: all((where / folder / name).exists() for name in names)


def says(pattern):
    return lambda _, output: re.search(pattern, output) is not None


def falls(_, output):
    """The rows of a plan stand in the order of their accuracy, the first figure before a range."""
    found = [float(value) for value in re.findall(r"(\d+\.\d) \(\d+ to \d+\)", output)]
    return len(found) >= 3 and found == sorted(found, reverse=True)


# The beginning of a command -> what it has to do. The longest that fits counts.
EFFECTS = {
    "bin/quantize --model nano --bits 4": [
        holds("out/nano-4m-gptq-4bit", "config.json", "bitbudget.json"),
        says(r"block +q +k"), says(r"tensors +\S+ MiB -> "), says(r"peak \d")],
    "bin/generate --model out/nano-4m-gptq-4bit": [
        says(r"thinking"), says(r"boxed\{397\}"), says(r"tokens/s")],
    "bin/generate --model nano --think-budget 200 --force --samples 8 --vote": [
        says(r"the vote: 397"), says(r"KV cache +\S+ MiB at most, \S+ MiB at the end \(bf16:0,int4")],
    "bin/evaluate --model nano-0.5m --bench nano-math --limit 100": [
        says(r"accuracy +\d\d\.\d ± \d\.\d %"), says(r"journal: runs/nano-math-nano-0\.5m-")],
    "bin/evaluate table": [says(r"accuracy +\d\d\.\d ± \d\.\d %")],
    "curl -s http://127.0.0.1:8080/v1/chat/completions": [
        says(r'"reasoning_content":"\w'), says(r'"content":"[^"]*boxed\{24\}'), says(r'"completion_tokens":\d')],
    "bin/plan --memory 8GiB --task math": [
        falls, says(r"derived from"), says(r"left for the system"), says(r"quantize --model")],
    "bin/plan --fits": [says(r"fits into 16\.00 GiB")],
}


def fences(text):
    """(info, body) of every fence, in order."""
    return re.findall(r"^```([^\n]*)\n(.*?)^```$", text, re.M | re.S)


def commands(body):
    return [line.strip() for line in body.replace("\\\n", " ").split("\n") if line.strip()]


def plain(line):
    """A line without what differs from run to run."""
    line = re.sub(r"loaded in [0-9.]+ s", "loaded in TIME", line)
    return re.sub(r"\s+", " ", line).strip()


def effects(command):
    fitting = [start for start in EFFECTS if command.startswith(start)]
    return EFFECTS[max(fitting, key=len)] if fitting else None


def server(command, where):
    """A server that listens; none for one that ended before."""
    started = subprocess.Popen(["bash", "-c", "exec " + command.removesuffix("&")], cwd=where, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    for line in started.stderr:
        if "http://" in line:
            return started
    started.wait()
    return None


def problems(text, where):
    servers = []
    try:
        yield from typed(text, where, servers)
    finally:
        for started in servers:
            started.terminate()
            started.wait(timeout=LIMIT_SECONDS)
    if any(started.returncode != 128 + signal.SIGTERM for started in servers):
        yield "a server did not end as asked"


def typed(text, where, servers):
    output = ""
    for info, body in fences(text):
        if info == "text":
            printed = {plain(line) for line in output.split("\n")}
            for line in commands(body):
                if plain(line) not in printed:
                    yield f"shown, but not printed: {line}"
        if info != "sh":
            continue
        output = ""
        for command in commands(body):
            if command.endswith("&"):
                if started := server(command, where):
                    servers.append(started)
                else:
                    yield f"does not listen: {command}"
                continue
            try:
                done = subprocess.run(["bash", "-c", command], cwd=where, capture_output=True,
                                      stdin=subprocess.DEVNULL, text=True, timeout=LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                yield f"takes more than {LIMIT_SECONDS} s: {command}"
                continue
            said = done.stdout + "\n" + done.stderr
            output += said
            if done.returncode != 0:
                yield f"exit code {done.returncode}: {command}\n{said[-600:]}"
                continue
            checks = effects(re.sub(r"\s+", " ", command))
            if checks is None:
                yield f"nothing is said in typed.py of what it does: {command}"
                continue
            for number, check in enumerate(checks):
                if not check(where, said):
                    yield f"effect {number + 1} does not show: {command}\n{said[-600:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=ROOT / "README.md")
    file = parser.parse_args().file
    with tempfile.TemporaryDirectory() as folder:
        where = Path(folder)
        for name in ["bin", "docs", "studies", "Tools"]:
            (where / name).symlink_to(ROOT / name)
        found = list(problems(file.read_text(), where))
    for problem in found:
        print(f"{file.name}: {problem}")
    if found:
        sys.exit(1)
    print(f"{file.name}: every command does what is said of it")


if __name__ == "__main__":
    main()
