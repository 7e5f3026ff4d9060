"""What documents must keep to: links lead somewhere, pages made from data are up to date."""

import re
import sys
from pathlib import Path

from tree import Problem

for folder in ("bench", "docs"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / folder))
import examples  # noqa: E402  (what makes a page or a test lies beside its sources)
import performance  # noqa: E402

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^\s*```")


def check(tree):
    for file in tree.files:
        if file.endswith(".md"):
            yield from check_links(tree, file)
    for page in performance.PAGES:
        if (tree.root / page).is_file() and tree.text(page) != performance.page(page, tree.root):
            yield Problem(page, 1, "differs from its results; run Tools/bench/performance.py")
    yield from check_examples(tree)


def check_examples(tree):
    """The examples of the packages' pages are those that are tested."""
    made = examples.tests(tree.root)
    there = {file for file in tree.files if file.startswith(examples.FOLDER)}
    for file in tree.files:
        package = re.fullmatch(r"Packages/(\w+)/Package\.swift", file)
        if package and f"{examples.FOLDER}/{package[1]}Example.swift" not in made:
            yield Problem(file, 1, f"{package[1]} has no page with an example (Sources/{package[1]}/{package[1]}.docc)")
    for file in sorted(there | set(made)):
        if file not in there or tree.text(file) != made.get(file):
            yield Problem(file, 1, "differs from the package's page; run Tools/docs/examples.py")


def check_links(tree, file):
    """Relative links lead to files of the repository."""
    is_code = False
    for number, line in tree.lines(file):
        is_code ^= bool(FENCE.match(line))
        for target in [] if is_code else LINK.findall(line):
            path = (tree.root / file).parent / target
            if "://" not in target and not target.startswith("mailto:") and not path.exists():
                yield Problem(file, number, f"links to {target}, which does not exist")
