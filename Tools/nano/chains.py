"""Chains of labelled steps with integers, solved in attempts that may slip: what both mathematics tasks share."""

import re
from collections import Counter
from dataclasses import dataclass, replace
from random import Random

from document import Document, Piece, finished, forced

LABELS = "abcdefghij"


def calculated(value: int, operation: str, operand: int) -> int:
    match operation:
        case "+":
            return value + operand
        case "-":
            return value - operand
        case _:
            return value * operand


@dataclass(frozen=True)
class Step:
    operation: str
    """`+`, `-` or `*`."""
    operand: int
    more: tuple[tuple[str, int], ...] = ()
    """Operations and operands that follow within the step, from left to right."""
    modulus: int = 0
    """What the result is reduced by; 0 for nothing."""

    def applied(self, value: int) -> int:
        for operation, operand in ((self.operation, self.operand), *self.more):
            value = calculated(value, operation, operand)
        return value % self.modulus if self.modulus else value

    @property
    def instruction(self) -> str:
        """What to do, such as `*7+3`."""
        return "".join(f"{sign}{number}" for sign, number in ((self.operation, self.operand), *self.more))

    def slips(self, value: int) -> list[int]:
        """The wrong results that come from forgetting one carry or borrow, or the last of several operations."""
        result, operand = self.applied(value), self.operand
        if self.more:
            return [slip for slip in [replace(self, more=self.more[:-1]).applied(value)] if slip != result]
        if self.modulus:
            return []
        wrong = []
        for unit in (10, 100):
            low = value % unit
            if self.operation == "+" and low + operand % unit >= unit:
                wrong.append(result - unit)
            elif self.operation == "-" and low < operand % unit:
                wrong.append(result + unit)
            elif self.operation == "*" and low * operand >= unit:
                wrong.append(result - low * operand // unit * unit)
        return [slip for slip in dict.fromkeys(wrong) if slip != result]


@dataclass(frozen=True)
class Problem:
    start: int
    steps: tuple[Step, ...]

    @property
    def answer(self) -> int:
        return follow(self.start, self.steps)[-1]


def follow(value: int, steps) -> list[int]:
    """The results of `steps`, which go on from `value`."""
    results = []
    for step in steps:
        value = step.applied(value)
        results.append(value)
    return results


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


def drill(lines) -> Document:
    """Single steps given as (value, step), all right."""
    pieces = []
    for value, step in lines:
        pieces.append(Piece(f"{value}{step.instruction}=", False))
        pieces.append(Piece(f"{step.applied(value)}\n", True))
    return Document(pieces)


@dataclass(frozen=True)
class Wording:
    opening: str
    phrases: dict[str, str]
    """What to do, by operation; `{}` is the operand."""
    closing: str
    step: str = "({label}) {instruction}"
    between: str = ", "


@dataclass(frozen=True)
class Chains:
    """A task: how its problems are worded and how thoughts about them go."""

    largest: int
    """No result leaves 0...largest."""
    wordings: tuple[Wording, ...]
    slip_rates: tuple[float, ...]
    """Chance to forget a carry, in the first, second and every later attempt."""
    longest: int
    """Characters of a thought at most."""
    draws: int
    """The length of a forced thought is the least of so many draws."""
    line: str
    """How a step is written down, of `label`, `value`, `instruction` and `result`."""

    def question(self, problem: Problem, wording: int) -> str:
        words = self.wordings[wording]
        steps = (words.step.format(label=label, instruction="".join(
                     words.phrases[operation].format(operand)
                     for operation, operand in ((step.operation, step.operand), *step.more)))
                 for label, step in zip(LABELS, problem.steps))
        return words.opening.format(problem.start) + words.between.join(steps) + words.closing

    def attempts(self, problem: Problem, rng: Random):
        """Texts of one attempt after the other, without end.

        A step slips only where the rest of the attempt stays in range, and never where an earlier
        attempt slipped: a copied result is then never the best guess, and attempts are independent.
        """
        slipped, number = set(), 0
        while True:
            rate = self.slip_rates[min(number, len(self.slip_rates) - 1)]
            banned = frozenset(slipped)
            value, lines = problem.start, []
            for index, step in enumerate(problem.steps):
                result = step.applied(value)
                if (value, step) not in banned and rng.random() < rate:
                    wrong = [slip for slip in step.slips(value)
                             if self.fits(slip, problem.steps[index + 1:])]
                    if wrong:
                        slipped.add((value, step))
                        result = rng.choice(wrong)
                lines.append(self.line.format(
                    label=LABELS[index], value=value, instruction=step.instruction, result=result))
                value = result
            yield "".join(lines) + f"So {value}.\n"
            number += 1

    def fits(self, value: int, steps) -> bool:
        return all(0 <= result <= self.largest for result in (value, *follow(value, steps)))

    def natural_thought(self, problem: Problem, rng: Random) -> str:
        """Attempts until two agree; a right first attempt is left alone in 40 of 100 cases."""
        while True:
            thought, values, answer = "", [], problem.answer
            one_is_enough = rng.random() < 0.4
            for attempt in self.attempts(problem, rng):
                longer = thought + ("Wait\n" if thought else "") + attempt
                if len(longer) > self.longest:
                    return thought
                thought, value = longer, conclusions(attempt)[0]
                if value in values:
                    if value == answer:
                        return thought
                    break  # two agree on a wrong value: draw the whole trace again
                values.append(value)
                if one_is_enough and values == [answer]:
                    return thought

    def forced_thought(self, problem: Problem, rng: Random) -> str:
        """Attempts up to a random length, cut at the end of one (40 of 100 cases) or anywhere."""
        longest = self.longest + 30
        length = min(rng.randint(20, longest) for _ in range(self.draws))
        thought, last = "", ""
        for attempt in self.attempts(problem, rng):
            last = thought
            thought += ("Wait\n" if thought else "") + attempt
            if len(thought) >= length:
                break
        if rng.random() < 0.4:
            return last if last and len(thought) > longest else thought
        tokens = re.findall(r"Wait|So|\.\n|.|\n", thought)
        while sum(map(len, tokens)) > length:
            tokens.pop()
        return "".join(tokens)

    def solved(self, problem: Problem, rng: Random) -> Document:
        """A worded problem with a reply."""
        question = self.question(problem, rng.randrange(len(self.wordings)))
        if rng.random() < 0.6:
            thought = self.natural_thought(problem, rng)
            return finished(question, thought, str(conclude(thought, problem)))
        thought = self.forced_thought(problem, rng)
        return forced(question, thought, str(conclude(thought, problem)))
