#!/usr/bin/env python3
"""load.py URL: many clients at once against a running server, and what became of their texts.

    bin/serve --model nano-0.5m --port 8099 &
    python3 Tools/serve/load.py http://127.0.0.1:8099 --seconds 120 --generate nano-0.5m

Clients ask again and again: for long and short texts, streamed and whole; some go away in the middle, some read slowly,
some send what is wrong, and some name a KV policy of their own. Every text that is complete has to be the one that the same
request gave alone before, and with `--generate MODEL` the one that `bin/generate` prints. In the end nothing may be held but what
is kept for prompts to come, which is all that is reserved then; of a server with `--prefix-cache 0` that is nothing at all.
"""

import argparse
import json
import random
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

GENERATE = Path(__file__).resolve().parents[2] / "bin/generate"


def post(url, body, timeout=120):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as reply:
        return reply.read().decode()


def body(number):
    """The request of a number: lengths, budgets and places where they begin alike are mixed."""
    chance = random.Random(number)
    first, second = chance.randint(2, 60), chance.randint(2, 9)
    preface = "Read with care. " * chance.choice([0, 0, 4, 12])
    asked = {
        "messages": [{"role": "user", "content":
                      f"{preface}Start with {first}. Then (a) multiply by {second}. What is the result?"}],
        "seed": number, "max_tokens": chance.choice([8, 40, 120, 200]), "temperature": 1.0,
    }
    if chance.random() < 0.3:
        asked["thinking_token_budget"] = 24
        asked["max_tokens"] = 120
    if chance.random() < 0.2:
        asked["ignore_eos"] = "thinking_token_budget" not in asked
    if chance.random() < 0.4:
        asked["kv"] = chance.choice(["f32", "int8", "int4/int2", "tiered", "rkv:96,buffer=32", "h2o:64+int8"])
    return asked


def generated(model, number):
    """What `generate` makes of the request of a number: thought and answer."""
    asked = body(number)
    flags = ["--model", model, "--prompt", asked["messages"][0]["content"], "--seed", str(number), "--temperature", "1",
             "--max-tokens", str(asked["max_tokens"])]
    if "thinking_token_budget" in asked:
        flags += ["--think-budget", str(asked["thinking_token_budget"])]
    if asked.get("ignore_eos"):
        flags.append("--ignore-eos")
    if "kv" in asked:
        flags += ["--kv", asked["kv"]]
    printed = subprocess.run([GENERATE, *flags], capture_output=True, text=True, check=True).stdout
    parts = {"thinking": "", "answer": ""}
    kind = "answer"
    # A model may say something before it thinks.
    for index, part in enumerate(re.split(r"(?:^|\n)--- (thinking|answer) ---\n", printed.removesuffix("\n"))):
        if index % 2:
            kind = part
        else:
            parts[kind] += part
    return (parts["thinking"], parts["answer"])


def text(reply):
    message = reply["choices"][0]["message"]
    return (message.get("reasoning_content") or "", message["content"])


def streamed(lines):
    thought, answer = "", ""
    for line in lines:
        if line.startswith("data: {"):
            for choice in json.loads(line[6:])["choices"]:
                thought += choice["delta"].get("reasoning_content") or ""
                answer += choice["delta"].get("content") or ""
    return (thought, answer)


