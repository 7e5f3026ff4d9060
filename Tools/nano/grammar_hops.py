"""nano-hops: facts about 1000 invented names, asked directly or through one or two other names.

Every name has four attributes and a friend and a teacher, who are names too: 6000 facts, 36 bits a
name. Few names are famous and most are rare, as in texts about the real world: the famous ones teach a
model what a fact is, without a curriculum, and how far down the list it gets depends on its size.
"""

from dataclasses import dataclass
from random import Random

from document import Document
from lookups import HELD_OUT_WORDINGS, VALUES, WORDINGS, Fact, Table, recalled

CONSONANTS = "bcdfghjklmnprstvwxz"
FIRST_SYLLABLES = [(c + v).capitalize() for c in CONSONANTS for v in "aeiou"]
SECOND_SYLLABLES = [c + v for c in CONSONANTS for v in "aeiou"]
RELATIONS = ["friend", "teacher"]
COUNT = 1000
MOST_HOPS = 2
FAME = 3
"""Of the draws, the first (share of the names) ** (1 / FAME) fall on that share."""


def draw_table() -> Table:
    """The world, the most famous first; always the same."""
    rng = Random("nano-hops")
    names = [first + second for first in FIRST_SYLLABLES for second in SECOND_SYLLABLES]
    rng.shuffle(names)
    names = names[:COUNT]
    return {name: {attribute: rng.choice(values) for attribute, values in VALUES.items()}
            | {relation: rng.choice(names) for relation in RELATIONS} for name in names}


TABLE = draw_table()
NAMES = list(TABLE)


def draw_name(rng: Random) -> str:
    """A name, famous ones more often."""
    return NAMES[int(COUNT * rng.random() ** FAME)]


@dataclass(frozen=True)
class Quest:
    """What is asked: an attribute, or a relation, of a name or of someone whom relations lead to."""

    name: str
    path: tuple[str, ...]
    """The relations from the name on, then what is asked for."""

    @property
    def facts(self) -> list[Fact]:
        """What has to be known, in the order of the path."""
        facts, name = [], self.name
        for attribute in self.path:
            facts.append(Fact(name, attribute, TABLE[name][attribute]))
            name = facts[-1].value
        return facts

    @property
    def answer(self) -> str:
        return self.facts[-1].value

    def question(self, wording: str) -> str:
        *relations, asked = self.path
        person = "".join(f"the {relation} of " for relation in reversed(relations)) + self.name
        return wording.format(asked, person)


def draw_quest(rng: Random, name: str, hops: int) -> Quest:
    relations = [rng.choice(RELATIONS) for _ in range(hops)]
    return Quest(name, (*relations, rng.choice(list(TABLE[name]))))


def held_out_question(rng: Random) -> str:
    """A question as the benchmark asks it."""
    return draw_quest(rng, draw_name(rng), rng.randint(0, MOST_HOPS)).question(rng.choice(HELD_OUT_WORDINGS))


def answered(quest: Quest, rng: Random) -> Document:
    """A question with a reply that goes from fact to fact."""
    return recalled(quest.question(rng.choice(WORDINGS)), quest.facts, rng, most=rng.randint(1, 8))
