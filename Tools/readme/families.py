#!/usr/bin/env python3
"""families.py [--check]: writes the row of families in README.md by the sources, or says whether it is as they have it.

The families are those of `ModelFamilies.standard`, in its order, each by the `title` of its file.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "Packages" / "DecoderModels" / "Sources" / "DecoderModels"
ROW = re.compile(r"^\| families \|.*$", re.M)


def row():
    standard = re.search(r"static let standard = ModelFamilies\(\[(.*?)\]\)", (SOURCES / "ModelFamily.swift").read_text(), re.S)
    titles = []
    for family in re.findall(r"(\w+)\.self", standard.group(1)):
        text = (SOURCES / "Families" / f"{family}.swift").read_text()
        title = re.search(r'static let title =\s+"([^"]*)"', text)
        # Without one the protocol's own: the names in the configuration.
        types = re.search(r"static let modelTypes =\s+\[([^]]*)\]", text).group(1)
        titles.append(title.group(1) if title else types.replace('"', ""))
    return f"| families | {', '.join(titles)} | |"


def main():
    readme = ROOT / "README.md"
    text = readme.read_text()
    made = ROW.sub(lambda _: row(), text)
    if "--check" in sys.argv[1:]:
        if made != text:
            sys.exit("README.md: the row of families is not what the sources say; run python3 Tools/readme/families.py")
    else:
        readme.write_text(made)


if __name__ == "__main__":
    main()
