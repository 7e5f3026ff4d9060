"""Mutates every kind of file that the commands read, and every request that the server takes, and looks at what becomes of
it: nothing may crash, hang, take much memory or fail without a word.

    python3 Tools/faults/fuzz.py --minutes 20            # from the root of the checkout, after `make build`
    python3 Tools/faults/fuzz.py --again                 # what was found before, once more

A run of a command is good when it ends by itself within 20 seconds and 2 GiB, with exit code 0, 1 or 2, and with a message
where the code is not 0. A server has to answer within 20 seconds, never with a status of 500 or more, but for 503 with a
message, and goes on. Inputs that do worse are kept below `.build/fuzz/findings`. Standard library only.
"""

import argparse
import concurrent.futures
import http.client
import json
import os
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

import corpus
from common import MODEL, ROOT, ours
from mutations import mutated

LIMIT_SECONDS = 20
# Address space of a run, and what it may use of it: what a lying header asks for is refused, not taken.
LIMIT_BYTES = 8 << 30
LIMIT_RESIDENT = 2 << 30
FINDINGS = ROOT / ".build/fuzz/findings"


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def has_crashed(messages):
    return any(word in messages for word in ("Fatal error", "Crash", "Sanitizer", "runtime error:"))


class Files:
    """Inputs that are files: one of them is mutated, and a command is run on it."""

    def __init__(self, target):
        self.target, self.name = target, target.name

    def made(self, chance):
        """A file's name, and its mutated bytes."""
        file = chance.choice(self.target.files)
        return file, mutated(file, (self.target.folder / file).read_bytes(), chance)

    def fault(self, file, data):
        """What is wrong with how the command ends, or nothing, and what it said."""
        with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
            folder = pathlib.Path(place) / "input"
            shutil.copytree(self.target.folder, folder)
            (folder / file).write_bytes(data)
            words = [word.replace("{}", str(folder)) for word in self.target.arguments]
            more = {name: text.replace("{}", str(folder)) for name, text in self.target.environment.items()}
            with open(pathlib.Path(place) / "messages", "w+b") as messages:
                process = subprocess.Popen(words, cwd=place, env={**os.environ, **more}, stdin=subprocess.DEVNULL,
                                           stdout=subprocess.DEVNULL, stderr=messages, preexec_fn=limit)
                end, status, usage = time.monotonic() + LIMIT_SECONDS, None, None
                while time.monotonic() < end:
                    ended, status, usage = os.wait4(process.pid, os.WNOHANG)
                    if ended:
                        break
                    time.sleep(0.003)
                else:
                    process.kill()
                    os.wait4(process.pid, 0)
                    status = None
                process.returncode = 0 if status is None else os.waitstatus_to_exitcode(status)
                messages.seek(0)
                text = messages.read().decode(errors="replace")
            left = [str(path.relative_to(place)) for path in folder.rglob("*.partial")]
        return self.judged(status, process.returncode, usage, text, left), text

    @staticmethod
    def judged(status, code, usage, text, left):
        if status is None:
            return f"did not end within {LIMIT_SECONDS} s"
        if code not in (0, 1, 2):
            return f"ended with {code}"
        if has_crashed(text):
            return "crashed"
        if code != 0 and not text.strip():
            return "failed without a message"
        if usage.ru_maxrss << 10 > LIMIT_RESIDENT:
            return f"took {usage.ru_maxrss >> 10} MiB"
        return f"left {left}" if left else None

    def end(self):
        pass


