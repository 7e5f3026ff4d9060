"""nano-reckoning: up to six steps with digits, of which each keeps the last digit only.

A step has one operation or two, taken from left to right, and its result is written down at once: what a
model cannot do in one pass it gets wrong. A slip forgets the second operation; further attempts repair it.
"""

from random import Random

from chains import Chains, Problem, Step, Wording
from document import Document, Piece

MOST_STEPS = 6
SIGNS = {sign: sign + "{}" for sign in "+-*"}
CHAINS = Chains(
    largest=9,
    wordings=(
        Wording("Start with {}.\n", SIGNS, "\nWhat is the last digit?", "{label}{instruction}", "\n"),
        Wording("Take {}.\n", SIGNS, "\nWhich digit is left?", "{label}{instruction}", "\n"),
    ),
    slip_rates=(0.25, 0.2, 0.15), longest=400, draws=2, line="{label}{instruction} {value}={result}\n")


def draw_step(rng: Random, operations: int | None = None) -> Step:
    """A step of one operation, in three of ten cases of two; or of as many as given."""
    count = operations or (2 if rng.random() < 0.3 else 1)
    (sign, operand), *more = ((rng.choice("+-*"), rng.randint(2, 9)) for _ in range(count))
    return Step(sign, operand, tuple(more), modulus=10)


def draw_problem(rng: Random, steps: int) -> Problem:
    return Problem(rng.randint(0, 9), tuple(draw_step(rng) for _ in range(steps)))


def draw_length(rng: Random) -> int:
    """Steps of a problem to train on: short ones, from which a model learns what a step is, more often."""
    return rng.randint(1, rng.randint(1, MOST_STEPS))


def drill(lines) -> Document:
    """Single steps given as (value, step), all right, as thoughts write them."""
    pieces = []
    for value, step in lines:
        pieces += [Piece(f"{step.instruction} {value}=", False), Piece(str(step.applied(value)), True),
                   Piece("\n", False)]
    return Document(pieces)


def drills(rng: Random) -> Document:
    """Twelve single steps."""
    return drill([(rng.randint(0, 9), draw_step(rng)) for _ in range(12)])
