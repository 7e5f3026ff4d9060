"""What every file must keep to: its length, no forbidden marks, no paths of one machine."""

import re

from tree import Problem

LONGEST = 400
CODE = (".swift", ".c", ".h", ".py")
MARKS = ("try!", "fatalError(", "TODO", "FIXME")
# Written so that it does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|root)/")


def check(tree):
    for file in tree.files:
        if file.endswith(CODE):
            yield from check_length(tree, file)
        if file.endswith((".swift", ".c", ".h")) and "Sources/" in file:
            yield from check_marks(tree, file)
        yield from check_paths(tree, file)


def check_length(tree, file):
    count = sum(1 for _ in tree.lines(file))
    if count > LONGEST:
        yield Problem(file, LONGEST + 1, f"{count} lines; a file has {LONGEST} at most")


def check_marks(tree, file):
    for number, line in tree.lines(file):
        for mark in MARKS:
            if mark in line:
                yield Problem(file, number, f"{mark} is forbidden in sources")


def check_paths(tree, file):
    for number, line in tree.lines(file):
        found = MACHINE_PATH.search(line)
        if found:
            yield Problem(file, number, f"{found.group()}... is a path of one machine")
