"""Trains one model: `python train.py nano-0.5m --runs DIR`; run again to resume."""

import argparse
import os
import time
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

import torch
import torch.nn.functional as F

import tokenizer as nano_tokenizer
from batches import Batch, draw_step
from mixture import Curriculum
from model import InBlocks, Qwen3
from optimizer import Optimizer, rate_at
from sizes import SIZES


BALANCE = 0.01
"""The weight of using experts unlike, for each token."""


def loss_of(model: Qwen3, batch: Batch) -> torch.Tensor:
    """Summed cross-entropy of the tokens to be learned."""
    hidden = model.hidden(batch.tokens, batch.positions, InBlocks(batch.blocks))
    learned = batch.learned
    logits = model.logits(hidden[learned])
    return F.cross_entropy(logits.float(), batch.targets[learned], reduction="sum")


class Run:
    """A model in training, saved as one file."""

    def __init__(self, name: str, folder: Path, tokens: int | None = None):
        self.size = SIZES[name]
        self.plan = self.size.training
        if tokens:
            self.plan = replace(self.plan, tokens=tokens, further=())
        self.path = folder / f"{name}.pt"
        self.model = Qwen3(self.size)
        self.model.initialize(self.plan.seed)
        self.optimizer = Optimizer(self.model, self.plan.muon_rate)
        self.step = self.tokens = 0
        if self.plan.begins_with and not self.path.exists():
            raise SystemExit(f"{self.path} is not there: {name} begins with {self.plan.begins_with}; run upcycle.py first")
        if self.path.exists():
            saved = torch.load(self.path, weights_only=True)
            self.model.load_state_dict(saved["model"])
            if saved["optimizer"]:
                self.optimizer.load_state_dict(saved["optimizer"])
            self.step, self.tokens = saved["step"], saved["tokens"]

    @property
    def last(self) -> int:
        """Tokens after which training ends."""
        return self.plan.tokens + sum(self.plan.further)

    @property
    def progress(self) -> float:
        return self.tokens / self.plan.tokens

    def advance(self, tokenizer, precision) -> float:
        """One step on fresh documents; the mean loss of its tokens."""
        stage = Curriculum.at(self.progress, self.plan)
        parts = draw_step(self.size.family, tokenizer, self.plan.seed, self.step, stage)
        learned = sum(len(part.learned) for part in parts)
        total = 0.0
        for part in parts:
            with precision:
                loss = loss_of(self.model, part) / learned
            (loss + BALANCE * part.count * self.model.imbalance() / learned).backward()
            total += loss.item()
        self.optimizer.step(rate_at(self.step, self.tokens, self.plan))
        self.step += 1
        self.tokens += sum(part.count for part in parts)
        return total

    def save(self):
        """Replaces the file as a whole, so that a kill leaves the old one or the new one."""
        partial = self.path.with_suffix(".partial")
        torch.save({"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                    "step": self.step, "tokens": self.tokens, "plan": asdict(self.plan)}, partial)
        os.replace(partial, self.path)


def report(run: Run, losses: list[float], speed: float):
    left = max(run.last - run.tokens, 0) / speed / 60
    print(f"{time.strftime('%H:%M:%S')} step {run.step} tokens {run.tokens / 1e6:.2f}M"
          f" ({100 * run.progress:.1f} %) loss {sum(losses) / len(losses):.4f}"
          f" {speed:.0f} tokens/s ETA {left:.1f} min", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=SIZES)
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="folder of checkpoints")
    parser.add_argument("--tokenizer", type=Path, required=True, help="folder of tokenizer.json")
    parser.add_argument("--tokens", type=float, help="millions, in one round, instead of what is planned")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--every", type=int, default=50, help="steps between reports")
    parser.add_argument("--float32", action="store_true", help="no bfloat16 autocast")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    options.runs.mkdir(parents=True, exist_ok=True)
    tokenizer = nano_tokenizer.load(options.tokenizer)
    precision = nullcontext() if options.float32 else torch.autocast("cpu", torch.bfloat16)
    tokens = round(1e6 * options.tokens) if options.tokens else None
    run, losses = Run(options.name, options.runs, tokens), []
    started, tokens = time.monotonic(), run.tokens
    while run.tokens < run.last:
        losses.append(run.advance(tokenizer, precision))
        if run.step % options.every == 0:
            now = time.monotonic()
            report(run, losses, (run.tokens - tokens) / (now - started))
            losses, started, tokens = [], now, run.tokens
        if run.step % (2 * options.every) == 0:
            run.save()
    run.save()


if __name__ == "__main__":
    main()
