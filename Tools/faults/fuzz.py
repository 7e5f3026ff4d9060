"""Mutates every kind of file that the commands read, and runs the commands on them: none may crash, hang or say nothing.

    python3 Tools/faults/fuzz.py --minutes 20            # from the root of the checkout, after `make build`

The corpus is made by the commands themselves from the smallest shipped model, so nothing is stored here. A run is
good when it ends by itself within 20 seconds with exit code 0, 1 or 2, and with a message where the code is not 0.
Inputs that do worse are kept with their command and messages below `.build/fuzz/findings`. Standard library only.
"""

import argparse
import concurrent.futures
import json
import pathlib
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = ROOT / "bin"
LIMIT_SECONDS = 20
# Address space of a run: what a lying header asks for must be refused, not taken.
LIMIT_BYTES = 8 << 30
MODEL = "nano-0.15m"
GENERATE = ["--ids", "1,70,71", "--greedy", "--max-tokens", "2", "--print-ids", "--threads", "1"]
PROMPT = ["--prompt", "2 + 3", "--greedy", "--max-tokens", "2", "--threads", "1"]
STUDY = """name: small
title: A small study
tasks: {nano-math: math}
weights: {method: rtn, group-size: 64}
limit: 2
temperature: 0.6
grids:
  - benchmarks: [nano-math]
    models: [nano-0.15m]
    bits: [16, 4]
    kv: [bf16, "rkv:32,buffer=16"]
    budgets: [16, 48]
    samples: [1, 3]
"""


def command(name, *words):
    return [str(BIN / name), *map(str, words)]


def made(arguments, folder):
    """Runs a command that makes a part of the corpus."""
    subprocess.run(arguments, cwd=folder, check=True, capture_output=True)


class Target:
    """A folder of files, which of them are mutated, and the command that reads them; `{}` stands for the folder."""

    def __init__(self, name, folder, files, arguments):
        self.name, self.folder, self.files, self.arguments = name, folder, files, arguments


