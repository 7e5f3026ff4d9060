"""Our engine beside llama.cpp, interleaved, on the same shapes with random weights.

    python3 Tools/bench/versus-llamacpp/versus.py            # from the root of the checkout
    ... versus.py --shape 1.7b --threads 1 --cases "prompt 512" --rounds 3

The first start makes a virtual environment in --work, lets pip build llama-cpp-python natively (some minutes), and writes the
GGUF files. Every round runs each case once with each engine, one after the other, so that a busy neighbour meets
both; medians of the rounds are printed as a Markdown table, beside what memory and arithmetic of this machine would allow.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import venv
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
PROMPT, TOKENS, DEPTH = 512, 16, 4096
LAYER_WEIGHTS = {"0.6b": 440_401_920, "1.7b": 1_409_286_144}  # multiply-adds of a prompt's token, without head


@dataclass(frozen=True)
class Case:
    """One line of the table: ours against the best of the peer's types."""

    name: str
    ours: str  # the format of its weights
    peers: tuple[tuple[str, str], ...]  # GGUF type, type of its cache
    field: str = "tokens_per_second"
    depth: int = 0
    batch: int = 1
    cache: str = "bf16"  # ours


PROMPT_FIELD = "prompt_tokens_per_second"
CASES = [
    Case(f"prompt {PROMPT}, 16 bits", "bf16", (("bf16", "f16"),), PROMPT_FIELD),
    Case(f"prompt {PROMPT}, 8 bits", "int8", (("q8_0", "f16"), ("bf16", "f16")), PROMPT_FIELD),
    Case(f"prompt {PROMPT}, 4 bits", "int4", (("q4_0", "f16"), ("bf16", "f16")), PROMPT_FIELD),
    Case(f"prompt {PROMPT} at depth {DEPTH}, 8 bits", "int8", (("q8_0", "f16"), ("bf16", "f16")), PROMPT_FIELD, DEPTH),
    Case(f"prompt {PROMPT} at depth {DEPTH}, 8 bits, int8 cache", "int8", (("q8_0", "f16"), ("bf16", "f16")), PROMPT_FIELD, DEPTH,
         cache="int8"),
    Case("one sequence, 16 bits", "bf16", (("bf16", "f16"),)),
    Case("one sequence, 8 bits", "int8", (("q8_0", "f16"),)),
    Case("one sequence, 4 bits", "int4", (("q4_0", "f16"),)),
    Case(f"one sequence at depth {DEPTH}, 8 bits", "int8", (("q8_0", "f16"), ("q8_0", "q8_0")), depth=DEPTH),
    Case(f"one sequence at depth {DEPTH}, 8 bits, int8 cache", "int8", (("q8_0", "f16"), ("q8_0", "q8_0")), depth=DEPTH,
         cache="int8"),
    Case("16 sequences, 8 bits", "int8", (("q8_0", "f16"),), depth=128, batch=16),
    Case("16 sequences, 4 bits", "int4", (("q4_0", "f16"),), depth=128, batch=16),
]


def output_of(command):
    """The last line a program printed, as JSON."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def prepare(work):
    """The Python of a virtual environment that has llama.cpp, and the ceilings program."""
    python = work / "venv" / "bin" / "python"
    if not (work / "venv" / "complete").exists():
        print("building llama-cpp-python; this takes minutes", file=sys.stderr)
        venv.create(work / "venv", with_pip=True)
        environment = dict(os.environ, CMAKE_ARGS="-DGGML_NATIVE=ON")
        install = [python, "-m", "pip", "install", "--quiet", "llama-cpp-python", "gguf", "numpy"]
        subprocess.run(install, check=True, env=environment)
        (work / "venv" / "complete").touch()
    ceilings = work / "ceilings"
    subprocess.run(["clang", "-O2", HERE / "ceilings.c", "-o", ceilings, "-lpthread"], check=True)
    return python, ceilings


# llama.cpp rounds activations to 8 bits wherever weights are integers, to BF16 where they are BF16, and holds the head in the
# type of the file.
ROUNDED = ["--numerics", "int8", "--head-bits", "8"]
HALVES = ["--numerics", "bf16"]


def flags(case, threads):
    return ["--threads", threads, "--depth", case.depth, "--batch", case.batch, "--prompt",
            PROMPT if case.field == PROMPT_FIELD else 1, "--tokens", TOKENS, "--repetitions", 1]


def limit(case, shape, reading, ceilings):
    """Tokens a second if only reading memory once a step, or only the arithmetic of the numerics, took time."""
    if case.field == PROMPT_FIELD:
        return ceilings["bf16" if case.ours == "bf16" else "int8"] * 1e9 / LAYER_WEIGHTS[shape]
    return reading["tokens_per_second"] / reading["share_of_memory_limit"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--shape", choices=LAYER_WEIGHTS, default="0.6b")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cases", default="", help="only cases whose name contains this")
    parser.add_argument("--engine", default="bin/bench-engine", help="our measuring program")
    parser.add_argument("--ours", default="", help="further flags for it")
    parser.add_argument("--work", type=pathlib.Path, default=pathlib.Path("runs/versus-llamacpp"))
    options = parser.parse_args()

    options.work.mkdir(parents=True, exist_ok=True)
    python, ceilings_program = prepare(options.work)
    cases = [case for case in CASES if options.cases in case.name]
    ours = {case: [] for case in cases}
    peers = {}  # by what was asked of a peer, so that cases which ask the same share what they found
    ceilings = []
    for _ in range(options.rounds):
        ceilings.append(output_of([ceilings_program, options.threads]))
        for case in cases:
            shared = flags(case, options.threads)
            ours[case].append(output_of(
                [options.engine, "--shape", options.shape, "--formats", case.ours, *shared,
                 "--kv", case.cache,
                 *(HALVES if case.ours == "bf16" else ROUNDED), *options.ours.split()]))
            for kind, cache in case.peers:
                file = output_of([python, HERE / "random_gguf.py", options.work, options.shape, kind])
                found = output_of([python, HERE / "peer.py", file, "--kv", cache, *shared])[case.field]
                peers.setdefault((kind, cache, *shared), []).append(found)
            print(".", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)

    best_ceilings = {name: max(reading[name] for reading in ceilings) for name in ("f32", "bf16", "int8")}
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"Qwen3-{options.shape} shapes, random weights, {options.threads} threads, commit {commit}; multiply-adds/s: "
          + ", ".join(f"{name} {value:.0f}e9" for name, value in best_ceilings.items())
          + f"; ours with integer weights: {' '.join(ROUNDED)}, with BF16: {' '.join(HALVES)} {options.ours}\n")
    print("| case | ours, tokens/s | llama.cpp, its best | ratio | limit | share of the limit |")
    print("|---|---|---|---|---|---|")
    for case in cases:
        mine = statistics.median(reading[case.field] for reading in ours[case])
        middle = {peer: statistics.median(peers[*peer, *flags(case, options.threads)]) for peer in case.peers}
        (kind, cache), theirs = max(middle.items(), key=lambda item: item[1])
        most = statistics.median(limit(case, options.shape, reading, best_ceilings) for reading in ours[case])
        print(f"| {case.name} | {mine:.1f} | {theirs:.1f} ({kind}, cache {cache}) | {mine / theirs:.2f} "
              f"| {most:.0f} | {100 * mine / most:.0f} % |")


if __name__ == "__main__":
    main()
