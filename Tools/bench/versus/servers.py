"""Our server beside llama.cpp's (llama-server), in turns, with the same random weights: 1, 4 and 16 clients that stream.

    python3 Tools/bench/versus/servers.py            # from the root of the checkout, after `make build`
    ... servers.py --clients 4 --turns 3 --tokens 16 --llama-server build/bin/llama-server --python VENV/bin/python
    ... servers.py --prepare                         # builds llama-server, writes the file of the model, measures nothing

The first start builds llama-server from the sources that llama-cpp-python ships, for this processor, and writes the GGUF file as
versus.py does; both take minutes. Both servers read the same file, have the same threads, and stay loaded. In a turn each of them
in turn streams texts to so many clients, which ask at once. Every prompt is new, so that neither keeps any of it; sampling is the
same. All tokens count, from the first request to the last token. The Markdown table has medians of the turns; ratios are of one
turn. A machine that does other work slows threads that wait for each other by spinning many times: measure on an idle one.
"""

import argparse
import contextlib
import datetime
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tarfile
import time
import urllib.error
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
sys.path += [str(HERE.parent), str(ROOT / "Tools/serve")]
import performance  # noqa: E402
from peers import LlamaCpp, environment  # noqa: E402
from processes import Failed  # noqa: E402
from shapes import SHAPES  # noqa: E402
from streams import streams  # noqa: E402

SAMPLING = {"temperature": 1, "top_k": 40, "top_p": 0.95, "min_p": 0.05, "ignore_eos": True}
FIRST = 60  # seconds that a server may take to load
COLUMNS = {
    "case": "{case}", "ours, tokens/s": "{ours:.1f}", "llama-server": "{peer:.1f}",
    "times": "{ratio:.2f} ({low:.2f} to {high:.2f})",
    "first token, beside theirs": "{first:.2f} s, {peer_first:.2f} s", "between tokens": "{gap:.0f} ms, {peer_gap:.0f} ms",
}
ABOUT = ("Random weights, the same GGUF file, clients that stream and ask at once, in turns with both servers loaded; every prompt is "
         "new. All tokens over the time from the first request to the last token, medians of the turns, the ratio's with its range; "
         "seconds to a client's first token and between tokens are medians, ours first.")


