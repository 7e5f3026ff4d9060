#!/usr/bin/env python3
"""Writes PERFORMANCE.md from the tables of Tools/bench/results, docs/measurements.md from those of its folder `further`.

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
PAGES = {
    "PERFORMANCE.md": (RESULTS, """# Performance

How fast it is as typed, and what the processor and its memory would allow. Absolute figures drift with the machine; read
the ratios. [docs/measurements.md](docs/measurements.md) has other numerics, shapes, depths, families and processors,
[docs/kernels.md](docs/kernels.md) says where the time goes, [docs/numerics.md](docs/numerics.md) what fast numerics
cost, [Tools/bench/log.tsv](Tools/bench/log.tsv) what each change gained, and which did not help. Made by
`Tools/bench/performance.py` from `Tools/bench/results`."""),
    "docs/measurements.md": (f"{RESULTS}/further", """# Further measurements

What is not on the one page of [PERFORMANCE.md](../PERFORMANCE.md): other numerics, shapes, depths, families and
processors, each with the commit it was measured at. Made by `Tools/bench/performance.py` from
`Tools/bench/results/further`."""),
}
"""Each page with the folder of its results and its introduction."""


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


def page(name, root=ROOT):
    """The text of one of PAGES."""
    folder, introduction = PAGES[name]
    results = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((Path(root) / folder).glob("*.json"))]
    return "\n\n".join([introduction, *map(section, results)]) + "\n"


if __name__ == "__main__":
    for name in PAGES:
        (ROOT / name).write_text(page(name), encoding="utf-8")