class Requests:
    """Inputs that are bodies of requests to one server."""

    name = "requests"

    def __init__(self):
        self.server = self.port = None
        self.log = tempfile.TemporaryFile()

    def start(self):
        self.log.seek(0)
        self.log.truncate()
        self.server = subprocess.Popen(ours("serve", "--model", MODEL, "--port", 0, "--threads", 1),
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.log)
        while "http://" not in self.said():
            if self.server.poll() is not None:
                raise SystemExit(f"the server does not start: {self.said()}")
            time.sleep(0.01)
        self.port = int(self.said().split("http://")[1].split()[0].rsplit(":", 1)[1])

    def said(self):
        # The server shares the position of this file.
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), size, 0).decode(errors="replace")

    def made(self, chance):
        path, body = chance.choice(corpus.REQUESTS)
        return path, mutated("x.json", json.dumps(body).encode(), chance)

    def ask(self, method, path, body=None):
        client = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_SECONDS)
        try:
            client.request(method, path, body, {"Content-Type": "application/json"})
            answer = client.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            client.close()

    def fault(self, path, data):
        if self.server is None or self.server.poll() is not None:
            self.start()
        wrong = None
        try:
            status, text = self.ask("POST", path, data)
            if status >= 500 and status != 503 or status != 200 and "error" not in text:
                wrong = f"answered {status}: {text[:300]}"
            self.ask("GET", "/health")
        except (OSError, http.client.HTTPException) as error:
            wrong = f"no answer: {error!r}"
        if self.server.poll() is not None:
            wrong = f"the server ended with {self.server.returncode}"
        elif wrong:
            self.end()
        return wrong, self.said()

    def end(self):
        if self.server:
            self.server.kill()
            self.server.wait()
            self.server = None


def keep(kind, seed, file, data, wrong, messages):
    folder = FINDINGS / f"{kind.name.replace(' ', '-')}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "input").write_bytes(data)
    (folder / "finding.json").write_text(json.dumps(
        {"kind": kind.name, "file": file, "wrong": wrong, "messages": messages[-4000:]}, indent=2))


def again(kinds):
    """What was found before, once more."""
    wrong = 0
    for folder in sorted(FINDINGS.glob("*/")):
        finding = json.loads((folder / "finding.json").read_text())
        kind = next(kind for kind in kinds if kind.name == finding["kind"])
        result, messages = kind.fault(finding["file"], (folder / "input").read_bytes())
        wrong += result is not None
        print(f"{folder.name}: {result or 'good'}: {messages.strip()[-200:]}", flush=True)
    sys.exit(wrong > 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="kinds of inputs, separated by commas")
    parser.add_argument("--again", action="store_true", help="run what was found before instead")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as place:
        targets = corpus.models(pathlib.Path(place)) + corpus.single_files(pathlib.Path(place))
        names = [target.name for target in targets] + [Requests.name]
        chosen = arguments.only.split(",") if arguments.only else names
        if unknown := set(chosen) - set(names):
            parser.error(f"--only: no {unknown}; there are {names}")

        def kinds():
            return [Files(target) for target in targets if target.name in chosen] + (
                [Requests()] if Requests.name in chosen else [])

        if arguments.again:
            return again(kinds())
        deadline = time.monotonic() + 60 * arguments.minutes
        counts, wrong, slowest = {name: 0 for name in chosen}, [], (0, "", 0)
        lock = threading.Lock()

        def work(job):
            nonlocal slowest
            number, own = job, kinds()
            while time.monotonic() < deadline:
                kind = own[number // arguments.jobs % len(own)]
                seed = arguments.seed * 1_000_000 + number
                number += arguments.jobs
                file, data = kind.made(random.Random(seed))
                started = time.monotonic()
                result, messages = kind.fault(file, data)
                with lock:
                    counts[kind.name] += 1
                    slowest = max(slowest, (time.monotonic() - started, kind.name, seed))
                    if result:
                        wrong.append(seed)
                        keep(kind, seed, file, data, result, messages)
                        print(f"{kind.name}, seed {seed}: {result}", flush=True)
            for kind in own:
                kind.end()

        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for future in [pool.submit(work, job) for job in range(arguments.jobs)]:
                future.result()
        print(", ".join(f"{name} {count}" for name, count in counts.items()))
        print(f"{sum(counts.values())} inputs of {len(counts)} kinds, {len(wrong)} findings; "
              f"slowest {slowest[0]:.1f} s ({slowest[1]}, seed {slowest[2]})")
        if wrong:
            sys.exit(f"findings are in {FINDINGS}")


if __name__ == "__main__":
    main()
