"""A world of invented names and their attributes: the texts about it that both knowledge tasks share."""

from dataclasses import dataclass
from random import Random
from typing import Callable

from document import Document, Piece, finished, forced

VALUES = {
    "gem": "agate amber beryl coral garnet jade jasper jet lapis onyx opal pearl quartz ruby topaz "
           "zircon".split(),
    "food": "apple bean bread cake cheese corn egg fig honey leek melon nut pear plum rice "
            "soup".split(),
    "home": "barn burrow castle cave cliff dune hill hut island lake marsh meadow nest reef tower "
            "tree".split(),
    "hue": "black blue brown cyan gold gray green ivory mauve orange pink red teal violet white "
           "yellow".split(),
}

WORDINGS = ["What is the {} of {}?", "Name the {} of {}.", "Which {} does {} have?",
            "Say which {} is that of {}."]
HELD_OUT_WORDINGS = ["Which is the {} of {}?", "What {} does {} have?"]
"""Of the same words, but never trained on: the benchmarks ask like this."""

Table = dict[str, dict[str, str]]
"""The attributes of every name."""
Draw = Callable[[Random], str]
"""Draws a name."""


@dataclass(frozen=True)
class Fact:
    name: str
    attribute: str
    value: str

    @property
    def statement(self) -> str:
        return f"The {self.attribute} of {self.name} is {self.value}.\n"


def draw_fact(table: Table, rng: Random, draw: Draw) -> Fact:
    name = draw(rng)
    attribute = rng.choice(list(table[name]))
    return Fact(name, attribute, table[name][attribute])


def recalled(question: str, facts: list[Fact], rng: Random, most: int = 8) -> Document:
    """A question whose reply states one fact after the other; the last one's value is the answer.

    The answer has its blank, as in the statement. A quarter are forced to look up to `most` times.
    """
    answer = f" {facts[-1].value}"
    look = "".join(fact.statement for fact in facts)
    if rng.random() < 0.75:
        looks = 2 if rng.random() < 0.3 else 1
        return finished(question, "Wait\n".join([look] * looks), answer)
    looks = [look] * rng.randint(1, most)
    if rng.random() < 0.6:  # cut the last one between two words
        words = look.split(" ")
        looks[-1] = " ".join(words[:rng.randrange(1, len(words))])
    return forced(question, "Wait\n".join(looks), answer)


def rows(table: Table, rng: Random, draw: Draw) -> Document:
    """Eight lines of the table, attributes in random order."""
    pieces = []
    for _ in range(8):
        name = draw(rng)
        opening = f" {name}:"
        for attribute in rng.sample(list(table[name]), len(table[name])):
            pieces.append(Piece(f"{opening} {attribute}", False))
            pieces.append(Piece(f" {table[name][attribute]}", True))
            opening = ""
        pieces.append(Piece("\n", False))
    return Document(pieces)


def statements(table: Table, rng: Random, draw: Draw) -> Document:
    """Six facts as sentences."""
    pieces = []
    for _ in range(6):
        fact = draw_fact(table, rng, draw)
        pieces += [Piece(f"The {fact.attribute} of {fact.name} is", False),
                   Piece(f" {fact.value}", True), Piece(".\n", False)]
    return Document(pieces)
