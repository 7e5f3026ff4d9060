"""Batched sampling with budget forcing, on the trainer's own model."""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

import tokenizer as nano_tokenizer
from document import CUE, END_OF_TEXT, END_THINK, IM_END, prompt
from model import Qwen3
from sizes import SIZES

TEMPERATURE, TOP_K, TOP_P = 0.6, 20, 0.95
LONGEST_ANSWER = 8


def load(folder: Path) -> Qwen3:
    """The model of a folder, in float32."""
    model = Qwen3(SIZES[folder.name])
    weights = load_file(folder / "model.safetensors")
    model.load_state_dict({name: weight.float() for name, weight in weights.items()})
    return model.requires_grad_(False)


def draw(logits: Tensor, generator: torch.Generator) -> Tensor:
    """One token for each row of logits: temperature, then top-k, then top-p."""
    values, ids = logits.topk(TOP_K)
    probabilities = (values / TEMPERATURE).softmax(-1)
    before = probabilities.cumsum(-1) - probabilities
    probabilities = probabilities.masked_fill(before >= TOP_P, 0)
    return ids.gather(1, torch.multinomial(probabilities, 1, generator=generator)).squeeze(1)


class Decoder:
    """Sequences growing side by side over one key and value cache."""

    def __init__(self, model: Qwen3, sequences: list[list[int]], room: int):
        """Reads the sequences; each may then grow by `room` tokens."""
        self.model = model
        self.lengths = torch.tensor([len(sequence) for sequence in sequences])
        longest = int(self.lengths.max())
        size = model.size
        shape = (2, size.layers, len(sequences), longest + room, size.kv_heads, size.head_dim)
        self.cache = torch.zeros(shape)
        tokens = torch.tensor([s + [0] * (longest - len(s)) for s in sequences])
        positions = torch.arange(longest).expand(len(sequences), -1)
        hidden = self.advance(tokens, positions)
        rows = torch.arange(len(sequences))
        self.logits = model.logits(hidden[rows, self.lengths - 1])

    def advance(self, tokens: Tensor, positions: Tensor) -> Tensor:
        """Hidden states of `tokens` [sequences, new], whose keys and values join the cache.

        Padding leaves rubbish behind the end of a sequence; it is overwritten before it is seen.
        """
        rows = torch.arange(len(tokens))[:, None]
        seen = int(positions.max()) + 1
        mask = (torch.arange(seen) <= positions[..., None])[:, None]

        def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            keys, values = self.cache[:, layer]
            keys[rows, positions], values[rows, positions] = k, v
            heads = F.scaled_dot_product_attention(
                q.transpose(1, 2), keys[:, :seen].transpose(1, 2),
                values[:, :seen].transpose(1, 2), mask, enable_gqa=True)
            return heads.transpose(1, 2)

        return self.model.hidden(tokens, positions, attend)

    def append(self, tokens: Tensor):
        """One more token for every sequence."""
        hidden = self.advance(tokens[:, None], self.lengths[:, None])
        self.lengths += 1
        self.logits = self.model.logits(hidden[:, 0])


class Sampler:
    """Answers questions; `seed` and the order of the questions decide what is drawn."""

    def __init__(self, folder: Path, seed: int, batch: int = 200):
        self.model = load(folder)
        self.tokenizer = nano_tokenizer.load(folder)
        self.generator = torch.Generator().manual_seed(seed)
        self.batch = batch
        end_think, im_end, end_of_text, self.wait = map(
            self.tokenizer.token_to_id, (END_THINK, IM_END, END_OF_TEXT, "Wait"))
        self.ends = torch.tensor([im_end, end_of_text])
        self.thought_ends = torch.tensor([end_think, im_end, end_of_text])

    def encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def in_batches(self, function, items: list) -> list:
        results = []
        for start in range(0, len(items), self.batch):
            results += function(items[start:start + self.batch])
        return results

    def forced(self, questions: list[str], budgets: list[int]) -> list[list[str]]:
        """The answers after every budget of thought, of one thought per question.

        A thought that wants to end goes on with `Wait`; at the budget the cue asks for the answer.
        A longer budget prolongs the same thought, so one thought serves all budgets.
        """
        prompts = [self.encode(prompt(question)) for question in questions]
        thoughts = self.in_batches(lambda part: self.think(part, max(budgets)), prompts)
        cue = self.encode(CUE)
        by_budget = [
            self.in_batches(self.conclude, [p + t[:n] + cue for p, t in zip(prompts, thoughts)])
            for n in budgets]
        return [list(answers) for answers in zip(*by_budget)]

    def think(self, prompts: list[list[int]], budget: int) -> list[list[int]]:
        decoder = Decoder(self.model, prompts, budget)
        thought = []
        for _ in range(budget):
            token = draw(decoder.logits, self.generator)
            token[torch.isin(token, self.thought_ends)] = self.wait
            thought.append(token)
            decoder.append(token)
        return torch.stack(thought, 1).tolist()

    def conclude(self, sequences: list[list[int]]) -> list[str]:
        replies = self.reply(sequences, LONGEST_ANSWER)
        return [self.tokenizer.decode(reply).split("}")[0].strip() for reply in replies]

    def reply(self, sequences: list[list[int]], longest: int) -> list[list[int]]:
        """Tokens up to an end token, which is included, or `longest`."""
        decoder = Decoder(self.model, sequences, longest)
        drawn, ended = [], torch.zeros(len(sequences), dtype=torch.bool)
        while len(drawn) < longest and not ended.all():
            drawn.append(draw(decoder.logits, self.generator))
            ended |= torch.isin(drawn[-1], self.ends)
            decoder.append(drawn[-1])
        ends = set(self.ends.tolist())
        replies = []
        for row in torch.stack(drawn, 1).tolist():
            end = next((i for i, token in enumerate(row) if token in ends), len(row) - 1)
            replies.append(row[:end + 1])
        return replies

    def natural(self, questions: list[str], longest: int = 400) -> list[tuple[str, int, bool]]:
        """Answer, length in tokens and whether the reply ended, of one reply per question."""
        prompts = [self.encode(prompt(question)) for question in questions]
        replies = self.in_batches(lambda part: self.reply(part, longest), prompts)
        results = []
        for reply in replies:
            text = self.tokenizer.decode(reply)
            answer = text.split("\\boxed{")[-1].split("}")[0].strip() if "\\boxed{" in text else ""
            results.append((answer, len(reply), reply[-1] in self.ends))
        return results


def read_benchmark(path: Path, count: int) -> tuple[list[str], list[str]]:
    """Questions and answers of the first `count` problems."""
    rows = [json.loads(line) for line in path.read_text().splitlines()[:count]]
    return [row["question"] for row in rows], [row["answer"] for row in rows]
