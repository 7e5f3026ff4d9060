"""nano-math: a start value and up to eight labelled steps; every value stays in 0...999."""

from random import Random

from chains import Chains, Problem, Step, Wording, drill
from document import Document

MOST_STEPS = 8
CHAINS = Chains(
    largest=999,
    wordings=(
        Wording("Start with {}. Then ", {"+": "add {}", "-": "subtract {}", "*": "multiply by {}"},
                ". What is the result?"),
        Wording("You have {} coins. Then you ",
                {"+": "get {} more", "-": "lose {}", "*": "have {} times as many"},
                ". How many coins?"),
    ),
    slip_rates=(0.33, 0.25, 0.2), longest=400, draws=1,
    line="{label} {value}{instruction}={result}\n")


def draw_step(value: int, rng: Random, small: bool) -> Step:
    """A step that keeps `value` in range; `small` makes most operands one digit."""
    while True:
        operation = rng.choices("+-*", (45, 35, 20))[0]
        if operation == "*":
            operand = rng.choice((2, 2, 3, 3, 4, 5))
        else:
            kind = rng.random()
            one, tens = (0.7, 0.8) if small else (0.35, 0.5)
            if kind < one:
                operand = rng.randint(1, 9)
            else:
                operand = 10 * rng.randint(1, 9) if kind < tens else rng.randint(10, 99)
        step = Step(operation, operand)
        if 0 <= step.applied(value) <= CHAINS.largest:
            return step


def draw_problem(rng: Random, steps: int, small: bool = False) -> Problem:
    start = value = rng.randint(2, 99)
    chosen = []
    for _ in range(steps):
        chosen.append(draw_step(value, rng, small))
        value = chosen[-1].applied(value)
    return Problem(start, tuple(chosen))


def drills(rng: Random, small: bool = False) -> Document:
    """Twelve single steps, all right."""
    lines = []
    for _ in range(12):
        value = rng.randint(0, CHAINS.largest if rng.random() < 0.7 else 99)
        lines.append((value, draw_step(value, rng, small)))
    return drill(lines)
