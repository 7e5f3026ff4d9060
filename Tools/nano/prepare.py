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
from sizes import FAMILIES, NANO, Family

CALIBRATION_DOCUMENTS = 256


def calibration_rows(family: Family) -> list[dict]:
    """Documents like those of training, from a seed of their own."""
    rng = Random("nano calibration")
    return [{"text": draw_document(rng, family.name).text} for _ in range(CALIBRATION_DOCUMENTS)]


def write_lines(path: Path, rows: list[dict]):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    print(f"{path}: {len(rows)} rows")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=FAMILIES, default="nano")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of checkpoints")
    parser.add_argument("--resources", type=Path, required=True)
    options = parser.parse_args()
    options.runs.mkdir(parents=True, exist_ok=True)
    family = FAMILIES[options.family]
    nano_tokenizer.train(family).save(str(options.runs / "tokenizer.json"))
    for name, rows in benchmarks.BENCHMARKS[family.name].items():
        write_lines(options.resources / f"{name}.jsonl", rows())
    suffix = "" if family == NANO else f"-{family.name}"
    write_lines(options.resources / f"calibration{suffix}.jsonl", calibration_rows(family))


if __name__ == "__main__":
    main()
