"""nano-facts: invented names with four attributes each, asked with four options."""

from dataclasses import dataclass
from random import Random

from document import Document, Piece, finished, forced

CONSONANTS = "bcdfghklmnprstvz"
FIRST_SYLLABLES = [(c + v).capitalize() for c in CONSONANTS for v in "aeio"]
SECOND_SYLLABLES = [c + v for c in CONSONANTS for v in "aiou"]

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
ATTRIBUTES = list(VALUES)

WORDINGS = ["What is the {} of {}?", "Name the {} of {}.", "Which {} does {} have?",
            "Say which {} is that of {}."]
HELD_OUT_WORDINGS = ["Which is the {} of {}?", "What {} does {} have?"]
"""Of the same words, but never trained on: the benchmark asks like this."""


@dataclass(frozen=True)
class Fact:
    name: str
    attribute: str
    value: str

    @property
    def statement(self) -> str:
        return f"The {self.attribute} of {self.name} is {self.value}.\n"

    def question(self, wording: str, rng: Random) -> str:
        """The question with four options, one of them right, in random order."""
        others = [value for value in VALUES[self.attribute] if value != self.value]
        options = rng.sample(others, 3) + [self.value]
        rng.shuffle(options)
        lines = (f"\n{letter}) {option}" for letter, option in zip("ABCD", options))
        return wording.format(self.attribute, self.name) + "".join(lines)


def draw_table(count: int) -> dict[str, dict[str, str]]:
    """The world: `count` names with a value for every attribute, always the same."""
    rng = Random("nano-facts")
    names = [first + second for first in FIRST_SYLLABLES for second in SECOND_SYLLABLES]
    rng.shuffle(names)
    return {name: {attribute: rng.choice(values) for attribute, values in VALUES.items()}
            for name in names[:count]}


TABLE = draw_table(2048)
NAMES = list(TABLE)


def draw_fact(rng: Random, names: int) -> Fact:
    """A fact about one of the first `names` names."""
    name, attribute = NAMES[rng.randrange(names)], rng.choice(ATTRIBUTES)
    return Fact(name, attribute, TABLE[name][attribute])


def answered(rng: Random, names: int) -> Document:
    """A question with a reply; the answer is the value, with its blank, not the letter."""
    fact = draw_fact(rng, names)
    question, answer = fact.question(rng.choice(WORDINGS), rng), f" {fact.value}"
    if rng.random() < 0.75:
        looks = 2 if rng.random() < 0.3 else 1
        return finished(question, "Wait\n".join([fact.statement] * looks), answer)
    looks = [fact.statement] * rng.randint(1, 8)
    if rng.random() < 0.6:  # cut the last one between two words
        words = looks[-1].split(" ")
        looks[-1] = " ".join(words[:rng.randrange(1, len(words))])
    return forced(question, "Wait\n".join(looks), answer)


def rows(rng: Random, names: int) -> Document:
    """Eight lines of the table, attributes in random order."""
    pieces = []
    for _ in range(8):
        name = NAMES[rng.randrange(names)]
        opening = f" {name}:"
        for attribute in rng.sample(ATTRIBUTES, len(ATTRIBUTES)):
            pieces.append(Piece(f"{opening} {attribute}", False))
            pieces.append(Piece(f" {TABLE[name][attribute]}", True))
            opening = ""
        pieces.append(Piece("\n", False))
    return Document(pieces)


def statements(rng: Random, names: int) -> Document:
    """Six facts as sentences."""
    pieces = []
    for _ in range(6):
        fact = draw_fact(rng, names)
        pieces += [Piece(f"The {fact.attribute} of {fact.name} is", False),
                   Piece(f" {fact.value}", True), Piece(".\n", False)]
    return Document(pieces)
