"""Compares our tokenizer with Hugging Face `tokenizers` on one thread, on the same text.

    python3 compare.py MODEL_DIR [--text FILE ...]

Needs `pip install tokenizers`, and a release build of the program beside this file:

    swift build -c release --package-path program

Without --text, three texts of 1 MB are made: English (the given corpus or generated words), code
(the Python standard library of this interpreter) and CJK (words of the vocabulary itself, drawn
by Zipf's law). Prints the rates of loading, of encoding whole and line by line, and of decoding,
as ratios of the peer's best time to ours, and whether the ids agree.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"

from tokenizers import Tokenizer  # noqa: E402

HERE = Path(__file__).resolve().parent
PROGRAM = HERE / "program/.build/release/tokenizer-bench"
MEGABYTE = 1_000_000


def cut(text, size=MEGABYTE):
    return text.encode()[:size].decode(errors="ignore")


def code_text():
    library = Path(sysconfig.get_paths()["stdlib"])
    parts, total = [], 0
    for path in sorted(library.glob("*.py")):
        parts.append(path.read_text(errors="ignore"))
        total += len(parts[-1])
        if total > 2 * MEGABYTE:
            break
    return cut("".join(parts))


def generated_text(tokenizer, wanted, mark, stop, space):
    """Sentences of vocabulary words, the lower the id the more often."""
    rng = random.Random(0)
    words = [tokenizer.decode([i]) for i in range(tokenizer.get_vocab_size(with_added_tokens=False))]
    words = [word for word in words if word.strip() and all(map(wanted, word.strip()))]
    weights = [1 / (rank + 10) for rank in range(len(words))]
    parts, size = [], 0
    while size < MEGABYTE:
        sentence = [w.strip() for w in rng.choices(words, weights, k=rng.randint(4, 30))]
        sentence[len(sentence) // 2] += mark
        parts.append(space.join(sentence) + stop)
        size += len(parts[-1].encode())
    return cut("".join(parts))


def is_cjk(character):
    return 0x3040 <= ord(character) < 0xA000 or 0xAC00 <= ord(character) < 0xD7A4


def texts(tokenizer, files):
    if files:
        return {Path(file).name: cut(Path(file).read_text()) for file in files}
    return {
        "english": generated_text(tokenizer, lambda c: c.isascii() and c.isalpha(), ",", ". ", " "),
        "code": code_text(),
        "cjk": generated_text(tokenizer, is_cjk, "，", "。\n", ""),
    }


def digest(ids):
    value = 0xCBF29CE484222325
    for i in ids:
        value = (value ^ i) * 0x100000001B3 % 2**64
    return f"{value:x}"


def best(action, runs=7):
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        result = action()
        times.append(time.perf_counter() - start)
    return min(times), result


def ours(folder, verb, *files):
    output = subprocess.run([PROGRAM, folder, verb, *files], check=True, capture_output=True)
    return [json.loads(line) for line in output.stdout.splitlines()]


def encode(tokenizer, texts):
    """The peer's fastest way: without offsets where the version has it."""
    method = getattr(tokenizer, "encode_batch_fast", tokenizer.encode_batch)
    return method(texts, add_special_tokens=False)


def rates(size, run, peer_seconds):
    return (f"{size / run['seconds']:6.1f} against {size / peer_seconds:4.1f} MB/s "
            f"x{peer_seconds / run['seconds']:.1f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--text", nargs="*", default=[])
    arguments = parser.parse_args()
    file = str(Path(arguments.folder) / "tokenizer.json")

    load_seconds, tokenizer = best(lambda: Tokenizer.from_file(file), runs=3)
    loads = [ours(arguments.folder, "load")[0] for _ in range(3)]
    load = min(loads, key=lambda run: run["seconds"])
    print(f"load    ours {load['seconds']:.3f} s, {load['mib']:.1f} MiB   peer {load_seconds:.3f} s"
          f"   ratio {load_seconds / load['seconds']:.1f}")

    agree = True
    for name, text in texts(tokenizer, arguments.text).items():
        with tempfile.NamedTemporaryFile("w", suffix=".txt", newline="") as handle:
            handle.write(text)
            handle.flush()
            runs = {verb: ours(arguments.folder, verb, handle.name)[0]
                    for verb in ("encode", "lines", "decode")}
        lines = [line for line in text.split("\n") if line]
        whole_seconds, whole = best(lambda: encode(tokenizer, [text]))
        line_seconds, by_line = best(lambda: encode(tokenizer, lines))
        ids = whole[0].ids
        decode_seconds, _ = best(lambda: tokenizer.decode(ids, skip_special_tokens=False))
        same = digest(ids) == runs["encode"]["digest"] and runs["lines"]["digest"] == digest(
            i for encoding in by_line for i in encoding.ids)
        agree &= same
        size = len(text.encode()) / MEGABYTE
        print(f"{name:10} whole {rates(size, runs['encode'], whole_seconds)}   "
              f"lines {rates(size, runs['lines'], line_seconds)}   "
              f"decode x{decode_seconds / runs['decode']['seconds']:.1f}   "
              f"{len(ids)} ids {'equal' if same else 'DIFFER'}")
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
