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

from common import MODEL, STUDY, ours
from outputs import contents, difference, hub, runs

# What an error says of its cause; where room is looked for beforehand, how much is wanted and how much is there.
CAUSE = re.compile(
    r"No space left on device|needs [0-9.]+ [KMG]iB of disk, \S+ has [0-9.]+ ([KMG]iB|bytes) free"
    r"|[0-9]+ bytes are to be written, [0-9]+ are free")


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
        with hub(folder / "hub") as address:
            every = runs(address, study)
            for name in arguments.runs:
                wrong += check_server(disk) if name == "serve" else check(name, every[name], disk, arguments.steps)
    print(f"{len(wrong)} findings")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
