"""Runs commands whose output lies on disks that are too small, and checks that each ends with an error that names the file
and the cause, that what was complete stays as it was, and that the same command on a larger disk gives the bytes of an
undisturbed run, but for times.

    python3 Tools/faults/full.py                     # from the root of the checkout, after `make build`
    python3 Tools/faults/full.py --runs study pull

A disk is a tmpfs of a mount namespace of this program's own, of 0/8, 1/8 ... 7/8 of the bytes that an undisturbed run
takes, in pages. What looks for room beforehand is given enough of it, which somebody else takes as soon as so much is written.
Needs `unshare` of util-linux, and the right to mount; Python's standard library only.
"""

import argparse
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "bin"
MODEL = "nano-0.15m"
LARGER = "nano-1.5m"
# What an error says of its cause; where room is looked for beforehand, how much is wanted and how much is there.
CAUSE = re.compile(
    r"No space left on device|needs [0-9.]+ [KMG]iB of disk, \S+ has [0-9.]+ ([KMG]iB|bytes) free"
    r"|[0-9]+ bytes are to be written, [0-9]+ are free")
SECONDS = 300
# What differs between two undisturbed runs: times, memory, and what a study finds in its times.
VOLATILE = re.compile(r"(?i)seconds?$|^peak|^cost$|^created|^findings$|^time")
STUDY = """name: small
title: A small study
tasks: {nano-math: math}
weights: {method: rtn, group-size: 64}
limit: 4
temperature: 0.6
grids:
  - benchmarks: [nano-math]
    models: [nano-0.15m]
    bits: [16, 4]
    kv: [bf16]
    budgets: [16, 32]
    samples: [1, 2]
"""


def ours(name, *words):
    return [str(BIN / name), *map(str, words)]


class Run:
    """A command that is run on the disk, for which `{}` stands. `printed`: its standard output goes to this file of the disk. `kept`: made by
    a run before, and has to stay. `late`: room is taken while it writes. `exact`: whether two runs give the same bytes."""

    def __init__(self, command, printed=None, kept=None, late=False, exact=True, environment=None):
        self.command, self.printed, self.kept, self.late, self.exact = command, printed, kept, late, exact
        self.environment = environment or {}

    def words(self, disk):
        return [word.replace("{}", str(disk)) for word in self.command]

    def start(self, disk):
        environment = {**os.environ, **{name: text.replace("{}", str(disk)) for name, text in self.environment.items()}}
        output = subprocess.DEVNULL
        if self.printed:
            try:
                output = open(disk / self.printed, "wb")
            except OSError:
                return None
        result = subprocess.run(
            self.words(disk), stdout=output, stderr=subprocess.PIPE, env=environment, cwd=disk, timeout=SECONDS)
        if self.printed:
            output.close()
        return result.returncode, result.stderr.decode(errors="replace")


