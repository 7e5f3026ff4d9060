#!/usr/bin/env python3
"""Writes PERFORMANCE.md from the tables of Tools/bench/results.

    python3 Tools/bench/performance.py            # from anywhere; `make lint` says when the page is out of date

A file of results is a table: `title`, what it was measured with (`machine`, `command`, `commit`, `date`), `about` in sentences,
`rows`, and `columns`: the heading of each with the text of its cells, in which `{name}` stands for a value of the row. A cell of
which a value is missing is empty. Files are taken in the order of their names.
"""

import json
import re
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RESULTS = "Tools/bench/results"
PAGE = "PERFORMANCE.md"
INTRODUCTION = """# Performance

How fast it is, and what the processor and its memory would allow. Absolute figures drift with the machine; read the
ratios. [docs/kernels.md](docs/kernels.md) says where the time goes, [docs/numerics.md](docs/numerics.md) what fast numerics
cost, [Tools/bench/log.tsv](Tools/bench/log.tsv) what each change gained, and which did not help. Made by
`Tools/bench/performance.py` from `Tools/bench/results`."""


def cell(pattern, row):
    """The text of a cell; empty where the row lacks a value."""
    names = re.findall(r"{(\w+)", pattern)
    return pattern.format_map(row) if all(name in row for name in names) else ""


def section(result):
    """A table with its heading."""
    columns = result["columns"]
    source = [result[key] for key in ("machine", "command") if key in result]
    if "commit" in result:
        source.append(f"commit {result['commit']} of {result['date']}")
    lines = [f"## {result['title']}", "", *textwrap.wrap("; ".join(source) + ". " + result["about"], 120, break_long_words=False,
                                                        break_on_hyphens=False), ""]
    lines += ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(cell(pattern, row) for pattern in columns.values()) + " |" for row in result["rows"]]
    return "\n".join(lines)


def store(file, rows, **facts):
    """Puts measured rows into a file of results: each takes the place of the row of its `case`, whose other values stay."""
    result = json.loads(Path(file).read_text(encoding="utf-8"))
    cases = {row["case"]: row for row in result["rows"]}
    for row in rows:
        cases[row["case"]] = cases.get(row["case"], {}) | row
    result = {key: value for key, value in result.items() if key != "rows"} | facts
    head = json.dumps(result | {"rows": []}, indent=2, ensure_ascii=False).removesuffix("[]\n}")
    lines = ",\n".join("    " + json.dumps(row, ensure_ascii=False) for row in cases.values())
    Path(file).write_text(f"{head}[\n{lines}\n  ]\n}}\n", encoding="utf-8")


def page(root=ROOT):
    """The text of PERFORMANCE.md."""
    results = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((Path(root) / RESULTS).glob("*.json"))]
    return "\n\n".join([INTRODUCTION, *map(section, results)]) + "\n"


if __name__ == "__main__":
    (ROOT / PAGE).write_text(page(), encoding="utf-8")
