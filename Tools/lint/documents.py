"""What documents must keep to: links lead somewhere, pages made from data are up to date."""

import re
import sys
from pathlib import Path

from tree import Problem

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "bench"))
import performance  # noqa: E402  (it lies beside the results)

LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
FENCE = re.compile(r"^\s*```")


def check(tree):
    for file in tree.files:
        if file.endswith(".md"):
            yield from check_links(tree, file)
    if (tree.root / performance.PAGE).is_file() and tree.text(performance.PAGE) != performance.page(tree.root):
        yield Problem(performance.PAGE, 1, "differs from its results; run Tools/bench/performance.py")


def check_links(tree, file):
    """Relative links lead to files of the repository."""
    is_code = False
    for number, line in tree.lines(file):
        is_code ^= bool(FENCE.match(line))
        for target in [] if is_code else LINK.findall(line):
            path = (tree.root / file).parent / target
            if "://" not in target and not target.startswith("mailto:") and not path.exists():
                yield Problem(file, number, f"links to {target}, which does not exist")
