"""Compares the ids that `generate` gives for GGUF files with those of the models' own tokenizers.

    python3 Tools/gguf/check_tokenizers.py --bin bin --tokenizers FOLDER [--goldens FOLDER]

FOLDER holds a folder for each tokenizer (tokenizer.json, tokenizer_config.json). Texts are the goldens' (tokenizer-NAME.json)
where they are given, else a few lines here. Needs the packages gguf and tokenizers.
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import tokenizers

import tokenizer_files

TEXTS = [
    "Hello, world!", " two  spaces\n\n\nand lines\t", "3.14159 and 1000000", "naïve café, 中文字, 🙂🙂", "I'll we've don't",
    "def f(x):\n    return x**2  # square\n", "<|im_start|>user\nHi<|im_end|>", "<s>[INST] hi [/INST]</s>", "", "\u00a0x\u200b",
]  # fmt: skip


def ids(generate, model, texts, special):
    flags = ["--add-special-tokens"] if special else []
    lines = "".join(json.dumps(text) + "\n" for text in texts)
    run = subprocess.run(
        [generate, "--model", model, "--tokenize-jsonl", *flags], input=lines, capture_output=True, text=True
    )
    if run.returncode:
        raise SystemExit(f"{model}: {run.stderr}")
    return [json.loads(line) for line in run.stdout.splitlines()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bin", type=Path, default=Path("bin"))
    parser.add_argument("--tokenizers", type=Path, required=True)
    parser.add_argument("--goldens", type=Path)
    flags = parser.parse_args()
    wrong = 0
    for name in ["qwen3", "qwen2.5", "llama3.1", "llama2", "falcon", "gpt2"]:
        folder = flags.tokenizers / name
        if not folder.is_dir():
            print(f"{name}: not here")
            continue
        texts = list(TEXTS)
        golden = flags.goldens / f"tokenizer-{name}.json" if flags.goldens else None
        if golden and golden.exists():
            texts += [case["text"] for case in json.loads(golden.read_text())["cases"]]
        reference = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        with tempfile.TemporaryDirectory() as scratch:
            model = f"{scratch}/{name}.gguf"
            tokenizer_files.write(folder, model)
            for special in (False, True):
                found = ids(flags.bin / "generate", model, texts, special)
                expected = [reference.encode(text, add_special_tokens=special).ids for text in texts]
                differ = [index for index in range(len(texts)) if found[index] != expected[index]]
                wrong += len(differ)
                print(f"{name}{' with special tokens' if special else ''}: {len(differ)} of {len(texts)} differ")
                for index in differ[:3]:
                    print("  ", repr(texts[index])[:100], expected[index][:12], found[index][:12])
    raise SystemExit(1 if wrong else 0)


if __name__ == "__main__":
    main()