def corpus(folder):
    """Every kind of input, made in `folder`."""
    source = next(ROOT.glob(f"Packages/NanoModels/Sources/NanoModels/Resources/**/{MODEL}"))
    targets = []

    def model(name, files, arguments, make=None):
        place = folder / name
        if make is None:
            shutil.copytree(source, place)
        else:
            made(command("quantize", "--model", MODEL, "--output", place, "--threads", 1, *make), folder)
        targets.append(Target(name, place, files, arguments))
        return place

    plain = model("safetensors", ["model.safetensors"], command("generate", "--model", "{}", *GENERATE))
    model("config", ["config.json", "generation_config.json"], command("generate", "--model", "{}", *GENERATE))
    model("tokenizer", ["tokenizer.json", "tokenizer_config.json"],
          command("generate", "--model", "{}", "--tokenize", "Wait, 236 coins <|im_end|>"))
    template = model("template", ["chat_template.jinja"],
                     command("generate", "--model", "{}", "--prompt", "2 + 3", "--show-prompt"))
    if not (template / "chat_template.jinja").exists():
        text = json.loads((template / "tokenizer_config.json").read_text()).get("chat_template")
        if isinstance(text, str):
            (template / "chat_template.jinja").write_text(text)
        else:
            targets.pop()
    for name, make in [
        ("zstd", ["--method", "rtn"]), ("pack-quantized", ["--method", "rtn", "--format", "compressed-tensors"]),
        ("gptq", ["--method", "rtn", "--format", "gptq"]), ("gguf", ["--method", "rtn", "--format", "gguf"]),
    ]:
        try:
            place = model(name, [], command("generate", "--model", "{}", *GENERATE), make)
        except subprocess.CalledProcessError:
            continue
        if place.is_file():  # a GGUF file is the whole model
            targets.pop()
            own = folder / "gguf-own"
            own.mkdir()
            place.rename(own / "model.gguf")
            targets.append(Target(name, own, ["model.gguf"], command("generate", "--model", "{}/model.gguf", *GENERATE)))
            continue
        weights = [file.name for file in place.iterdir() if "safetensors" in file.name]
        targets[-1].files = weights + ["config.json"]
    # GGUF files as other programs write them, where the reference data lies beside the checkout.
    for file in sorted(ROOT.parent.glob("shared/goldens/checkpoints/gguf_*/*.gguf"))[:3]:
        place = folder / f"gguf-{file.parent.name}"
        place.mkdir()
        shutil.copy(file, place / file.name)
        targets.append(Target(place.name, place, [file.name],
                              command("generate", "--model", "{}/" + file.name, *GENERATE)))
    inspect = Target("record", folder / "zstd", ["bitbudget.json"], command("quantize", "--inspect", "{}"))
    targets.append(inspect)

    single = folder / "single"
    single.mkdir()
    made(command("evaluate", "--model", MODEL, "--limit", 4, "--samples", 2, "--max-tokens", 8, "--journal",
                 single / "run.jsonl"), folder)
    (single / "study.yaml").write_text(STUDY)
    (single / "bench.yaml").write_bytes(
        next(ROOT.glob("Packages/*/Sources/*/Resources/**/nano-math.yaml")).read_bytes())
    (single / "rules.json").write_text(
        '{"rules": [{"layers": "layers.0.", "keep": true}, {"layers": "down_proj$", "bits": 8, "group_size": 64}]}')
    (single / "messages.json").write_text(
        '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 3"}]')
    (single / "text.jsonl").write_text('{"text": "Three and four are seven."}\n' * 8)
    made(command("study", "run", single / "study.yaml", "--folder", single / "study"), folder)
    result = next(single.glob("*.result.json")).name
    for name, file, arguments in [
        ("journal", "run.jsonl", command("evaluate", "--model", MODEL, "--limit", 4, "--samples", 2, "--max-tokens",
                                         8, "--journal", "{}/run.jsonl")),
        ("shown journal", "run.jsonl", command("evaluate", "show", "{}/run.jsonl")),
        ("result", result, command("evaluate", "table", "{}/" + result)),
        ("study", "study.yaml", command("study", "status", "{}/study.yaml", "--folder", "{}/study")),
        ("study results", "study/results.json", command("plan", "--family", "nano", "--memory", "64MiB", "--study",
                                                        "{}/study/results.json")),
        ("benchmark", "bench.yaml", command("evaluate", "--model", MODEL, "--bench", "{}/bench.yaml", "--limit", 1,
                                            "--max-tokens", 4, "--journal", "{}/new.jsonl")),
        ("scheme", "rules.json", command("quantize", "--model", MODEL, "--method", "rtn", "--scheme",
                                         "{}/rules.json", "--output", "{}/model")),
        ("messages", "messages.json", command("generate", "--model", MODEL, "--messages", "{}/messages.json",
                                              *PROMPT[2:])),
        ("calibration", "text.jsonl", command("quantize", "--model", MODEL, "--calibration", "{}/text.jsonl",
                                              "--samples", 4, "--length", 32, "--output", "{}/model")),
        ("compared text", "text.jsonl", command("evaluate", "--compare", MODEL, MODEL, "--text", "{}/text.jsonl",
                                                "--window", 16)),
    ]:
        targets.append(Target(name, single, [file], arguments))
    assert plain.exists()
    return targets


NUMBERS = [b"0", b"-1", b"1", b"2147483648", b"4294967296", b"9223372036854775807", b"9223372036854775808",
           b"18446744073709551615", b"1e400", b"0.5", b"-0", b"NaN", b"null", b"true", b'""', b"[]", b"{}"]


def mutate_text(data, chance):
    """One change that a text format may be sensitive to."""
    spans, start = [], None
    for index, byte in enumerate(data[:1 << 16]):
        is_digit = 48 <= byte <= 57
        if is_digit and start is None:
            start = index
        elif not is_digit and start is not None:
            spans.append((start, index))
            start = None
    kind = chance.randrange(6)
    if kind == 0 and spans:
        first, last = chance.choice(spans)
        return data[:first] + chance.choice(NUMBERS) + data[last:]
    if kind == 1:
        at = chance.randrange(len(data) + 1)
        return data[:at] + chance.choice([b"[", b"{", b"(", b"{%", b"{{"]) * chance.choice([1, 50, 100000]) + data[at:]
    if kind == 2:
        lines = data.split(b"\n")
        lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
        return b"\n".join(lines)
    if kind == 3:
        lines = data.split(b"\n")
        del lines[chance.randrange(len(lines))]
        return b"\n".join(lines)
    if kind == 4:
        at = chance.randrange(len(data) + 1)
        return data[:at] + chance.choice([b"\xff", b"\x00", b"\xed\xa0\x80", b"\\ud800", b"\xef\xbb\xbf", b"\r",
                                          "\u202e".encode(), b'"', b"\\", b",", b"!!", b"&a *a"]) + data[at:]
    words = [b"int", b"null", b"_", b"model", b"value", b"0", b"-", b":", b"|"]
    at = chance.randrange(len(data) + 1)
    end = min(len(data), at + chance.randrange(1, 12))
    return data[:at] + chance.choice(words) + data[end:]


