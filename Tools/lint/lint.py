#!/usr/bin/env python3
"""Checks what the compiler does not: floors, manifests, documents, file lengths and forbidden marks.

Prints one `file:line: message` a problem and exits with 1, or prints `lint: ok`.
"""

import sys
from pathlib import Path

import documents
import files
import manifests
import modules
from tree import Tree


def problems(tree):
    root, own = manifests.load(tree)
    found = modules.find(tree, root.targets.values())
    yield from files.check(tree)
    yield from documents.check(tree)
    yield from modules.check_homes(tree, found)
    yield from modules.check_floors(found)
    yield from manifests.check(tree, root, own, found)


def main():
    found = sorted(set(problems(Tree(Path(__file__).resolve().parents[2]))))
    for problem in found:
        print(problem)
    if found:
        sys.exit(1)
    print("lint: ok")


if __name__ == "__main__":
    main()
