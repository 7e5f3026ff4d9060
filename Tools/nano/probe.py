"""What a checkpoint holds, piece by piece: `python probe.py nano2-0.3m --tokenizer runs`.

The share of single steps, by kind, and of values in the table, by the fame of their names, whose every token is the
likeliest one. Takes seconds, so a run can be followed; accuracy on the benchmarks is what `bitbudget evaluate` measures.
"""

import argparse
from pathlib import Path
from random import Random

import torch

import grammar_hops
import grammar_reckoning
import lookups
import tokenizer as nano_tokenizer
from batches import arranged
from drawing import encoded
from model import InBlocks, Qwen3
from sizes import NANO2, SIZES

KINDS = {1: "one operation", 2: "two operations"}


def step_documents(rng: Random, count: int):
    """Drills of one kind each, by its name."""
    return {name: [grammar_reckoning.drill(
                       [(rng.randint(0, 9), grammar_reckoning.draw_step(rng, operations)) for _ in range(12)])
                   for _ in range(count)]
            for operations, name in KINDS.items()}


def row_documents(rng: Random, count: int):
    """Rows of the table, by the quarter of the list of names that they are from."""
    quarter = grammar_hops.COUNT // 4
    return {
        f"names {1 + n * quarter}-{(n + 1) * quarter}":
            [lookups.rows(grammar_hops.TABLE, rng, lambda rng: grammar_hops.NAMES[n * quarter + rng.randrange(quarter)])
             for _ in range(count)]
        for n in range(4)
    }


@torch.no_grad()
def share_right(model: Qwen3, tokenizer, documents) -> float:
    """Of the runs of tokens with loss, which are one answer each, those that are right from end to end."""
    right = total = 0
    for ids, loss in encoded(documents, tokenizer):
        batch = arranged([(ids, loss)])
        likeliest = model.logits(model.hidden(batch.tokens, batch.positions, InBlocks(batch.blocks))).argmax(-1).tolist()
        answer = None
        for place in range(1, len(ids) + 1):
            if place < len(ids) and loss[place]:
                answer = (answer is None or answer) and likeliest[place - 1] == ids[place]
            elif answer is not None:
                right, total, answer = right + answer, total + 1, None
    return right / total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=[name for name, size in SIZES.items() if size.family == NANO2])
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of checkpoints")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder of tokenizer.json")
    parser.add_argument("--count", type=int, default=10, help="documents of each kind")
    options = parser.parse_args()
    torch.set_num_threads(1)
    tokenizer, rng = nano_tokenizer.load(options.tokenizer), Random("nano probe")
    documents = step_documents(rng, options.count) | row_documents(rng, options.count)
    for name in options.names:
        model = Qwen3(SIZES[name])
        saved = torch.load(options.runs / f"{name}.pt", weights_only=True)
        model.load_state_dict(saved["model"])
        shares = (f"{kind} {100 * share_right(model, tokenizer, texts):.0f}" for kind, texts in documents.items())
        print(f"{name}, {saved['tokens'] / 1e6:.1f}M tokens: " + ", ".join(shares), flush=True)


if __name__ == "__main__":
    main()
