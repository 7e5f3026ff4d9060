"""Checks of the grammar, the tokenizer and the batches: `python -m pytest`."""

import json
import re
from random import Random

import pytest
import torch

import batches
import benchmarks
import grammar_facts
import grammar_math
import tokenizer as nano_tokenizer
from document import CUE, SPECIAL_TOKENS, forced
from grammar_math import Problem, Step
from mixture import WHOLE, Curriculum, draw_document
from model import InBlocks, Qwen3
from optimizer import orthogonalized, rate_at
from sizes import SIZES, Training

PARAMETERS = {"nano-0.15m": 143_808, "nano-0.5m": 533_568, "nano-1.5m": 1_656_960,
              "nano-4m": 4_115_840, "nano-moe": 2_601_024, "nano-hybrid": 586_768}


@pytest.fixture(scope="session")
def tokenizer():
    return nano_tokenizer.train()


def problems(count: int):
    rng = Random(7)
    return [grammar_math.draw_problem(rng, index % 8 + 1) for index in range(count)]


# nano-math


def test_steps_stay_in_range_and_give_the_answer():
    for problem in problems(2000):
        value = problem.start
        for step in problem.steps:
            value = eval(f"{value}{step.operation}{step.operand}")
            assert 0 <= value <= 999
        assert problem.answer == value


@pytest.mark.parametrize("value, step, wrong", [
    (404, Step("-", 7), [407, 497]), (51, Step("+", 50), [1]), (95, Step("+", 7), [92, 2]),
    (101, Step("*", 4), []), (236, Step("*", 3), [698, 608]), (12, Step("+", 7), []),
    (56, Step("-", 20), []), (105, Step("-", 10), [195]),
])
def test_a_slip_forgets_one_carry(value, step, wrong):
    assert step.slips(value) == wrong


def test_slips_come_at_the_given_rates_and_never_twice_at_one_step():
    rng, chances, slips = Random(8), [0] * 4, [0] * 4
    for problem in problems(4000):
        slipped = set()
        for number, text in zip(range(4), grammar_math.attempts(problem, rng)):
            lines = re.findall(r"(\d+)([-+*])(\d+)=(\d+)", text)
            now = set()
            for value, operation, operand, result in lines:
                value, step = int(value), Step(operation, int(operand))
                if (value, step) in slipped:
                    assert int(result) == step.applied(value)
                elif step.slips(value):
                    chances[number] += 1
                if int(result) != step.applied(value):
                    assert int(result) in step.slips(value)
                    slips[number] += 1
                    now.add((value, step))
            slipped |= now
    rates = [slip / chance for slip, chance in zip(slips, chances)]
    # A little below the nominal rates: slips that would leave the range are not made.
    for rate, nominal in zip(rates, [0.33, 0.25, 0.2, 0.2]):
        assert nominal - 0.04 < rate < nominal + 0.01


def test_what_a_thought_concludes():
    problem = Problem(51, (Step("+", 50), Step("*", 4)))
    assert problem.answer == 404
    first, right = "a 51+50=1\nb 1*4=4\nSo 4.\n", "a 51+50=101\nb 101*4=404\nSo 404.\n"
    other = "a 51+50=101\nb 101*4=400\nSo 400.\n"
    assert grammar_math.conclude("", problem) == 51
    assert grammar_math.conclude("a 51+50=101\nb 101*4=4", problem) == 101
    assert grammar_math.conclude(first + "Wait\n" + right, problem) == 404
    assert grammar_math.conclude(first + "Wait\n" + other, problem) == 400
    assert grammar_math.conclude(first * 2 + right, problem) == 4


def test_natural_thoughts_end_on_agreement():
    rng = Random(9)
    for problem in problems(1000):
        thought = grammar_math.natural_thought(problem, rng)
        values = grammar_math.conclusions(thought)
        assert len(thought) <= 400
        assert len(set(values[:-1])) == len(values[:-1]), "went on after two agreed"
        if len(values) > 1 and values[-1] in values[:-1]:
            assert values[-1] == problem.answer


def test_forced_thoughts_are_cut_where_tokens_end(tokenizer):
    rng = Random(10)
    for problem in problems(500):
        document = forced("x", grammar_math.forced_thought(problem, rng), "1")
        whole = tokenizer.encode(document.text.split(CUE)[0]).ids
        parts = [i for piece in document.pieces[:-2] for i in tokenizer.encode(piece.text).ids]
        assert parts == whole


def test_forced_wait_and_cue_carry_no_loss():
    document = forced("q", "So 1.\nWait\nSo 1.\n", "1")
    assert [piece.text for piece in document.pieces if not piece.loss][1:] == ["Wait", CUE]
    assert document.text.endswith("<think>\nSo 1.\nWait\nSo 1.\n" + CUE + "1}<|im_end|>")


# nano-facts


