"""Checks of the tokenizers, the batches, the models and the optimizer: `python -m pytest`."""

import json

import pytest
import torch

import batches
import grammar_facts
import grammar_hops
import model
from document import SPECIAL_TOKENS
from lookups import VALUES
from mixture import WHOLE
from model import InBlocks, Qwen3
from optimizer import orthogonalized, rate_at
from sizes import NANO, NANO2, NORM_EPSILON, SIZES, Training

PARAMETERS = {"nano-0.15m": 143_808, "nano-0.5m": 533_568, "nano-1.5m": 1_656_960,
              "nano-4m": 4_115_840, "nano-moe": 2_601_024, "nano-hybrid": 586_768,
              "nano2-0.2m": 172_672, "nano2-0.5m": 517_184, "nano2-1m": 1_033_728, "nano2-2.2m": 2_164_672}


# Tokenizer


@pytest.mark.parametrize("family, facts", [(NANO, grammar_facts), (NANO2, grammar_hops)])
def test_tokens(tokenizers, family, facts):
    tokenizer = tokenizers[family.name]
    assert tokenizer.get_vocab_size() == family.vocabulary
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3, 4]
    assert len(tokenizer.encode("236").ids) == 3
    values = [f" {value}" for values in VALUES.values() for value in values]
    for text in ["Wait", "**", "Final", " Answer", "\\boxed", "{", *values]:
        assert len(tokenizer.encode(text).ids) == 1, text
    assert all(len(tokenizer.encode(f" {name}").ids) <= 3 for name in facts.NAMES)


@pytest.mark.parametrize("family", [NANO, NANO2])
def test_decoding_undoes_encoding_and_keeps_the_thinking_tokens(tokenizers, family):
    tokenizer = tokenizers[family.name]
    for text in ["<think>\na 1+2=3\n</think>\n\n", " Dolu: gem jade\n", "naïve 日本 🙂\t x"]:
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    special = {t["content"]: t["special"]
               for t in json.loads(tokenizer.to_str())["added_tokens"]}
    assert not special["<think>"] and not special["</think>"] and special["<|im_end|>"]


# Batches and model


@pytest.mark.parametrize("family", [NANO, NANO2])
def test_the_data_of_a_step_depend_on_nothing_else(tokenizers, family):
    one, same, other = (batches.draw_step(family, tokenizers[family.name], 1, step, WHOLE)
                        for step in (5, 5, 6))
    assert all(torch.equal(a.tokens, b.tokens) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0].tokens, other[0].tokens)
    assert sum(part.count for part in one) >= family.step


def test_targets_are_the_next_tokens_with_loss():
    batch = batches.arranged([([8, 9], [True, False]), ([5, 6, 7], [False, True, True])])
    assert batch.blocks == [(2, 8)]
    assert batch.tokens.tolist() == [8, 9] + [0] * 6 + [5, 6, 7] + [0] * 5
    learned = [(int(t), int(y)) for t, y in zip(batch.tokens, batch.targets) if y >= 0]
    assert learned == [(5, 6), (6, 7)]


@pytest.mark.parametrize("name", SIZES)
def test_parameters(name):
    assert sum(p.numel() for p in Qwen3(SIZES[name]).parameters()) == PARAMETERS[name]


def test_long_thoughts_outweigh_the_small_models_of_the_second_family():
    shares = [480 * size.layers * 2 * size.kv_heads * size.head_dim / PARAMETERS[size.name]
              for size in SIZES.values() if size.family == NANO2]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 1 and shares[-1] > 0.3


def test_the_norm_and_its_slopes_are_those_of_torch():
    generator = torch.Generator().manual_seed(8)
    x, weight, slope = (torch.randn(*shape, generator=generator) for shape in ((5, 3, 16), (3, 16), (5, 3, 16)))
    found, wanted = [], []
    for results, norm in ((found, model.Normalized.apply),
                          (wanted, lambda x, weight: torch.nn.functional.rms_norm(x, (16,), eps=NORM_EPSILON) * weight)):
        leaves = [x.clone().requires_grad_(), weight.clone().requires_grad_()]
        y = norm(*leaves)
        y.backward(slope)
        results += [y, *(leaf.grad for leaf in leaves)]
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(found, wanted, strict=True))


@pytest.mark.parametrize("heads, groups", [(4, 4), (4, 2)])
def test_attention_is_that_of_torch(heads, groups):
    generator = torch.Generator().manual_seed(6)
    q, k, v = (torch.randn(2, 41, count, 8, generator=generator) for count in (heads, groups, groups))
    wanted = torch.nn.functional.scaled_dot_product_attention(
        *(x.transpose(1, 2) for x in (q, k, v)), is_causal=True, enable_gqa=True).transpose(1, 2)
    assert torch.allclose(model.attend_causally(q, k, v), wanted, atol=1e-5)


def test_documents_do_not_see_each_other():
    nano = Qwen3(SIZES["nano-0.15m"])
    nano.initialize(3)
    generator = torch.Generator().manual_seed(4)
    documents = torch.randint(0, 704, (3, 16), generator=generator)
    with torch.no_grad():
        hidden = nano.hidden(documents.flatten(), torch.arange(16).repeat(3),
                              InBlocks([(3, 16)]))
        together = nano.logits(hidden).unflatten(0, (3, 16))
        alone = nano.logits(nano.hidden(documents[1], torch.arange(16),
                                          InBlocks([(1, 16)])))
    assert torch.allclose(together[1], alone, atol=1e-5)


# Optimizer


def test_orthogonalized_matrices_have_singular_values_near_one():
    matrices = torch.randn(2, 48, 96, generator=torch.Generator().manual_seed(5))
    for transposed in (matrices, matrices.mT):
        values = torch.linalg.svdvals(orthogonalized(transposed))
        assert 0.6 < values.min() and values.max() < 1.3


def test_the_rate_warms_up_and_cools_down():
    plan = Training(1000, 1, further=(100, 50))
    assert rate_at(0, 0, plan) == 1 / 60
    assert rate_at(100, 500, plan) == rate_at(100, 750, plan) == 1
    assert rate_at(100, 875, plan) == 0.5
    assert rate_at(100, 1000, plan) == 0.5 and rate_at(100, 1050, plan) == 0.25
    assert rate_at(100, 1100, plan) == 0.5 and rate_at(100, 1125, plan) == 0.25
    assert rate_at(100, 1151, plan) == 0