def mutate_bytes(data, chance):
    """One change of bytes, more often where the headers are."""
    if not data:
        return b"\x00" * chance.randrange(64)
    near = min(len(data), chance.choice([8, 64, 4096, len(data)]))
    at = chance.randrange(near)
    if chance.random() < 0.2:
        at = len(data) - 1 - at
    kind = chance.randrange(7)
    if kind == 0:
        return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1:]
    if kind == 1:
        size = chance.choice([1, 2, 4, 8])
        value = chance.choice([0, 1, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 1) - 1, size, len(data)])
        return data[:at] + (value % 2 ** (8 * size)).to_bytes(size, "little") + data[at + size:]
    if kind == 2:
        return data[:at]
    if kind == 3:
        return data + data[at:at + chance.randrange(1, 4096)]
    if kind == 4:
        return data[:at] + data[at + chance.randrange(1, 64):]
    if kind == 5:
        return data[:at] + data[at:at + chance.randrange(1, 64)] + data[at:]
    return data[:at] + chance.randbytes(chance.randrange(1, 16)) + data[at:]


def mutated(file, data, chance):
    is_text = file.endswith((".json", ".jsonl", ".yaml", ".jinja"))
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        data = (mutate_text if is_text and data and chance.random() < 0.7 else mutate_bytes)(data, chance)
    return data


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT_BYTES, LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def fault(code, errors):
    """What is wrong with how a command ended, or None."""
    text = errors.decode(errors="replace")
    if code is None:
        return f"did not end within {LIMIT_SECONDS} s"
    if code not in (0, 1, 2):
        return f"ended with {code}"
    if "Fatal error" in text or "Crash" in text or "Sanitizer" in text or "runtime error:" in text:
        return "crashed"
    if code != 0 and not text.strip():
        return "failed without a message"
    return None


def run(target, seed, findings):
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        folder = pathlib.Path(place) / "input"
        # What is only read is linked; runs may add files beside it.
        shutil.copytree(target.folder, folder)
        file = chance.choice(target.files)
        path = folder / file
        path.write_bytes(mutated(file, path.read_bytes(), chance))
        arguments = [word.replace("{}", str(folder)) for word in target.arguments]
        started = time.monotonic()
        process = subprocess.Popen(arguments, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, preexec_fn=limit)
        try:
            errors = process.communicate(timeout=LIMIT_SECONDS)[1]
            code = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            errors, code = process.communicate()[1], None
        wrong = fault(code, errors)
        if wrong:
            kept = findings / f"{target.name.replace(' ', '-')}-{seed}"
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, kept / path.name)
            (kept / "report.txt").write_text(
                f"{wrong}\nseed {seed}, {file}\n{' '.join(target.arguments)}\n\n{errors.decode(errors='replace')}")
        return wrong, time.monotonic() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", help="names of targets, separated by commas")
    parser.add_argument("--one", type=int, help="run one seed again, with --only naming its target")
    arguments = parser.parse_args()
    findings = ROOT / ".build/fuzz/findings"
    with tempfile.TemporaryDirectory(prefix="fuzz-corpus-") as place:
        targets = corpus(pathlib.Path(place))
        if arguments.only:
            targets = [target for target in targets if target.name in arguments.only.split(",")]
        if arguments.one is not None:
            return print(run(targets[0], arguments.one, findings))
        deadline = time.monotonic() + 60 * arguments.minutes
        counts, wrong, slowest = {target.name: 0 for target in targets}, [], (0, "", 0)
        lock = threading.Lock()

        def work(job):
            nonlocal slowest
            number = job
            while time.monotonic() < deadline:
                target = targets[number % len(targets)]
                seed = arguments.seed * 1_000_000 + number
                number += arguments.jobs
                result, seconds = run(target, seed, findings)
                with lock:
                    counts[target.name] += 1
                    slowest = max(slowest, (seconds, target.name, seed))
                    if result:
                        wrong.append((target.name, seed, result))
                        print(f"{target.name}, seed {seed}: {result}", flush=True)

        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            for future in [pool.submit(work, job) for job in range(arguments.jobs)]:
                future.result()
        print(", ".join(f"{name} {count}" for name, count in counts.items()))
        print(f"{sum(counts.values())} inputs, {len(wrong)} findings; slowest {slowest[0]:.1f} s ({slowest[1]}, seed {slowest[2]})")
        if wrong:
            sys.exit(f"findings are in {findings}")


if __name__ == "__main__":
    main()