def runs(hub, study):
    problems = ["--bench", "nano-math", "--limit", "10", "--samples", "4", "--max-tokens", "64", "--threads", "1"]
    return {
        "quantize": Run(ours("quantize", "--model", MODEL, "--bits", 4, "--output", "{}/q", "--threads", 1)),
        "quantize-again": Run(
            ours("quantize", "--model", LARGER, "--bits", 3, "--output", "{}/q", "--force", "--threads", 1),
            kept=ours("quantize", "--model", LARGER, "--bits", 8, "--method", "rtn", "--output", "{}/q"), late=True),
        "gguf-late": Run(ours("quantize", "--model", LARGER, "--bits", 8, "--method", "rtn", "--format", "gguf", "--output",
                              "{}/q.gguf"), late=True),
        "gguf": Run(ours("quantize", "--model", MODEL, "--bits", 8, "--method", "rtn", "--format", "gguf", "--output",
                         "{}/q.gguf")),
        "evaluate": Run(ours("evaluate", "--model", MODEL, *problems, "--journal", "{}/run.jsonl")),
        "study": Run(ours("study", "run", study, "--folder", "{}/study")),
        "tune": Run(ours("tune", "--model", MODEL, "--bench", "nano-math", "--texts", 2, "--candidates", 1, "--evict",
                         "none", "--max-tokens", 48, "--limit", 48)),
        "pull": Run(ours("bitbudget", "pull", "org/nano"), environment={"HF_ENDPOINT": hub, "HF_HUB_CACHE": "{}/hub"}),
        "pull-late": Run(ours("bitbudget", "pull", "org/nano"), late=True,
                         environment={"HF_ENDPOINT": hub, "HF_HUB_CACHE": "{}/hub"}),
        "logits": Run(ours("generate", "--model", MODEL, "--ids", ",".join(map(str, range(1, 60))), "--logits",
                           "{}/logits.npy")),
        "generate": Run(ours("generate", "--model", MODEL, "--prompt", "2 + 3", "--seed", 1, "--max-tokens", 64, "--json"),
                        printed="reply.json"),
        "table": Run(ours("evaluate", "list"), printed="list.txt"),
        "load": Run(ours("load", "--model", MODEL, "--scale", 0.02, "--requests", 2, "--output", "{}/load.json",
                         "--svg", "{}/load.svg"), exact=False),
    }


def steady(value):
    """A JSON value without what differs between two runs."""
    if isinstance(value, dict):
        return {key: steady(part) for key, part in value.items() if not VOLATILE.search(key)}
    return [steady(part) for part in value] if isinstance(value, list) else value


def contents(disk):
    """What lies on a disk: of JSON what does not change from run to run, of tables and drawings that they are there."""
    found = {}
    for path in sorted(disk.rglob("*")):
        name = str(path.relative_to(disk))
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            data = path.read_bytes()
            if path.suffix in (".json", ".jsonl"):
                data = [steady(json.loads(line)) for line in (data.splitlines() if path.suffix == ".jsonl" else [data])]
            elif path.suffix in (".md", ".svg", ".csv", ".lock", ".log"):
                data = "there"
            found[name] = data
    return found


def difference(first, second):
    """Where two values differ first; nothing where they are equal."""
    if first == second:
        return ""
    if isinstance(first, dict) and isinstance(second, dict):
        return next(f"/{key}{found}" for key in sorted({*first, *second})
                    if (found := difference(first.get(key), second.get(key))))
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return next(f"/{place}{found}" for place, pair in enumerate(zip(first, second)) if (found := difference(*pair)))
    return f": {str(first)[:80]!r}, then {str(second)[:80]!r}"


def mount(disk, size):
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "disk", disk], check=True)


def fill(file):
    """Takes what room is left."""
    with open(file, "wb", buffering=0) as filler:
        try:
            while True:
                filler.write(bytes(4096))
        except OSError:
            pass


def fill_after(file, size):
    """Takes what room is left as soon as so much more is taken, or after a minute."""
    least, end = shutil.disk_usage(file.parent).used + size, time.monotonic() + 60
    while shutil.disk_usage(file.parent).used <= least and time.monotonic() < end:
        time.sleep(0.0002)
    fill(file)


def unmount(disk):
    subprocess.run(["umount", "-l", disk], check=True)


