"""Whether the second family was trained on what its benchmarks ask: `python contamination.py --resources DIR`.

Draws every document that each model's training draws again (they follow from the seeds), and looks in it, and in the calibration
text that ships, for the benchmarks' problems in all their wordings. Minutes on one core; exits with 1 where it finds any.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import benchmarks
import tokenizer as nano_tokenizer
from drawing import draw_documents
from grammar_reckoning import CHAINS
from lookups import HELD_OUT_WORDINGS, WORDINGS
from mixture import WHOLE
from sizes import NANO2, SIZES

USER = "<|im_start|>user\n"
END = "<|im_end|>"


def wordings() -> dict[str, str]:
    """What must not be trained on, by the benchmark that asks it: every problem of both splits in every wording, and the
    direct questions, whose facts are to be learned in other words, in those of the benchmark."""
    found = {}
    for split in benchmarks.SPLITS:
        for problem in benchmarks.reckoning_problems(split):
            found |= {CHAINS.question(problem, wording): f"nano-reckoning {split}" for wording in range(len(CHAINS.wordings))}
        for quest in benchmarks.quests(split):
            asked = HELD_OUT_WORDINGS if len(quest.path) == 1 else WORDINGS + HELD_OUT_WORDINGS
            found |= {quest.question(wording): f"nano-hops {split}" for wording in asked}
    return found


def asked(text: str) -> list[str]:
    """The questions in a document; drills, rows and statements have none."""
    return [part.split(END)[0].strip() for part in text.split(USER)[1:]]


class Exposure:
    """What was looked through, and what was found there."""

    def __init__(self, forbidden: dict[str, str]):
        self.forbidden = forbidden
        self.documents = self.questions = self.tokens = 0
        self.hits = Counter()

    def add(self, text: str, tokens: int = 0):
        self.documents += 1
        self.tokens += tokens
        for question in asked(text):
            self.questions += 1
            if question in self.forbidden:
                self.hits[self.forbidden[question]] += 1

    def line(self, name: str) -> str:
        found = ", ".join(f"{count} of {name}" for name, count in self.hits.items()) or "none of the benchmarks"
        return f"{name}: {self.tokens} tokens, {self.documents} documents, {self.questions} questions, {found}"


def of_training(name: str, tokenizer, forbidden: dict[str, str], tokens: int | None = None) -> Exposure:
    """What a model was trained on, or the first `tokens` of it."""
    size, exposure, step = SIZES[name], Exposure(forbidden), 0
    plan = size.training
    while exposure.tokens < (tokens or plan.tokens + sum(plan.further)):
        for document, (ids, _) in draw_documents(size.family, tokenizer, plan.seed, step, WHOLE):
            exposure.add(document.text, len(ids))
        step += 1
    return exposure


def of_calibration(resources: Path, forbidden: dict[str, str]) -> Exposure:
    """What quantizers are calibrated with."""
    exposure = Exposure(forbidden)
    for line in (resources / "calibration-nano2.jsonl").read_text().splitlines():
        exposure.add(json.loads(line)["text"])
    return exposure


def shipped(resources: Path) -> int:
    """How many problems ship, all of which have to be among the forbidden ones."""
    forbidden, rows = wordings(), []
    for name in ("nano-reckoning", "nano-hops"):
        rows += [json.loads(line)["question"] for line in (resources / f"{name}.jsonl").read_text().splitlines()]
    unknown = [question for question in rows if question not in forbidden]
    if unknown:
        raise SystemExit(f"{resources}: '{unknown[0]}' is no problem that training leaves out")
    return len(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--resources", type=Path, required=True, help="the folder of the shipped models")
    options = parser.parse_args()
    forbidden, hits = wordings(), Counter()
    print(f"{shipped(options.resources)} problems ship; {len(forbidden)} questions must not be trained on")
    names = [name for name, size in SIZES.items() if size.family is NANO2]
    tokenizer = nano_tokenizer.load(options.resources / names[0])
    exposures = [("calibration", lambda: of_calibration(options.resources, forbidden))]
    exposures += [(name, lambda name=name: of_training(name, tokenizer, forbidden)) for name in names]
    for name, look in exposures:
        exposure = look()
        print(exposure.line(name), flush=True)
        hits += exposure.hits
    raise SystemExit(1 if hits else 0)


if __name__ == "__main__":
    main()