def llama_server(options):
    """llama.cpp's own server, built here when it is not there yet."""
    program = options.work / "llama-server/build/bin/llama-server"
    if program.exists():
        return program
    print(f"building {program}; this takes minutes", file=sys.stderr)
    python = environment(options.work / "venv-cmake", ["cmake"])
    folder = options.work / "llama-server"
    run = lambda *command: subprocess.run([str(part) for part in command], check=True, stdout=sys.stderr)  # noqa: E731
    try:
        run(python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:", "--dest", folder, "llama-cpp-python")
        with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
            archive.extractall(folder, filter="data")
        source = next(folder.glob("llama_cpp_python-*/vendor/llama.cpp"))
        off = ["BUILD_TESTS", "BUILD_EXAMPLES", "BUILD_APP", "OPENSSL", "USE_PREBUILT_UI"]
        cmake = python.with_name("cmake")
        run(cmake, "-S", source, "-B", folder / "build", "-DCMAKE_BUILD_TYPE=Release", "-DGGML_NATIVE=ON",
            *(f"-DLLAMA_{name}=OFF" for name in off))
        run(cmake, "--build", folder / "build", "--target", "llama-server", "--parallel", os.cpu_count())
    except (subprocess.CalledProcessError, StopIteration, OSError) as error:
        raise Failed(f"llama-server could not be built in {folder}: {error}") from None
    return program


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


@contextlib.contextmanager
def serving(command):
    """The completions of a server, which is told its port by --port, once it takes requests."""
    port = free_port()
    process = subprocess.Popen([*map(str, command), "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        url, end = f"http://127.0.0.1:{port}", time.monotonic() + FIRST
        while True:
            try:
                urllib.request.urlopen(url + "/health", timeout=5).close()
                break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > end:
                    raise Failed(f"{command[0]} does not serve") from None
                time.sleep(0.2)
        yield url + "/v1/completions"
    finally:
        process.terminate()
        process.wait(timeout=FIRST)


def measured(url, count, number, options):
    """Tokens a second of all clients together, seconds to a client's first token, and seconds between tokens (medians)."""
    chance = random.Random(number)
    bodies = [SAMPLING | {"prompt": [chance.randrange(1000) for _ in range(options.prompt)], "max_tokens": options.tokens,
                          "seed": number + index} for index in range(count)]
    clients = streams(url, bodies)
    for client in clients:
        if len(client.times) < 0.95 * options.tokens:  # a token may have no text of its own
            raise Failed(f"{url}: a text of {options.tokens} tokens came in {len(client.times)} parts")
    seconds = max(client.times[-1] for client in clients) - min(client.began for client in clients)
    gaps = [later - earlier for client in clients for earlier, later in zip(client.times, client.times[1:])]
    return (count * options.tokens / seconds, statistics.median(client.times[0] - client.began for client in clients),
            statistics.median(gaps))


def turns(servers, options):
    """Of each number of clients the turns, and in each what was measured of every server."""
    found = {count: [] for count in options.clients}
    for turn in range(options.turns + 1):
        for count in options.clients:
            order = list(servers) if turn % 2 else list(reversed(servers))
            figures = {name: measured(servers[name], count, 1000 * turn + count, options) for name in order}
            if turn:  # the first one warms up
                found[count].append(figures)
        print(".", end="", file=sys.stderr, flush=True)
    return found


def rows(found, options):
    """Lines of the table."""
    for count, figures in found.items():
        ours, peer = (list(zip(*(figure[name] for figure in figures))) for name in ("ours", "peer"))
        ratios = sorted(one / other for one, other in zip(ours[0], peer[0]))
        clients = "1 client" if count == 1 else f"{count} clients"
        yield {
            "case": f"{options.shape}, {clients}, prompts of {options.prompt}, {options.tokens} tokens each",
            "ours": statistics.median(ours[0]), "peer": statistics.median(peer[0]),
            "ratio": statistics.median(ratios), "low": ratios[0], "high": ratios[-1],
            "first": statistics.median(ours[1]), "peer_first": statistics.median(peer[1]),
            "gap": 1e3 * statistics.median(ours[2]), "peer_gap": 1e3 * statistics.median(peer[2]),
        }


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=[name for name, shape in SHAPES.items() if shape.is_dense], default="0.6b")
    parser.add_argument("--kind", choices=["q8_0", "q4_0", "bf16"], default="q8_0", help="type of the file that both read")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--prompt", type=int, default=128, help="tokens of each prompt")
    parser.add_argument("--tokens", type=int, default=64, help="tokens of each text")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--python", type=Path, help="a Python that has llama-cpp-python, gguf and numpy already")
    parser.add_argument("--llama-server", type=Path, help="one that is built already")
    parser.add_argument("--prepare", action="store_true", help="only make what measuring needs")
    parser.add_argument("--work", type=Path, default=Path("runs/versus"))
    parser.add_argument("--results", type=Path, help="a table of Tools/bench/results to put the figures into, or to make")
    options = parser.parse_args()
    options.layers = None
    return options


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":")[1].strip()
    return "an unknown processor"


def main():
    options = parsed()
    options.work.mkdir(parents=True, exist_ok=True)
    theirs = (options.llama_server or llama_server(options)).resolve()
    file = LlamaCpp.installed(options).file(options.kind)
    if options.prepare:
        print(theirs, file, sep="\n")
        return
    most = max(options.clients)
    room = most * (options.prompt + options.tokens + 64)
    commands = {
        "ours": [ROOT / "bin/serve", "--model", file, "--threads", options.threads, "--concurrency", most],
        "peer": [theirs, "--model", file, "--threads", options.threads, "--parallel", most, "--ctx-size", room, "--cache-ram", 0,
                 "--no-ui"],
    }
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
    version = subprocess.run([theirs, "--version"], capture_output=True, text=True)
    print(f"{options.shape} shapes, random weights, {options.kind}, {options.threads} threads of {processor()}, commit {commit}, "
          f"llama-server {(version.stderr + version.stdout).strip().splitlines()[0]}; medians of {options.turns} turns\n", flush=True)
    with serving(commands["ours"]) as ours, serving(commands["peer"]) as peer:
        found = turns({"ours": ours, "peer": peer}, options)
    print("| " + " | ".join(COLUMNS) + " |\n|" + "---|" * len(COLUMNS))
    table = [{key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()}
             for row in rows(found, options)]
    for row in table:
        print("| " + " | ".join(performance.cell(pattern, row) for pattern in COLUMNS.values()) + " |")
    if options.results:
        if not options.results.exists():
            head = {"title": "Our server beside llama.cpp's", "machine": f"{options.threads} threads of {processor()}",
                    "command": "`python3 Tools/bench/versus/servers.py`", "about": ABOUT, "columns": COLUMNS, "rows": []}
            options.results.write_text(json.dumps(head), encoding="utf-8")
        performance.store(options.results, table, commit=commit, date=datetime.date.today().isoformat())


if __name__ == "__main__":
    try:
        main()
    except Failed as error:
        raise SystemExit(str(error)) from None
