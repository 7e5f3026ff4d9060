"""Checks of what measures without the built commands: `python -m pytest`."""

from random import Random
from types import SimpleNamespace

import torch

import ideal
import probe
from chains import Problem, Step, drill


def reader(mistaken: str, tokenizer):
    """A model that knows every next token, but takes the digit `mistaken` for another."""
    wrong = tokenizer.encode(mistaken).ids[0]

    def logits(tokens):
        following = torch.cat([tokens[1:], tokens[:1]])
        following = torch.where(following == wrong, following + 1, following)
        return torch.nn.functional.one_hot(following, 768)

    return SimpleNamespace(hidden=lambda tokens, positions, attend: tokens, logits=logits)


def test_an_answer_is_right_where_all_its_tokens_are(tokenizers):
    tokenizer = tokenizers["nano2"]
    text = drill([(12, Step("*", 12)), (12, Step("+", 15)), (90, Step("+", 9))])  # 144, 27, 99
    assert probe.share_right(reader("8", tokenizer), tokenizer, [text]) == 1
    assert probe.share_right(reader("4", tokenizer), tokenizer, [text]) == 2 / 3
    assert probe.share_right(reader("9", tokenizer), tokenizer, [text, text]) == 2 / 3


def test_every_kind_of_step_and_every_name_is_probed():
    documents = probe.step_documents(Random(1), 1) | probe.row_documents(Random(1), 1)
    assert set(documents) == {*probe.KINDS.values(), "names 1-250", "names 251-500",
                              "names 501-750", "names 751-1000"}


def test_who_never_learned_a_step_is_wrong_every_time():
    problem = Problem(2, (Step("*", 4, (("+", 3),), 10), Step("+", 1, modulus=10)))
    assert ideal.attempted(problem, 0).answer == 2
    assert ideal.attempted(problem, 1).answer == 3


def test_the_most_frequent_result_is_answered_then_the_latest():
    assert ideal.answered("a 1+2=3\nb 3*") == 3
    assert ideal.answered("a 1+") is None
    first, second = "a 1+2=3\nSo 3.\nWait\n", "a 1+2=4\nSo 4.\nWait\n"
    assert ideal.answered(first + second) == 4
    assert ideal.answered(first + second + first) == 3
