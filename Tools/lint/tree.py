"""The files of the repository, and what is wrong with them."""

import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True, order=True)
class Problem:
    """One finding; `file` is relative to the root of the repository."""

    file: str
    line: int
    message: str

    def __str__(self):
        return f"{self.file}:{self.line}: {self.message}"


class Tree:
    """A checkout: its files are those that git tracks, or would track once they are added."""

    def __init__(self, root):
        self.root = Path(root)

    @cached_property
    def files(self):
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, cwd=self.root, check=True, capture_output=True).stdout
        names = {name for name in listing.decode().split("\0") if name}
        return sorted(name for name in names if (self.root / name).is_file())

    def text(self, file):
        """The file's text, or None where it holds no text."""
        try:
            return (self.root / file).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return None

    def lines(self, file):
        """The file's lines with their numbers, from 1."""
        return enumerate((self.text(file) or "").splitlines(), start=1)

    def line_with(self, file, words):
        """The number of the first line that holds `words`, or 1."""
        return next((number for number, line in self.lines(file) if words in line), 1)
