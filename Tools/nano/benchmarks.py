"""The held-out problems of all tasks."""

from functools import cache, partial
from random import Random

import grammar_facts
import grammar_hops
import grammar_math
import grammar_reckoning
from chains import Problem
from lookups import HELD_OUT_WORDINGS, draw_fact

COUNT = 400


@cache
def math_problems() -> list[Problem]:
    """Different problems, one to eight steps in equal parts."""
    return problems("nano-math benchmark", grammar_math)


SPLITS = ["test", "tuning"]
"""What the study asks, and what choices may be made by; they share nothing, and training draws neither."""


def titled(name: str, split: str) -> str:
    """What the ids of a split begin with."""
    return name if split == "test" else f"{name}-{split}"


def earlier(split: str, drawn) -> set:
    """What the splits before this one ask."""
    return {problem for other in SPLITS[:SPLITS.index(split)] for problem in drawn(other)}


@cache
def reckoning_problems(split: str) -> list[Problem]:
    """Different problems, one to six steps in equal parts."""
    return problems(f"nano-reckoning {split}", grammar_reckoning, earlier(split, reckoning_problems))


def problems(seed: str, grammar, taken=()) -> list[Problem]:
    rng, found = Random(seed), {}
    while len(found) < COUNT:
        problem = grammar.draw_problem(rng, len(found) % grammar.MOST_STEPS + 1)
        if problem not in taken:
            found.setdefault(problem)
    return list(found)


@cache
def quests(split: str) -> list[grammar_hops.Quest]:
    """Different questions through no, one and two names in equal parts; all names alike."""
    rng, found, taken = Random(f"nano-hops {split}"), {}, earlier(split, quests)
    while len(found) < COUNT:
        name = rng.choice(grammar_hops.NAMES)
        quest = grammar_hops.draw_quest(rng, name, len(found) % (grammar_hops.MOST_HOPS + 1))
        if quest not in taken:
            found.setdefault(quest)
    return list(found)


@cache
def held_out() -> frozenset:
    """Problems that training must never draw, in any wording.

    Of the quests those through other names: what is asked directly has to be learned, in other words.
    """
    hops = [quest for split in SPLITS for quest in quests(split) if len(quest.path) > 1]
    reckoning = [problem for split in SPLITS for problem in reckoning_problems(split)]
    return frozenset([*math_problems(), *reckoning, *hops])


def chain_rows(name: str, found: list[Problem], grammar) -> list[dict]:
    chains = grammar.CHAINS
    return [
        {
            "id": f"{name}-{index:04}",
            "question": chains.question(
                problem, index // grammar.MOST_STEPS % len(chains.wordings)),
            "answer": str(problem.answer),
            "steps": len(problem.steps),
        }
        for index, problem in enumerate(found)
    ]


def math_rows() -> list[dict]:
    return chain_rows("nano-math", math_problems(), grammar_math)


def reckoning_rows(split: str) -> list[dict]:
    return chain_rows(titled("nano-reckoning", split), reckoning_problems(split), grammar_reckoning)


def facts_rows() -> list[dict]:
    """Different facts, drawn from all names, in the held-out wordings."""
    rng, everyone = Random("nano-facts benchmark"), grammar_facts.among(len(grammar_facts.NAMES))
    facts = {}
    while len(facts) < COUNT:
        facts.setdefault(draw_fact(grammar_facts.TABLE, rng, everyone))
    wordings = HELD_OUT_WORDINGS
    return [
        {
            "id": f"nano-facts-{index:04}",
            "question": grammar_facts.question(fact, wordings[index % len(wordings)], rng),
            "answer": fact.value,
            "name": fact.name,
            "attribute": fact.attribute,
        }
        for index, fact in enumerate(facts)
    ]


def hops_rows(split: str) -> list[dict]:
    """In the held-out wordings; rank 1 is the most famous name."""
    ranks = {name: rank for rank, name in enumerate(grammar_hops.NAMES, 1)}
    wordings = HELD_OUT_WORDINGS
    return [
        {
            "id": f"{titled('nano-hops', split)}-{index:04}",
            "question": quest.question(wordings[index // 3 % len(wordings)]),
            "answer": quest.answer,
            "hops": len(quest.path) - 1,
            "rank": ranks[quest.name],
        }
        for index, quest in enumerate(quests(split))
    ]


BENCHMARKS = {
    "nano": {"nano-math": math_rows, "nano-facts": facts_rows},
    "nano2": {"nano-reckoning": partial(reckoning_rows, "test"), "nano-hops": partial(hops_rows, "test"),
              "tuning/nano-reckoning": partial(reckoning_rows, "tuning"),
              "tuning/nano-hops": partial(hops_rows, "tuning")},
}
"""The rows of each benchmark, by family and name of the file."""
