"""Steps of training data: documents of one length side by side, none seeing another.

Laying documents of similar length into one padded block makes plain causal attention block
diagonal, without masks and without the work that masks throw away.
"""

from dataclasses import dataclass

import torch
from tokenizers import Tokenizer

from drawing import Tokens, draw_documents
from mixture import Curriculum
from sizes import Family

PART = 2048
"""A step is worked through in parts of about this many tokens, which stay in a core's caches."""
ROUNDING = 8
"""Documents are padded to a multiple of this."""
IGNORED = -100


@dataclass
class Batch:
    """Part of a step: documents in a row, padded, the shortest first."""

    tokens: torch.Tensor
    """[positions] ids."""
    targets: torch.Tensor
    """[positions] the next id where it is to be learned, else `IGNORED`."""
    positions: torch.Tensor
    """[positions] places within the documents."""
    blocks: list[tuple[int, int]]
    """(documents, padded length) of each run of equally long documents."""
    count: int
    """Tokens without padding."""

    @property
    def learned(self) -> torch.Tensor:
        """The places whose next token is to be learned."""
        return (self.targets != IGNORED).nonzero().squeeze(1)


def draw_step(family: Family, tokenizer: Tokenizer, seed: int, step: int, stage: Curriculum) -> list[Batch]:
    """The data of one step, in parts; they depend on nothing but the arguments."""
    chosen = [tokens for _, tokens in draw_documents(family, tokenizer, seed, step, stage)]
    parts, count = [[]], 0
    for document in sorted(chosen, key=lambda document: len(document[0])):
        if count >= PART:
            parts.append([])
            count = 0
        parts[-1].append(document)
        count += len(document[0])
    return [arranged(part) for part in parts]


def arranged(documents: list[Tokens]) -> Batch:
    """Documents of growing length, padded, with targets shifted by one."""
    tokens, targets, positions, blocks = [], [], [], []
    for ids, loss in documents:
        length = -(-len(ids) // ROUNDING) * ROUNDING
        padding = length - len(ids)
        tokens += ids + [0] * padding
        targets += [i if learned else IGNORED for i, learned in zip(ids[1:], loss[1:])]
        targets += [IGNORED] * (padding + 1)
        positions += range(length)
        if blocks and blocks[-1][1] == length:
            blocks[-1] = (blocks[-1][0] + 1, length)
        else:
            blocks.append((1, length))
    return Batch(torch.tensor(tokens), torch.tensor(targets), torch.tensor(positions), blocks,
                 sum(len(ids) for ids, _ in documents))
