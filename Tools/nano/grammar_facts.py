"""nano-facts: invented names with four attributes each, asked with four options."""

from random import Random

from document import Document
from lookups import HELD_OUT_WORDINGS, VALUES, WORDINGS, Draw, Fact, Table, draw_fact, recalled

CONSONANTS = "bcdfghklmnprstvz"
FIRST_SYLLABLES = [(c + v).capitalize() for c in CONSONANTS for v in "aeio"]
SECOND_SYLLABLES = [c + v for c in CONSONANTS for v in "aiou"]


def draw_table(count: int) -> Table:
    """The world: `count` names with a value for every attribute, always the same."""
    rng = Random("nano-facts")
    names = [first + second for first in FIRST_SYLLABLES for second in SECOND_SYLLABLES]
    rng.shuffle(names)
    return {name: {attribute: rng.choice(values) for attribute, values in VALUES.items()}
            for name in names[:count]}


TABLE = draw_table(2048)
NAMES = list(TABLE)


def among(names: int) -> Draw:
    """Draws one of the first `names` names."""
    return lambda rng: NAMES[rng.randrange(names)]


def question(fact: Fact, wording: str, rng: Random) -> str:
    """The question with four options, one of them right, in random order."""
    others = [value for value in VALUES[fact.attribute] if value != fact.value]
    options = rng.sample(others, 3) + [fact.value]
    rng.shuffle(options)
    lines = (f"\n{letter}) {option}" for letter, option in zip("ABCD", options))
    return wording.format(fact.attribute, fact.name) + "".join(lines)


def answered(rng: Random, draw: Draw) -> Document:
    """A question with a reply; the answer is the value, not the letter."""
    fact = draw_fact(TABLE, rng, draw)
    return recalled(question(fact, rng.choice(WORDINGS), rng), [fact], rng)


def held_out_question(rng: Random) -> str:
    """A question as the benchmark asks it."""
    fact = draw_fact(TABLE, rng, among(len(NAMES)))
    return question(fact, rng.choice(HELD_OUT_WORDINGS), rng)
