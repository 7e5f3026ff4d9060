#!/usr/bin/env python3
"""loading.py [--size 4b] [--layers N] FOLDER: seconds from a file in the page cache to weights in memory, form by form.

Random weights in the shapes of a Qwen3, made once: BF16, and of it by `quantize` 8 and 4 bits as the default form, as
compressed-tensors and as GGUF. Prints for each form what `generate` says it loaded in, the median of --runs and the least,
the time that as many bytes of BF16 take, and the most memory that the process held beside the bytes of the file. 4B takes
28 GB of disk; --keep-one makes, measures and removes one form after the other.
"""

import argparse
import os
import re
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NANO = ROOT / "Packages/NanoModels/Sources/NanoModels/Resources/nano-4m"
# What `quantize` is given; nothing for the model that is quantized.
FORMS = {
    "bf16": None,
    "8bit": ["--method", "rtn", "--bits", "8"],
    "4bit": ["--method", "rtn", "--bits", "4"],
    "8bit-compressed-tensors": ["--method", "rtn", "--bits", "8", "--format", "compressed-tensors"],
    "4bit-compressed-tensors": ["--method", "rtn", "--bits", "4", "--format", "compressed-tensors"],
    "fp8-compressed-tensors": ["--scheme", "w8a8-fp", "--format", "compressed-tensors"],
    "q8_0.gguf": ["--method", "rtn", "--bits", "8", "--format", "gguf"],
    "q4_0.gguf": ["--method", "rtn", "--bits", "4", "--format", "gguf"],
    "q4_k_m.gguf": ["--type", "Q4_K_M"],
}


def make(folder, form, options):
    """The model in this form, written when it is not there yet."""
    path = folder / form
    if path.exists():
        return path
    if FORMS[form] is None:
        layers = ["--layers", str(options.layers)] if options.layers else []
        partial = folder / "partial"
        subprocess.run([sys.executable, ROOT / "Tools/checkpoint/random_weights.py", options.size, partial, "--tokenizer", NANO,
                        *layers], check=True)
        return partial.rename(path)
    command = [options.bin / "quantize", "--model", folder / "bf16", "--output", path, *FORMS[form]]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return path


def files(path):
    return [path] if path.is_file() else sorted(path.glob("*.safetensors*"))


def load(path, options):
    """Seconds that `generate` says, and the most bytes that its process held."""
    command = [options.bin / "generate", "--model", path, "--ids", "1,2,3", "--greedy", "--max-tokens", "1",
               "--ignore-eos", *options.flags]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    errors = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    found = re.search(r"loaded in ([0-9.]+) s", errors)
    if status != 0 or not found:
        sys.exit(f"{command} failed:\n{errors}")
    return float(found.group(1)), usage.ru_maxrss * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", default="4b")
    parser.add_argument("--layers", type=int, help="fewer than the model has")
    parser.add_argument("--bin", type=Path, default=ROOT / "bin", help="folder of the commands")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--forms", nargs="+", choices=FORMS, default=list(FORMS))
    parser.add_argument("--keep-one", action="store_true")
    parser.add_argument("--flags", nargs=argparse.REMAINDER, default=[], help="for generate, last")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    print("| form | MiB | median | least | BF16 of as many bytes | ratio | beside the file |\n|" + "---|" * 7)
    rate = None
    for form in dict.fromkeys(["bf16", *options.forms]):
        path = make(options.folder, form, options)
        size = sum(file.stat().st_size for file in files(path))
        for file in files(path):  # into the page cache
            subprocess.run(["cat", file], check=True, stdout=subprocess.DEVNULL)
        results = [load(path, options) for _ in range(options.runs)]
        median, least = statistics.median(seconds for seconds, _ in results), min(seconds for seconds, _ in results)
        rate = rate or median / size
        peak = max(peak for _, peak in results)
        print(f"| {form} | {size / 2**20:.0f} | {median:.2f} s | {least:.2f} s | {rate * size:.2f} s | {median / (rate * size):.2f} | "
              f"{(peak - size) / 2**20:+.0f} MiB |", flush=True)
        if options.keep_one and form != "bf16":
            path.unlink() if path.is_file() else shutil.rmtree(path)


if __name__ == "__main__":
    main()
