"""What nano-reckoning allows: accuracy by the length of forced thoughts, without a model. Takes seconds.

    python ideal.py

The reader of a problem slips at random as the texts do, sharpened by the temperature of sampling, and does a share of
all steps of two operations wrong, the same ones every time: what a model of a size never learned. Answers with the most frequent result,
among equals the latest. Thoughts are measured in characters, nearly all of which are tokens of their own.
"""

import re
from collections import Counter
from dataclasses import replace
from random import Random

import benchmarks
import grammar_reckoning
from chains import Problem, Step, conclusions

TEMPERATURE = 0.6
LENGTHS = [32, 64, 96, 128, 192, 256, 384]
NEVER_LEARNED = [0, 0.02, 0.1, 0.3]


def sharpened(rate: float) -> float:
    """How often a slip of this probability is sampled."""
    right, wrong = (chance ** (1 / TEMPERATURE) for chance in (1 - rate, rate))
    return wrong / (wrong + right)


def attempted(problem: Problem, share: float) -> Problem:
    """The problem as who does so large a share of the steps of two operations wrong sees it."""

    class Believed(Step):
        def applied(self, value: int) -> int:
            result = super().applied(value)
            unknown = self.more and Random(f"{value}{self.instruction}").random() < share
            return (result + 1) % 10 if unknown else result

    return replace(problem, steps=tuple(
        Believed(step.operation, step.operand, step.more, step.modulus) for step in problem.steps))


def thought(problem: Problem, rng: Random) -> str:
    rates = tuple(map(sharpened, grammar_reckoning.CHAINS.slip_rates))
    text = ""
    for attempt in replace(grammar_reckoning.CHAINS, slip_rates=rates).attempts(problem, rng):
        text += ("Wait\n" if text else "") + attempt
        if len(text) > max(LENGTHS):
            return text


def answered(text: str) -> int | None:
    values = conclusions(text) or [int(result) for result in re.findall(r"=(\d+)\n", text)[-1:]]
    return max(reversed(values), key=Counter(values).get, default=None)


def main():
    print("| never learned | " + " | ".join(map(str, LENGTHS)) + " |")
    print("|---" * (len(LENGTHS) + 1) + "|")
    problems = benchmarks.reckoning_problems("tuning")
    for share in NEVER_LEARNED:
        rng, right = Random("nano ideal"), Counter()
        for problem in problems:
            text = thought(attempted(problem, share), rng)
            for length in LENGTHS:
                right[length] += answered(text[:length]) == problem.answer
        cells = (f"{100 * right[length] / len(problems):.0f}" for length in LENGTHS)
        print(f"| {100 * share:.0f} % | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
