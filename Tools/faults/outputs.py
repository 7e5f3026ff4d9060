"""Commands whose output lies in a folder, and what of that is the same in every run."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import threading

from common import MODEL, ROOT, ours

LARGER = "nano-1.5m"
SECONDS = 300
# What differs between two undisturbed runs: times, memory, and what a study finds in its times.
VOLATILE = re.compile(r"(?i)seconds?$|^peak|^cost$|^created|^findings$|^time")


class Run:
    """A command that is run on the disk, for which `{}` stands. `printed`: its standard output goes to this file of the disk. `kept`: made by
    a run before, and has to stay. `late`: room is taken while it writes. `exact`: whether two runs give the same bytes."""

    def __init__(self, command, printed=None, kept=None, late=False, exact=True, environment=None):
        self.command, self.printed, self.kept, self.late, self.exact = command, printed, kept, late, exact
        self.environment = environment or {}

    def words(self, disk):
        return [word.replace("{}", str(disk)) for word in self.command]

    def variables(self, disk):
        return {**os.environ, **{name: text.replace("{}", str(disk)) for name, text in self.environment.items()}}

    def start(self, disk):
        output = subprocess.DEVNULL
        if self.printed:
            try:
                output = open(disk / self.printed, "wb")
            except OSError:
                return None
        result = subprocess.run(
            self.words(disk), stdout=output, stderr=subprocess.PIPE, env=self.variables(disk), cwd=disk, timeout=SECONDS)
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


@contextlib.contextmanager
def hub(folder):
    """A hub that has our model as org/nano, and sends it slowly: its address."""
    shutil.copytree(ROOT / "Packages/NanoModels/Sources/NanoModels/Resources" / MODEL, folder / "org/nano")
    server = subprocess.Popen(
        [sys.executable, ROOT / "Tools/hub/stub_hub.py", "--fault", "slow:1000000", "--large", "100000", folder],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        address = server.stdout.readline().split()[-1]
        threading.Thread(target=server.stdout.read, daemon=True).start()
        yield address
    finally:
        server.kill()
        server.wait()
