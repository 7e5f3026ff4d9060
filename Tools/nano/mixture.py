"""Documents of both tasks and their supporting texts, in fixed proportions."""

from dataclasses import dataclass
from random import Random

import benchmarks
import grammar_facts
import grammar_math
from document import Document
from sizes import Training

PROPORTIONS = {"math": 5, "drills": 2.4, "questions": 4, "rows": 6, "statements": 2.5}


@dataclass(frozen=True)
class Curriculum:
    """What is drawn from at one point of a run."""

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


def draw_document(rng: Random, stage: Curriculum = WHOLE) -> Document:
    """One document; never a problem of the benchmark."""
    kind = rng.choices(list(PROPORTIONS), list(PROPORTIONS.values()))[0]
    if kind == "math":
        while True:
            steps = rng.randint(1, grammar_math.MOST_STEPS)
            problem = grammar_math.draw_problem(rng, steps, stage.small_operands)
            if problem not in benchmarks.held_out_problems():
                return grammar_math.solved(problem, rng)
    if kind == "drills":
        return grammar_math.drills(rng, stage.small_operands)
    if kind == "questions":
        return grammar_facts.answered(rng, stage.names)
    if kind == "rows":
        return grammar_facts.rows(rng, stage.names)
    return grammar_facts.statements(rng, stage.names)
