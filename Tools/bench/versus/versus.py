"""Our engine beside llama.cpp, in turns, on the same shapes with random weights.

    python3 Tools/bench/versus/versus.py            # from the root of the checkout
    ... versus.py --shape 1.7b --threads 1 --cases "16 sequences" --turns 3
    ... versus.py --shape 30b-a3b --layers 4 --python VENV/bin/python      # one that has llama-cpp-python already
    ... versus.py --shape qwen3.5-4b --layers 8 --prepare                  # writes the GGUF files and measures nothing
    ... versus.py --schemes                                                # 8- and 4-bit activations

The first start makes a virtual environment in --work, lets pip build llama-cpp-python natively (some minutes), and writes the
GGUF files. For each setting all engines load their weights and fill their caches; then they take turns, a second or two each,
beside readings of what arithmetic and memory of this machine would allow. So a busy neighbour meets all of them. Medians are
printed as a Markdown table, those of the ratio and of the share from figures of one turn.
"""

import argparse
import contextlib
import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import venv
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import performance  # noqa: E402
from shapes import SHAPES  # noqa: E402

LINE = ("| {case} | {ours:.1f} | {peer:.1f} ({format}) | {ratio:.2f} ({low:.2f} to {high:.2f}) | {limit:.0f} "
        "| {share} % |")
DEPTH = 4096
NAMES = {"bf16": "16 bits", "int8": "8 bits", "int4": "4 bits", "w8a8": "W8A8", "w8a8-fp": "FP8", "w4a4": "W4A4"}
PROMPT_FIELD, FIELD = "prompt_tokens_per_second", "tokens_per_second"


@dataclass(frozen=True)
class Setting:
    """What all engines do in a turn: ours with each of its caches, and the peer in each of its types."""

    ours: str  # the format of its weights
    peers: tuple[tuple[str, str], ...]  # GGUF type, type of its cache
    depth: int = 0
    batch: int = 1
    caches: tuple[str, ...] = ("bf16",)  # ours
    prompt: int = 512
    tokens: int = 32

    def rows(self):
        """(name, index of our cache, field) of each line of the table."""
        fields = [(f"{self.batch} sequences", FIELD)]
        if self.batch == 1:
            fields = [(f"prompt of {self.prompt}", PROMPT_FIELD), ("one sequence", FIELD)]
        for name, field in fields:
            for index, cache in enumerate(self.caches):
                depth = f" at depth {self.depth}" if self.depth else ""
                kept = f", {cache} cache" if len(self.caches) > 1 else ""
                yield f"{name}{depth}, {NAMES[self.ours]}{kept}", index, field


SETTINGS = [
    Setting("bf16", (("bf16", "f16"),)),
    Setting("int8", (("q8_0", "f16"), ("bf16", "f16"))),
    Setting("int4", (("q4_0", "f16"), ("bf16", "f16"))),
    Setting("int8", (("q8_0", "f16"), ("bf16", "f16")), depth=DEPTH, caches=("bf16", "int8")),
    Setting("int8", (("q8_0", "f16"),), depth=128, batch=16, prompt=1),
    Setting("int4", (("q4_0", "f16"),), depth=128, batch=16, prompt=1),
    Setting("int8", (("q8_0", "f16"),), depth=DEPTH, batch=16, caches=("bf16", "int8"), prompt=1, tokens=16),
]
# Formats whose activations are rounded too, beside those whose weights alone are.
SCHEMES = [
    Setting(ours, tuple((kind, "f16") for kind in kinds), **load)
    for load in ({}, {"depth": 128, "batch": 16, "prompt": 1})
    for ours, kinds in {
        "bf16": ["bf16"], "int8": ["q8_0"], "w8a8": ["q8_0"], "w8a8-fp": ["q8_0"], "int4": ["q4_0"], "w4a4": ["q4_0"],
    }.items()
]


def output_of(command):
    """The last line a program printed, as JSON."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def prepare(work, python):
    """The Python of a virtual environment that has llama.cpp, this one or one that is made, and the ceilings program."""
    if not python and not (work / "venv" / "complete").exists():
        print("building llama-cpp-python; this takes minutes", file=sys.stderr)
        venv.create(work / "venv", with_pip=True)
        environment = dict(os.environ, CMAKE_ARGS="-DGGML_NATIVE=ON")
        install = [work / "venv" / "bin" / "python", "-m", "pip", "install", "--quiet", "llama-cpp-python", "gguf", "numpy"]
        subprocess.run(install, check=True, env=environment)
        (work / "venv" / "complete").touch()
    ceilings = work / "ceilings"
    subprocess.run(["clang", "-O2", HERE / "ceilings.c", "-o", ceilings, "-lpthread"], check=True)
    return python or work / "venv" / "bin" / "python", ceilings


def gguf_file(python, kind, options):
    """The path of a random GGUF file of one type, made when it is not there yet."""
    cut = ["--layers", options.layers] if options.layers else []
    return output_of([python, HERE / "random_gguf.py", options.work, options.shape, kind, *cut])


class Engine:
    """A process that measures once for each line it is sent."""

    def __init__(self, command, lines=1):
        self.command, self.lines = [str(part) for part in command], lines

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()

    def measure(self):
        """What it printed, one object for each of its caches."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        lines = [self.process.stdout.readline() for _ in range(self.lines)]
        if not all(lines):
            raise SystemExit(f"{self.command[0]} ended before it had measured")
        return [json.loads(line) for line in lines]


