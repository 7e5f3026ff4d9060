#!/usr/bin/env python3
"""Writes Tests/ExampleTests: the example of every package's documentation page as a test.

    python3 Tools/docs/examples.py            # from anywhere; `make lint` says when a test differs from its page

A page is `Packages/X/Sources/X/X.docc/X.md`; its Swift fence is the body of the test. `print(VALUE)  // TEXT` becomes an expectation that
VALUE prints as TEXT. `folder`, where a page does not define it, is the folder of a shipped model.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "Tests/ExampleTests"
FENCE = re.compile(r"^```swift\n(.*?)^```", re.S | re.M)
PRINT = re.compile(r"^(\s*)print\((.*)\)  // (.*)$")


def pages(root):
    """Package -> its page, relative to the root."""
    found = sorted(Path(root).glob("Packages/*/Sources/*/*.docc/*.md"))
    return {page.stem: page.relative_to(root) for page in found if page.stem == page.parts[-3]}


def test(package, page, text):
    """The test made of a page; None where it has no example."""
    found = FENCE.search(text)
    if not found:
        return None
    imports, body = {"Testing"}, []
    for line in found[1].splitlines():
        shown = PRINT.match(line)
        if line.startswith("import "):
            imports.add(line.removeprefix("import "))
        elif shown:
            expected = shown[3].replace("\\", "\\\\").replace('"', '\\"')
            body.append(f'{shown[1]}#expect("\\({shown[2]})" == "{expected}")')
        elif line or body:
            body.append(line)
    code = "\n".join(body)
    if re.search(r"\bfolder\b", code) and "let folder" not in code:
        imports.add("NanoModels")
        body.insert(0, 'let folder = try #require(NanoModels.directory(of: "nano-0.5m"))')
    lines = [f"// Made by Tools/docs/examples.py from {page}.", "// swift-format-ignore-file",
             *sorted(f"import {name}" for name in imports), "",
             f"@Test func exampleOf{package}() throws {{", *(f"  {line}" if line else "" for line in body), "}"]
    return "\n".join(lines) + "\n"


def tests(root=ROOT):
    """Every file of the folder by its path, relative to the root."""
    found = {}
    for package, page in pages(root).items():
        text = test(package, page, (Path(root) / page).read_text(encoding="utf-8"))
        if text:
            found[f"{FOLDER}/{package}Example.swift"] = text
    return found


if __name__ == "__main__":
    (ROOT / FOLDER).mkdir(exist_ok=True)
    for file in (ROOT / FOLDER).glob("*.swift"):
        file.unlink()
    for name, text in tests().items():
        (ROOT / name).write_text(text, encoding="utf-8")
