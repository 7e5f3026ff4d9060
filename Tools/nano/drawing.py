"""The documents of each step of training, and their tokens."""

from random import Random

from tokenizers import Tokenizer

from document import Document
from mixture import Curriculum, draw_document
from sizes import Family

Tokens = tuple[list[int], list[bool]]
"""Ids of a document, and whether each of them is to be learned."""


def encoded(documents: list[Document], tokenizer: Tokenizer) -> list[Tokens]:
    """Each document as tokens."""
    texts = [piece.text for document in documents for piece in document.pieces]
    encodings = iter(tokenizer.encode_batch_fast(texts, add_special_tokens=False))
    result = []
    for document in documents:
        ids, loss = [], []
        for piece in document.pieces:
            piece_ids = next(encodings).ids
            ids += piece_ids
            loss += [piece.loss] * len(piece_ids)
        result.append((ids, loss))
    return result


def draw_documents(
    family: Family, tokenizer: Tokenizer, seed: int, step: int, stage: Curriculum
) -> list[tuple[Document, Tokens]]:
    """What one step learns from; it depends on nothing but the arguments."""
    rng = Random(f"nano training {seed} {step}")
    chosen, count = [], 0
    while count < family.step:
        documents = [draw_document(rng, family.name, stage) for _ in range(16)]
        for document, tokens in zip(documents, encoded(documents, tokenizer)):
            if len(tokens[0]) <= family.longest and count < family.step:
                chosen.append((document, tokens))
                count += len(tokens[0])
    return chosen