def check(name, run, disk, steps):
    """Runs a command on disks of growing size; returns what was wrong."""

    def prepare():
        if run.kept:
            subprocess.run([word.replace("{}", str(disk)) for word in run.kept], check=True, capture_output=True)

    mount(disk, 1 << 30)
    prepare()
    before = contents(disk)
    code, messages = run.start(disk)
    if code:
        unmount(disk)
        print(f"{name}: undisturbed: exit {code}: {messages[-600:]}", flush=True)
        return [name]
    whole = contents(disk)
    usage = shutil.disk_usage(disk).used
    unmount(disk)
    wrong, refused = [], 0
    for step in range(steps):
        size = max(4096, usage * step // steps // 4096 * 4096)
        mount(disk, size if not run.late else 5 * usage + (32 << 20))
        prepare()
        filler = disk / "filler"
        if run.late:
            taker = threading.Thread(target=fill_after, args=(filler, size))
            taker.start()
        elif step == 0:
            fill(filler)
        result = run.start(disk)
        if run.late:
            taker.join()
        filler.unlink(missing_ok=True)
        place = f"{name}, {size} of {usage} bytes"
        if result and result[0]:
            code, messages = result
            refused += 1
            last = messages.strip().splitlines()[-1:] or ["nothing"]
            if code != 1 or not CAUSE.search(messages) or not (str(disk) in messages or "standard output" in messages):
                wrong.append(f"{place}: exit {code}: {messages[-400:]}")
            elif step in (0, steps // 2):
                print(f"    {place}: {last[0][:170]}", flush=True)
            if run.kept and not before.items() <= contents(disk).items():
                wrong.append(f"{place}: what was complete is not what it was")
        subprocess.run(["mount", "-o", "remount,size=1g", disk], check=True)
        # What is complete is not made again.
        again = result if result and not result[0] else run.start(disk)
        if again[0]:
            wrong.append(f"{place}: again, with room: exit {again[0]}: {again[1][-400:]}")
        elif run.exact and contents(disk) != whole:
            other = contents(disk)
            for file in sorted({*other, *whole}):
                if found := difference(whole.get(file), other.get(file)):
                    wrong.append(f"{place}: again, with room: {file}{found}")
        unmount(disk)
    print("\n".join([f"{name}: {steps} disks, {refused} too small, {len(wrong)} findings", *wrong]), flush=True)
    return wrong


def check_server(disk):
    """A server whose messages go to a full disk answers nevertheless."""
    mount(disk, 8192)
    (disk / "log").touch()
    fill(disk / "filler")
    with open(disk / "log", "wb") as log:
        port = 18000 + os.getpid() % 10000
        server = subprocess.Popen(ours("serve", "--model", MODEL, "--port", port), stdout=log, stderr=log)
    try:
        body = json.dumps({"messages": [{"role": "user", "content": "2 + 3"}], "max_tokens": 4}).encode()
        for _ in range(200):
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/chat/completions", body, timeout=20) as reply:
                    json.load(reply)
                print("serve: answers while its messages have no room", flush=True)
                return []
            except OSError:
                time.sleep(0.1)
        return [f"serve: no answer; exit {server.poll()}"]
    finally:
        server.kill()
        server.wait()
        unmount(disk)


def apart():
    """Begins again in a mount namespace of its own."""
    if "DISKS_ARE_APART" not in os.environ:
        user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        words = ["unshare", *user, "--mount", sys.executable, *sys.argv]
        os.execvpe("unshare", words, {**os.environ, "DISKS_ARE_APART": "1"})


def main():
    names = [*runs("", ""), "serve"]
    parser = argparse.ArgumentParser(description="disks that are too small")
    parser.add_argument("--runs", nargs="+", choices=names, default=names)
    parser.add_argument("--steps", type=int, default=8)
    arguments = parser.parse_args()
    apart()
    wrong = []
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        folder = pathlib.Path(folder)
        disk, study = folder / "disk", folder / "study.yaml"
        disk.mkdir()
        study.write_text(STUDY)
        model = ROOT / "Packages/NanoModels/Sources/NanoModels/Resources" / MODEL
        shutil.copytree(model, folder / "hub/org/nano")
        hub = subprocess.Popen(
            [sys.executable, ROOT / "Tools/hub/stub_hub.py", "--fault", "slow:1000000", "--large", "100000", folder / "hub"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            every = runs(hub.stdout.readline().split()[-1], study)
            threading.Thread(target=hub.stdout.read, daemon=True).start()
            for name in arguments.runs:
                wrong += check_server(disk) if name == "serve" else check(name, every[name], disk, arguments.steps)
        finally:
            hub.kill()
            hub.wait()
    print(f"{len(wrong)} findings")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
