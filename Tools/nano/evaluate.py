"""Measures models: `python evaluate.py nano-0.5m --resources DIR`; results.json is updated.

Accuracy of nano-math against a forced budget and over majorities, natural replies, nano-facts, and
all of it again with weights rounded to 8, 4 and 3 bits.
"""

import argparse
import json
import time
from collections import Counter
from pathlib import Path

import torch

from sampler import Sampler, read_benchmark
from sizes import SIZES

BUDGETS = [32, 64, 96, 128, 192, 256, 384]
VOTES = [1, 3, 4, 8]
FACTS_BUDGETS = [4, 8, 32]
BITS = [8, 4, 3]
ROUNDED_BUDGETS = [128, 384]
SEED = 1


def percent(hits) -> float:
    hits = list(hits)
    return round(100 * sum(hits) / len(hits), 1)


def majority(answers: list[str]) -> str:
    """The most frequent answer; among equals the first."""
    return Counter(answers).most_common(1)[0][0]


def voted(answers: list[list[str]], right: list[str], votes: int) -> float:
    """Accuracy of the majority of `votes` samples, over all whole groups of the samples."""
    groups = range(0, len(answers[0]) - votes + 1, votes)
    return percent(majority(row[start:start + votes]) == answer
                   for row, answer in zip(answers, right) for start in groups)


def round_weights(model, bits: int, group: int):
    """Rounds the layers' matrices to nearest: symmetric, one scale per `group` inputs."""
    largest = 2 ** (bits - 1) - 1
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 2 and "layers" in name:
                groups = weight.unflatten(1, (-1, group))
                scale = groups.abs().amax(-1, keepdim=True) / largest
                codes = (groups / scale.clamp(min=1e-12)).round().clamp(-largest - 1, largest)
                weight.copy_((codes * scale).flatten(1))


def forced_samples(sampler: Sampler, questions: list[str], budgets: list[int], samples: int):
    """[budget][problem][sample] answers."""
    answers = sampler.forced([q for q in questions for _ in range(samples)], budgets)
    return [[[answers[p * samples + s][b] for s in range(samples)] for p in range(len(questions))]
            for b in range(len(budgets))]


def natural(sampler: Sampler, questions: list[str], right: list[str]) -> dict:
    replies = sampler.natural(questions)
    return {
        "accuracy": percent(reply[0] == answer for reply, answer in zip(replies, right)),
        "mean_tokens": round(sum(reply[1] for reply in replies) / len(replies), 1),
        "ended": percent(reply[2] for reply in replies),
    }


def measure(folder: Path, resources: Path, problems: int, samples: int) -> dict:
    """Everything about one model."""
    math, math_answers = read_benchmark(resources / "nano-math.jsonl", problems)
    facts, facts_answers = read_benchmark(resources / "nano-facts.jsonl", problems)
    sampler = Sampler(folder, SEED)
    by_budget = forced_samples(sampler, math, BUDGETS, samples)
    facts_by_budget = forced_samples(sampler, facts, FACTS_BUDGETS, 1)
    result = {
        "training": json.loads((folder / "config.json").read_text())["nano_training"],
        "problems": problems,
        "math_forced": {
            budget: {votes: voted(answers, math_answers, votes)
                     for votes in VOTES if votes <= samples}
            for budget, answers in zip(BUDGETS, by_budget)},
        "math_natural": natural(sampler, math, math_answers),
        "facts_forced": {budget: voted(answers, facts_answers, 1)
                         for budget, answers in zip(FACTS_BUDGETS, facts_by_budget)},
        "facts_natural": natural(sampler, facts, facts_answers),
        "rounded": {},
    }
    for bits in BITS:
        sampler = Sampler(folder, SEED)
        round_weights(sampler.model, bits, SIZES[folder.name].group)
        by_budget = forced_samples(sampler, math, ROUNDED_BUDGETS, 2)
        facts_answered = forced_samples(sampler, facts, [32], 1)
        result["rounded"][bits] = {
            "math": {budget: voted(answers, math_answers, 1)
                     for budget, answers in zip(ROUNDED_BUDGETS, by_budget)},
            "facts": voted(facts_answered[0], facts_answers, 1)}
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="+", choices=SIZES)
    parser.add_argument("--resources", type=Path, required=True, help="models and benchmarks")
    parser.add_argument("--results", type=Path, default=Path(__file__).with_name("results.json"))
    parser.add_argument("--problems", type=int, default=200)
    parser.add_argument("--samples", type=int, default=8, help="samples per nano-math problem")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for name in options.names:
        started = time.monotonic()
        result = measure(
            options.resources / name, options.resources, options.problems, options.samples)
        known = json.loads(options.results.read_text()) if options.results.exists() else {}
        known[name] = result
        ordered = {known_name: known[known_name] for known_name in SIZES if known_name in known}
        options.results.write_text(json.dumps(ordered, indent=2) + "\n")
        print(f"{name} ({time.monotonic() - started:.0f} s): {json.dumps(result, indent=2)}")


if __name__ == "__main__":
    main()