def limit(setting, field, shape, reading, ceilings):
    """Tokens a second if nothing took time but the products, or but reading weights and cache once a step."""
    # See docs/numerics.md for what multiplies which cache.
    rates = ceilings | {"exact": ceilings["f32"]}
    # The ceilings are those of vectors: products by tiles (AMX) may pass them.
    numerics = reading["numerics"].removesuffix("-tiles")
    # What a scheme rounds activations to, whatever the numerics; without VNNI 8-bit codes are multiplied in 16 bits.
    schemes = {"w8a8": "int8" if ceilings["vnni"] else "int16", "w8a8-fp": "bf16", "w4a4": "int8"}
    products = "exact" if setting.ours == "bf16" and numerics == "int16" else numerics
    products = "bf16" if setting.ours == "bf16" and numerics == "int8" else products
    products = "exact" if setting.ours != "bf16" and numerics == "bf16" else products
    products = schemes.get(setting.ours, products)
    attention = "bf16" if numerics in ("int8", "bf16") else "exact"
    attention = attention if reading["kv"] == "bf16" else "int8" if numerics == "int8" else "int16"
    is_prompt = field == PROMPT_FIELD
    # Of the last layer a prompt needs the keys and values of all tokens, the rest of one.
    weights = shape.layer_products * (1 - 1 / shape.layers) if is_prompt else shape.layer_products + shape.head_products
    depth = setting.depth + (setting.prompt if is_prompt else setting.tokens) / 2
    seconds = (weights / rates[products] + shape.attention_products * depth / rates[attention]
               + shape.state_products / rates["exact"])
    arithmetic = 1e9 / seconds
    return arithmetic if is_prompt else min(arithmetic, reading[FIELD] / reading["share_of_memory_limit"])


def measure(setting, options, python, ceilings_program):
    """Lines of the table."""
    shape = SHAPES[options.shape].cut(options.layers)
    cut = ["--layers", options.layers] if options.layers else []
    flags = ["--threads", options.threads, "--depth", setting.depth, "--batch", setting.batch, "--prompt", setting.prompt,
             "--tokens", setting.tokens]
    ours = [options.engine, "--shape", options.shape, *cut, "--formats", setting.ours, *flags, "--kv", ",".join(setting.caches),
            "--on-request", *options.ours.split()]
    with contextlib.ExitStack() as running:
        engine = running.enter_context(Engine(ours, len(setting.caches)))
        peers = {}
        for kind, cache in setting.peers:
            file = gguf_file(python, kind, options)
            peers[kind.upper(), cache] = running.enter_context(Engine([python, HERE / "llamacpp_peer.py", file, "--kv", cache, *flags]))
        turns = []
        for turn in range(options.turns + 1):
            found = ({name: peer.measure()[0] for name, peer in peers.items()}, engine.measure(),
                     output_of([ceilings_program, options.threads]))
            if turn:  # the first one waited for who loaded longest
                turns.append(found)
            print(".", end="", file=sys.stderr, flush=True)
    for name, index, field in setting.rows():
        best = max(peers, key=lambda peer: statistics.median(theirs[peer][field] for theirs, _, _ in turns))
        mine = [mine[index][field] for _, mine, _ in turns]
        theirs = [theirs[best][field] for theirs, _, _ in turns]
        limits = [limit(setting, field, shape, mine[index], ceilings) for _, mine, ceilings in turns]
        ratios = sorted(mine / other for mine, other in zip(mine, theirs))
        share = statistics.median(mine / most for mine, most in zip(mine, limits))
        yield {"case": name, "ours": statistics.median(mine), "peer": statistics.median(theirs),
               "format": f"{best[0]}, {best[1].upper()} cache", "ratio": statistics.median(ratios), "low": ratios[0],
               "high": ratios[-1], "limit": statistics.median(limits), "share": round(100 * share)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=SHAPES, default="0.6b")
    parser.add_argument("--layers", type=int, help="where fewer than the shape has")
    parser.add_argument("--python", type=pathlib.Path, help="a Python that has llama-cpp-python, gguf and numpy already")
    parser.add_argument("--schemes", action="store_true", help="formats with rounded activations instead of the defaults")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--prepare", action="store_true", help="only make the files that measuring needs, which takes long")
    parser.add_argument("--cases", default="", help="only settings with a line of the table whose name contains this")
    parser.add_argument("--engine", default="bin/bench-engine", help="our measuring program")
    parser.add_argument("--ours", default="", help="further flags for it")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("runs/versus"))
    parser.add_argument("--results", type=pathlib.Path, help="a table of Tools/bench/results to put the figures into")
    options = parser.parse_args()

    settings = SCHEMES if options.schemes else SETTINGS
    options.work.mkdir(parents=True, exist_ok=True)
    python, ceilings_program = prepare(options.work, options.python)
    if options.prepare:
        for kind in sorted({kind for setting in settings for kind, _ in setting.peers}):
            print(gguf_file(python, kind, options), flush=True)
        return
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    layers = f" with {options.layers} layers" if options.layers else ""
    print(f"{options.shape} shapes{layers}, random weights, {options.threads} threads, commit {commit}; ours with "
          f"{options.ours or 'its defaults'}; medians of {options.turns} turns\n")
    print("| case | ours, tokens/s | llama.cpp, its best | ratio | limit | share of the limit |")
    print("|---|---|---|---|---|---|", flush=True)
    for setting in settings:
        if not any(options.cases in name for name, _, _ in setting.rows()):
            continue
        rows = []
        for row in measure(setting, options, python, ceilings_program):
            print(LINE.format_map(row), flush=True)
            rows.append({key: round(value, 2) if isinstance(value, float) else value for key, value in row.items()})
        if options.results:  # at once: the next setting may not be reached
            performance.store(options.results, rows, commit=commit, date=datetime.date.today().isoformat())


if __name__ == "__main__":
    main()
