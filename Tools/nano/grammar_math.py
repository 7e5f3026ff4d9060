"""nano-math: a start value and up to eight labelled steps, solved in attempts that may slip."""

import re
from collections import Counter
from dataclasses import dataclass
from random import Random

from document import Document, Piece, finished, forced

LARGEST = 999
MOST_STEPS = 8
LABELS = "abcdefgh"
SLIP_RATES = [0.33, 0.25, 0.2]
"""Chance to forget a carry, in the first, second and every later attempt."""
LONGEST_THOUGHT = 400

WORDINGS = [
    ("Start with {}. Then ", {"+": "add {}", "-": "subtract {}", "*": "multiply by {}"},
     ". What is the result?"),
    ("You have {} coins. Then you ",
     {"+": "get {} more", "-": "lose {}", "*": "have {} times as many"}, ". How many coins?"),
]


@dataclass(frozen=True)
class Step:
    operation: str
    operand: int

    def applied(self, value: int) -> int:
        if self.operation == "+":
            return value + self.operand
        return value - self.operand if self.operation == "-" else value * self.operand

    def slips(self, value: int) -> list[int]:
        """The wrong results that come from forgetting one carry or borrow; [] without any."""
        result, operand = self.applied(value), self.operand
        wrong = []
        for unit in (10, 100):
            low = value % unit
            if self.operation == "+" and low + operand % unit >= unit:
                wrong.append(result - unit)
            elif self.operation == "-" and low < operand % unit:
                wrong.append(result + unit)
            elif self.operation == "*" and low * operand >= unit:
                wrong.append(result - low * operand // unit * unit)
        return wrong


@dataclass(frozen=True)
class Problem:
    start: int
    steps: tuple[Step, ...]

    @property
    def answer(self) -> int:
        return run(self.start, self.steps)

    def question(self, wording: int) -> str:
        opening, phrases, closing = WORDINGS[wording]
        steps = (f"({label}) " + phrases[step.operation].format(step.operand)
                 for label, step in zip(LABELS, self.steps))
        return opening.format(self.start) + ", ".join(steps) + closing


def run(value: int, steps) -> int | None:
    """The value after the steps, or None where one of them leaves 0...999."""
    for step in steps:
        value = step.applied(value)
        if not 0 <= value <= LARGEST:
            return None
    return value


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
        if 0 <= step.applied(value) <= LARGEST:
            return step


def draw_problem(rng: Random, steps: int, small: bool = False) -> Problem:
    start = value = rng.randint(2, 99)
    chosen = []
    for _ in range(steps):
        chosen.append(draw_step(value, rng, small))
        value = chosen[-1].applied(value)
    return Problem(start, tuple(chosen))


def attempts(problem: Problem, rng: Random):
    """Texts of one attempt after the other, without end.

    A step slips only where the rest of the attempt stays in range, and never where an earlier
    attempt slipped: a copied result is then never the best guess, and attempts are independent.
    """
    slipped = set()
    number = 0
    while True:
        rate = SLIP_RATES[min(number, len(SLIP_RATES) - 1)]
        banned = frozenset(slipped)
        value, lines = problem.start, []
        for index, step in enumerate(problem.steps):
            result = step.applied(value)
            if (value, step) not in banned and rng.random() < rate:
                rest = problem.steps[index + 1:]
                wrong = [slip for slip in step.slips(value) if run(slip, rest) is not None]
                if wrong:
                    slipped.add((value, step))
                    result = rng.choice(wrong)
            lines.append(f"{LABELS[index]} {value}{step.operation}{step.operand}={result}\n")
            value = result
        yield "".join(lines) + f"So {value}.\n"
        number += 1


def conclusions(thought: str) -> list[int]:
    """The values of the finished attempts."""
    return [int(value) for value in re.findall(r"So (\d+)\.\n", thought)]


def conclude(thought: str, problem: Problem) -> int:
    """What a thought, perhaps cut short, leaves to answer.

    The most frequent conclusion; among equals the right one if it is there, else the latest;
    without any, the latest intermediate value.
    """
    values = conclusions(thought)
    if not values:
        results = re.findall(r"=(\d+)\n", thought)
        return int(results[-1]) if results else problem.start
    counts = Counter(values)
    best = [value for value in values if counts[value] == max(counts.values())]
    return problem.answer if problem.answer in best else best[-1]


def natural_thought(problem: Problem, rng: Random) -> str:
    """Attempts until two agree; a right first attempt is left alone in 40 of 100 cases."""
    while True:
        thought, values, answer = "", [], problem.answer
        one_is_enough = rng.random() < 0.4
        for attempt in attempts(problem, rng):
            longer = thought + ("Wait\n" if thought else "") + attempt
            if len(longer) > LONGEST_THOUGHT:
                return thought
            thought, value = longer, conclusions(attempt)[0]
            if value in values:
                if value == answer:
                    return thought
                break  # two agree on a wrong value: draw the whole trace again
            values.append(value)
            if one_is_enough and values == [answer]:
                return thought


def forced_thought(problem: Problem, rng: Random) -> str:
    """Attempts up to a random length, cut at the end of one (40 of 100 cases) or anywhere."""
    length = rng.randint(20, 430)
    thought, last = "", ""
    for attempt in attempts(problem, rng):
        last = thought
        thought += ("Wait\n" if thought else "") + attempt
        if len(thought) >= length:
            break
    if rng.random() < 0.4:
        return last if last and len(thought) > 430 else thought
    tokens = re.findall(r"Wait|So|\.\n|.|\n", thought)
    while sum(map(len, tokens)) > length:
        tokens.pop()
    return "".join(tokens)


def solved(problem: Problem, rng: Random) -> Document:
    """A worded problem with a reply."""
    question = problem.question(rng.randrange(len(WORDINGS)))
    if rng.random() < 0.6:
        thought = natural_thought(problem, rng)
        return finished(question, thought, str(conclude(thought, problem)))
    thought = forced_thought(problem, rng)
    return forced(question, thought, str(conclude(thought, problem)))


def drills(rng: Random, small: bool = False) -> Document:
    """Twelve single steps, all right."""
    pieces = []
    for _ in range(12):
        value = rng.randint(0, LARGEST if rng.random() < 0.7 else 99)
        step = draw_step(value, rng, small)
        pieces.append(Piece(f"{value}{step.operation}{step.operand}=", False))
        pieces.append(Piece(f"{step.applied(value)}\n", True))
    return Document(pieces)
