"""The held-out problems of nano-math and nano-facts."""

from functools import cache
from random import Random

import grammar_facts
import grammar_math

COUNT = 400


@cache
def math_problems() -> list[grammar_math.Problem]:
    """Different problems, one to eight steps in equal parts."""
    rng = Random("nano-math benchmark")
    problems = {}
    while len(problems) < COUNT:
        steps = len(problems) % grammar_math.MOST_STEPS + 1
        problems.setdefault(grammar_math.draw_problem(rng, steps))
    return list(problems)


@cache
def held_out_problems() -> frozenset[grammar_math.Problem]:
    """What training must never draw, in any wording."""
    return frozenset(math_problems())


def math_rows() -> list[dict]:
    return [
        {
            "id": f"nano-math-{index:04}",
            "question": problem.question(index // grammar_math.MOST_STEPS % 2),
            "answer": str(problem.answer),
            "steps": len(problem.steps),
        }
        for index, problem in enumerate(math_problems())
    ]


def facts_rows() -> list[dict]:
    """Different facts, drawn from all names, in the held-out wordings."""
    rng = Random("nano-facts benchmark")
    facts = {}
    while len(facts) < COUNT:
        facts.setdefault(grammar_facts.draw_fact(rng, len(grammar_facts.NAMES)))
    wordings = grammar_facts.HELD_OUT_WORDINGS
    return [
        {
            "id": f"nano-facts-{index:04}",
            "question": fact.question(wordings[index % len(wordings)], rng),
            "answer": fact.value,
            "name": fact.name,
            "attribute": fact.attribute,
        }
        for index, fact in enumerate(facts)
    ]