class Load:
    def __init__(self, url, numbers, model=None):
        self.url = url
        self.chat = url + "/v1/chat/completions"
        self.expected = {number: text(json.loads(post(self.chat, body(number)))) for number in numbers}
        self.faults = []
        for number in numbers if model else []:
            if (found := generated(model, number)) != self.expected[number]:
                self.faults.append((number, "generate", found, self.expected[number]))
        self.numbers = numbers
        self.counts = dict.fromkeys(["whole", "streamed", "gone", "slow", "wrong", "busy"], 0)
        self.times = []
        self.lock = threading.Lock()

    def count(self, kind, seconds=None):
        with self.lock:
            self.counts[kind] += 1
            if seconds is not None:
                self.times.append(seconds)

    def check(self, number, found):
        if found != self.expected[number]:
            with self.lock:
                self.faults.append((number, self.expected[number], found))

    def client(self, index, end):
        chance = random.Random(index)
        while time.monotonic() < end:
            number = chance.choice(self.numbers)
            kind = chance.choices(["whole", "streamed", "gone", "slow", "wrong"], [6, 6, 2, 1, 1])[0]
            began = time.monotonic()
            try:
                getattr(self, kind)(number, chance)
                self.count(kind, time.monotonic() - began if kind in ("whole", "streamed") else None)
            except urllib.error.HTTPError as error:
                if error.code == 429:
                    self.count("busy")
                    time.sleep(0.2)
                else:
                    self.faults.append((number, kind, f"{error.code} {error.read()[:200]}"))
            except Exception as error:  # noqa: BLE001  (a fault of any kind is what is looked for)
                self.faults.append((number, kind, repr(error)))

    def whole(self, number, _):
        self.check(number, text(json.loads(post(self.chat, body(number)))))

    def streamed(self, number, _):
        found = post(self.chat, body(number) | {"stream": True})
        self.check(number, streamed(found.splitlines()))

    def open(self, number):
        host, port = self.url.removeprefix("http://").split(":")
        connection = socket.create_connection((host, int(port)), timeout=120)
        data = json.dumps(body(number) | {"stream": True}).encode()
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
                           b"Content-Length: %d\r\n\r\n" % len(data) + data)
        return connection

    def gone(self, number, chance):
        with self.open(number) as connection:
            connection.recv(chance.choice([1, 400]))

    def slow(self, number, _):
        found = b""
        with self.open(number) as connection:
            while part := connection.recv(700):
                found += part
                time.sleep(0.02)
        self.check(number, streamed(found.decode().splitlines()))

    def wrong(self, number, chance):
        broken = chance.choice([b"{", b"\xff\xfe", json.dumps(body(number) | {"n": -1}).encode(),
                                json.dumps(body(number) | {"wat": 1}).encode(), b"[" * 5000])
        try:
            post(self.chat, broken)
            self.faults.append((number, "wrong", "was taken"))
        except urllib.error.HTTPError as error:
            if error.code != 400:
                self.faults.append((number, "wrong", error.code))


def metrics(url):
    with urllib.request.urlopen(url + "/metrics") as reply:
        lines = reply.read().decode().splitlines()
    return {line.split()[0]: float(line.split()[1]) for line in lines if not line.startswith("#")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--texts", type=int, default=60)
    parser.add_argument("--generate", metavar="MODEL", help="compare with what generate prints")
    given = parser.parse_args()
    load = Load(given.url, list(range(given.texts)), given.generate)
    before = metrics(given.url)
    end = time.monotonic() + given.seconds
    threads = [threading.Thread(target=load.client, args=(index, end)) for index in range(given.clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    deadline = time.monotonic() + 20
    while (now := metrics(given.url))["bitbudget_texts_running"] and time.monotonic() < deadline:
        time.sleep(0.1)
    print("requests", json.dumps(load.counts))
    tokens = now["bitbudget_generated_tokens_total"] - before["bitbudget_generated_tokens_total"]
    print(f"tokens/s {tokens / given.seconds:.0f}")
    load.times.sort()
    for share in (0.5, 0.95, 0.99):
        if load.times:
            print(f"p{100 * share:.0f} {load.times[int(share * (len(load.times) - 1))]:.3f} s")
    for name in ("texts_running", "texts_waiting", "kv_held_bytes", "kv_reserved_bytes", "texts_cancelled_total",
                 "prefix_hits_total", "failures_total"):
        print(name, int(now["bitbudget_" + name]))
    for fault in load.faults[:5]:
        print("FAULT", fault)
    print("faults", len(load.faults))
    is_left = now["bitbudget_texts_running"] or now["bitbudget_texts_waiting"]
    leaks = now["bitbudget_kv_held_bytes"] > now["bitbudget_kv_reserved_bytes"]
    sys.exit(1 if load.faults or is_left or leaks else 0)


if __name__ == "__main__":
    main()