def test_the_table_is_fixed():
    assert len(grammar_facts.TABLE) == len(set(grammar_facts.NAMES)) == 2048
    assert all(len(set(values)) == 16 for values in grammar_facts.VALUES.values())
    assert grammar_facts.draw_table(2048) == grammar_facts.TABLE


def test_questions_have_one_right_option():
    rng = Random(11)
    for _ in range(300):
        fact = grammar_facts.draw_fact(rng, 2048)
        options = re.findall(r"\n([A-D])\) (\w+)", fact.question("The {} of {}?", rng))
        assert [letter for letter, _ in options] == list("ABCD")
        assert [value for _, value in options].count(fact.value) == 1
        assert len({value for _, value in options}) == 4


def test_the_curriculum_starts_with_half_of_the_names():
    plan = Training(1_000_000, 1, small_operands=1 / 3)
    assert Curriculum.at(0, plan) == Curriculum(1024, True)
    assert Curriculum.at(0.5, plan) == Curriculum(1024, False)
    assert Curriculum.at(0.61, plan) == WHOLE


# Benchmarks


def test_no_benchmark_problem_is_trained_on():
    questions = {row["question"] for row in benchmarks.math_rows() + benchmarks.facts_rows()}
    assert len(questions) == 800
    rng = Random(12)
    for _ in range(20_000):
        text = draw_document(rng).text
        if text.startswith("<|im_start|>"):
            assert text.split("user\n")[1].split("<|im_end|>")[0] not in questions


def test_benchmark_answers_are_right():
    for row in benchmarks.math_rows():
        numbers = [int(number) for number in re.findall(r"\d+", row["question"])]
        assert len(numbers) == row["steps"] + 1
    for row, problem in zip(benchmarks.math_rows(), benchmarks.math_problems()):
        assert row["answer"] == str(problem.answer)
    for row in benchmarks.facts_rows():
        assert grammar_facts.TABLE[row["name"]][row["attribute"]] == row["answer"]
        assert f") {row['answer']}" in row["question"]
    steps = [row["steps"] for row in benchmarks.math_rows()]
    assert all(steps.count(n) == 50 for n in range(1, 9))


# Tokenizer


def test_tokens(tokenizer):
    assert tokenizer.get_vocab_size() == 704
    assert [tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3, 4]
    assert len(tokenizer.encode("236").ids) == 3
    values = [f" {value}" for values in grammar_facts.VALUES.values() for value in values]
    for text in ["Wait", "**", "Final", " Answer", "\\boxed", "{", *values]:
        assert len(tokenizer.encode(text).ids) == 1, text
    assert all(len(tokenizer.encode(f" {name}").ids) <= 3 for name in grammar_facts.NAMES)


def test_decoding_undoes_encoding_and_keeps_the_thinking_tokens(tokenizer):
    for text in ["<think>\na 1+2=3\n</think>\n\n", " Dolu: gem jade\n", "naïve 日本 🙂\t x"]:
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    special = {t["content"]: t["special"]
               for t in json.loads(tokenizer.to_str())["added_tokens"]}
    assert not special["<think>"] and not special["</think>"] and special["<|im_end|>"]


# Batches and model


def test_the_data_of_a_step_depend_on_nothing_else(tokenizer):
    one, same, other = (batches.draw_step(tokenizer, 1, step, WHOLE) for step in (5, 5, 6))
    assert all(torch.equal(a.tokens, b.tokens) for a, b in zip(one, same, strict=True))
    assert not torch.equal(one[0].tokens, other[0].tokens)
    assert sum(part.count for part in one) >= batches.TOKENS_PER_STEP


def test_targets_are_the_next_tokens_with_loss(tokenizer):
    batch = batches.arranged([([8, 9], [True, False]), ([5, 6, 7], [False, True, True])])
    assert batch.blocks == [(2, 8)]
    assert batch.tokens.tolist() == [8, 9] + [0] * 6 + [5, 6, 7] + [0] * 5
    learned = [(int(t), int(y)) for t, y in zip(batch.tokens, batch.targets) if y >= 0]
    assert learned == [(5, 6), (6, 7)]


@pytest.mark.parametrize("name", SIZES)
def test_parameters(name):
    assert sum(p.numel() for p in Qwen3(SIZES[name]).parameters()) == PARAMETERS[name]


def test_documents_do_not_see_each_other():
    model = Qwen3(SIZES["nano-0.15m"])
    model.initialize(3)
    generator = torch.Generator().manual_seed(4)
    documents = torch.randint(0, 704, (3, 16), generator=generator)
    with torch.no_grad():
        hidden = model.hidden(documents.flatten(), torch.arange(16).repeat(3),
                              InBlocks([(3, 16)]))
        together = model.logits(hidden).unflatten(0, (3, 16))
        alone = model.logits(model.hidden(documents[1], torch.arange(16),
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
