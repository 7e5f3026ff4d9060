"""Documents of the tasks and their supporting texts, in fixed proportions."""

from dataclasses import dataclass
from random import Random

import benchmarks
import grammar_facts
import grammar_hops
import grammar_math
import grammar_reckoning
import lookups
from document import Document
from sizes import Training


@dataclass(frozen=True)
class Curriculum:
    """What the first family is drawn from at one point of a run; the second has no stages."""

    names: int
    small_operands: bool

    @staticmethod
    def at(progress: float, training: Training) -> "Curriculum":
        """The stage after a share `progress` (0...1) of the run."""
        everyone = len(grammar_facts.NAMES)
        names = everyone // 2 if progress < training.first_names else everyone
        return Curriculum(names, progress < training.small_operands)


WHOLE = Curriculum(len(grammar_facts.NAMES), False)
"""The end of every run: all names, all operands."""


def allowed(draw):
    """The first of what `draw()` gives that no benchmark asks."""
    while (problem := draw()) in benchmarks.held_out():
        pass
    return problem


def math(rng: Random, stage: Curriculum) -> Document:
    problem = allowed(lambda: grammar_math.draw_problem(
        rng, rng.randint(1, grammar_math.MOST_STEPS), stage.small_operands))
    return grammar_math.CHAINS.solved(problem, rng)


def reckoning(rng: Random, stage: Curriculum) -> Document:
    problem = allowed(lambda: grammar_reckoning.draw_problem(rng, grammar_reckoning.draw_length(rng)))
    return grammar_reckoning.CHAINS.solved(problem, rng)


def quest(rng: Random, stage: Curriculum) -> Document:
    quest = allowed(lambda: grammar_hops.draw_quest(
        rng, grammar_hops.draw_name(rng), rng.randint(0, grammar_hops.MOST_HOPS)))
    return grammar_hops.answered(quest, rng)


MIXTURES = {
    "nano": [
        (5, math),
        (2.4, lambda rng, stage: grammar_math.drills(rng, stage.small_operands)),
        (4, lambda rng, stage: grammar_facts.answered(rng, grammar_facts.among(stage.names))),
        (6, lambda rng, stage: lookups.rows(
            grammar_facts.TABLE, rng, grammar_facts.among(stage.names))),
        (2.5, lambda rng, stage: lookups.statements(
            grammar_facts.TABLE, rng, grammar_facts.among(stage.names))),
    ],
    "nano2": [
        (3, reckoning),
        (4, lambda rng, stage: grammar_reckoning.drills(rng)),
        (3.5, quest),
        (3, lambda rng, stage: lookups.rows(grammar_hops.TABLE, rng, grammar_hops.draw_name)),
        (0.5, lambda rng, stage: lookups.statements(grammar_hops.TABLE, rng, grammar_hops.draw_name)),
    ],
}
"""By family: parts of the documents, and how one is drawn."""


def draw_document(rng: Random, family: str, stage: Curriculum = WHOLE) -> Document:
    """One document; never a problem of a benchmark."""
    parts, kinds = zip(*MIXTURES[family])
    return rng.choices(kinds, parts)[0](rng, stage)
