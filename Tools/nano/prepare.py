"""Writes what needs no training: `python prepare.py --runs runs --resources DIR`.

The tokenizer goes to the runs; the benchmarks and the calibration text to the resources.
"""

import argparse
import json
from pathlib import Path
from random import Random

import benchmarks
import tokenizer as nano_tokenizer
from mixture import draw_document

CALIBRATION_DOCUMENTS = 256


def calibration_rows() -> list[dict]:
    """Documents like those of training, from a seed of their own."""
    rng = Random("nano calibration")
    return [{"text": draw_document(rng).text} for _ in range(CALIBRATION_DOCUMENTS)]


def write_lines(path: Path, rows: list[dict]):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(f"{path}: {len(rows)} rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of checkpoints")
    parser.add_argument("--resources", type=Path, required=True)
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    options.resources.mkdir(parents=True, exist_ok=True)
    nano_tokenizer.train().save(str(options.runs / "tokenizer.json"))
    write_lines(options.resources / "nano-math.jsonl", benchmarks.math_rows())
    write_lines(options.resources / "nano-facts.jsonl", benchmarks.facts_rows())
    write_lines(options.resources / "calibration.jsonl", calibration_rows())


if __name__ == "__main__":
    main()
