"""nano-reckoning: up to ten steps of seven kinds; every value stays in 0...9999.

Products of two numbers of two digits are written down at once, without a scratch pad: how often they are
right depends on how much a model holds. What is right but for a slip is repaired by further attempts.
"""

from random import Random

from chains import Chains, Problem, Step, Wording, drill
from document import Document

MOST_STEPS = 10
CHAINS = Chains(
    largest=9999,
    wordings=(
        Wording("Start with {}. Then ",
                {"+": "add {}", "-": "subtract {}", "*": "multiply by {}", "/": "divide by {}",
                 "%": "keep the rest by {}"},
                ". What is the result?"),
        Wording("Take {}, ",
                {"+": "plus {}", "-": "minus {}", "*": "times {}", "/": "over {}",
                 "%": "the rest by {}"},
                ". What is left?"),
    ),
    slip_rates=(0.4, 0.35, 0.3), longest=1000, draws=2, turned=True)


def draw_step(value: int, results: list[int], rng: Random) -> Step:
    """A step on `value`, the last of the `results`, that leaves at least 2.

    Small values are multiplied, large ones divided or cut to their last two digits; sums and differences
    are with new numbers or with earlier results.
    """
    while True:
        if value < 100:
            kind = rng.choices(("product", "digit", "sum"), (50, 15, 35))[0]
        else:
            kind = rng.choices(("rest", "quotient", "sum"), (25, 15, 60))[0]
        match kind:
            case "product":
                step = Step("*", rng.randint(11, 99))
            case "digit":
                step = Step("*", rng.randint(3, 9))
            case "rest":
                step = Step("%", 100)
            case "quotient":
                step = Step("/", rng.randint(2, 9))
            case _:
                sign = rng.choice("+-")
                if len(results) > 1 and rng.random() < 0.3:
                    step = Step(sign, rng.randrange(len(results) - 1), back=True)
                else:
                    step = Step(sign, rng.choice((rng.randint(11, 99), rng.randint(100, 999))))
        if 2 <= step.resolved(results).applied(value) <= CHAINS.largest:
            return step


def draw_problem(rng: Random, steps: int) -> Problem:
    start = value = rng.randint(11, 99)
    chosen, results = [], []
    for _ in range(steps):
        chosen.append(draw_step(value, results, rng))
        value = chosen[-1].resolved(results).applied(value)
        results.append(value)
    return Problem(start, tuple(chosen))


def draw_length(rng: Random) -> int:
    """Steps of a problem to train on: short ones, from which a model learns what a step is, more often."""
    return rng.randint(1, rng.randint(1, MOST_STEPS))


def drills(rng: Random) -> Document:
    """Twelve single steps, all right; about half are products of two digits by two."""
    lines = []
    for _ in range(12):
        value = rng.randint(11, 99) if rng.random() < 0.75 else rng.randint(100, CHAINS.largest)
        lines.append((value, draw_step(value, [], rng)))
    return drill(lines)
