"""Checks of the tasks and the benchmarks: `python -m pytest`."""

import re
from random import Random

import pytest

import benchmarks
import grammar_facts
import grammar_hops
import grammar_math
import grammar_reckoning
from chains import Problem, Step, conclude, conclusions
from document import CUE, forced
from lookups import Fact, draw_fact, recalled
from mixture import MIXTURES, WHOLE, Curriculum, draw_document
from sizes import Training

GRAMMARS = [grammar_math, grammar_reckoning]


def problems(grammar, count: int):
    rng = Random(7)
    return [grammar.draw_problem(rng, index % grammar.MOST_STEPS + 1) for index in range(count)]


# Chains


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_steps_stay_in_range_and_give_the_answer(grammar):
    for problem in problems(grammar, 2000):
        value = problem.start
        for step in problem.steps:
            value = eval(f"{value}{step.operation}{step.operand}")
            for sign, number in step.more:
                value = eval(f"({value}){sign}{number}")
            value %= step.modulus or 10_000
            assert 0 <= value <= grammar.CHAINS.largest
        assert problem.answer == value


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_a_question_says_all_that_is_needed(grammar):
    for index, problem in enumerate(problems(grammar, 200)):
        question = grammar.CHAINS.question(problem, index % 2)
        labels = r"\((\w)\) [a-z]" if grammar is grammar_math else r"(?m)^(\w)[-+*]"
        assert re.findall(labels, question) == list("abcdefghij")[:len(problem.steps)]
        numbers = [str(problem.start)] + [
            str(number) for step in problem.steps
            for number in [step.operand, *(operand for _, operand in step.more)]]
        assert re.findall(r"\d+", question) == numbers


@pytest.mark.parametrize("value, step, wrong", [
    (404, Step("-", 7), [407, 497]), (51, Step("+", 50), [1]), (95, Step("+", 7), [92, 2]),
    (101, Step("*", 4), []), (236, Step("*", 3), [698, 608]), (12, Step("+", 7), []),
    (56, Step("-", 20), []), (105, Step("-", 10), [195]),
])
def test_a_slip_forgets_one_carry(value, step, wrong):
    assert step.slips(value) == wrong


@pytest.mark.parametrize("value, step, wrong", [
    (4, Step("*", 7, modulus=10), []), (4, Step("*", 7, (("+", 3),), 10), [8]),
    (4, Step("*", 7, (("+", 3), ("-", 9)), 10), [1]), (4, Step("+", 1, (("*", 5), ("*", 3)), 10), []),
])
def test_a_slip_forgets_the_last_operation(value, step, wrong):
    assert step.slips(value) == wrong


def test_a_step_of_several_operations_goes_from_left_to_right():
    step = Step("+", 7, (("*", 3), ("-", 8)), 10)
    assert step.applied(4) == 5 and step.instruction == "+7*3-8"
    assert Step("*", 3, (("-", 8),), 10).applied(2) == 8


@pytest.mark.parametrize("grammar, nominal", [
    (grammar_math, [0.33, 0.25, 0.2, 0.2]), (grammar_reckoning, [0.25, 0.2, 0.15, 0.15])])
def test_slips_come_at_the_given_rates_and_never_twice_at_one_step(grammar, nominal):
    rng, chances, slips = Random(8), [0] * 4, [0] * 4
    for problem in problems(grammar, 4000):
        slipped = set()
        for number, text in zip(range(4), grammar.CHAINS.attempts(problem, rng)):
            now = set()
            lines = re.findall(r"(\d+)=(\d+)\n" if grammar is grammar_reckoning else r"(\d+)[-+*]\d+=(\d+)\n", text)
            for step, (value, result) in zip(problem.steps, lines, strict=True):
                value = int(value)
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
    for rate, wanted in zip(rates, nominal):
        assert wanted - 0.04 < rate < wanted + 0.01


def test_lines_repeat_the_steps_of_the_question():
    problem = Problem(2, (Step("*", 4, (("-", 3),), 10), Step("+", 9, modulus=10)))
    assert problem.answer == 4
    assert grammar_reckoning.CHAINS.question(problem, 1) == "Take 2.\na*4-3\nb+9\nWhich digit is left?"
    texts = {text for _, text in zip(range(60), grammar_reckoning.CHAINS.attempts(problem, Random(4)))}
    assert texts == {"a*4-3 2=5\nb+9 5=4\nSo 4.\n", "a*4-3 2=8\nb+9 8=7\nSo 7.\n"}


def test_what_a_thought_concludes():
    problem = Problem(51, (Step("+", 50), Step("*", 4)))
    assert problem.answer == 404
    first, right = "a 51+50=1\nb 1*4=4\nSo 4.\n", "a 51+50=101\nb 101*4=404\nSo 404.\n"
    other = "a 51+50=101\nb 101*4=400\nSo 400.\n"
    assert conclude("", problem) == 51
    assert conclude("a 51+50=101\nb 101*4=4", problem) == 101
    assert conclude(first + "Wait\n" + right, problem) == 404
    assert conclude(first + "Wait\n" + other, problem) == 400
    assert conclude(first * 2 + right, problem) == 4


@pytest.mark.parametrize("grammar", GRAMMARS)
def test_natural_thoughts_end_on_agreement(grammar):
    rng = Random(9)
    for problem in problems(grammar, 1000):
        thought = grammar.CHAINS.natural_thought(problem, rng)
        values = conclusions(thought)
        assert len(thought) <= grammar.CHAINS.longest
        assert len(set(values[:-1])) == len(values[:-1]), "went on after two agreed"
        if len(values) > 1 and values[-1] in values[:-1]:
            assert values[-1] == problem.answer


@pytest.mark.parametrize("family, grammar", [("nano", grammar_math), ("nano2", grammar_reckoning)])
def test_forced_thoughts_are_cut_where_tokens_end(tokenizers, family, grammar):
    rng, tokenizer = Random(10), tokenizers[family]
    for problem in problems(grammar, 500):
        document = forced("x", grammar.CHAINS.forced_thought(problem, rng), "1")
        whole = tokenizer.encode(document.text.split(CUE)[0]).ids
        parts = [i for piece in document.pieces[:-2] for i in tokenizer.encode(piece.text).ids]
        assert parts == whole


def test_forced_wait_and_cue_carry_no_loss():
    document = forced("q", "So 1.\nWait\nSo 1.\n", "1")
    assert [piece.text for piece in document.pieces if not piece.loss][1:] == ["Wait", CUE]
    assert document.text.endswith("<think>\nSo 1.\nWait\nSo 1.\n" + CUE + "1}<|im_end|>")


# Lookups


def test_the_worlds_are_fixed():
    assert len(grammar_facts.TABLE) == len(set(grammar_facts.NAMES)) == 2048
    assert grammar_facts.draw_table(2048) == grammar_facts.TABLE
    assert len(grammar_hops.TABLE) == len(set(grammar_hops.NAMES)) == grammar_hops.COUNT
    assert grammar_hops.draw_table() == grammar_hops.TABLE
    for table in (grammar_facts.TABLE, grammar_hops.TABLE):
        for attribute in grammar_facts.VALUES:
            assert len({row[attribute] for row in table.values()}) == 16
    assert all(row[relation] in grammar_hops.TABLE
               for row in grammar_hops.TABLE.values() for relation in grammar_hops.RELATIONS)


def test_questions_have_one_right_option():
    rng = Random(11)
    for _ in range(300):
        fact = draw_fact(grammar_facts.TABLE, rng, grammar_facts.among(2048))
        options = re.findall(r"\n([A-D])\) (\w+)", grammar_facts.question(fact, "The {} of {}?", rng))
        assert [letter for letter, _ in options] == list("ABCD")
        assert [value for _, value in options].count(fact.value) == 1
        assert len({value for _, value in options}) == 4


def test_a_quest_goes_from_name_to_name():
    name = grammar_hops.NAMES[17]
    friend = grammar_hops.TABLE[name]["friend"]
    teacher = grammar_hops.TABLE[friend]["teacher"]
    quest = grammar_hops.Quest(name, ("friend", "teacher", "gem"))
    assert quest.question("Name the {} of {}.") == f"Name the gem of the teacher of the friend of {name}."
    assert [fact.name for fact in quest.facts] == [name, friend, teacher]
    assert quest.answer == grammar_hops.TABLE[teacher]["gem"]


def test_few_names_are_famous():
    rng = Random(13)
    draws = [grammar_hops.NAMES.index(grammar_hops.draw_name(rng)) for _ in range(4000)]
    share = sum(rank < grammar_hops.COUNT / 64 for rank in draws) / len(draws)
    assert 0.22 < share < 0.28
    assert max(draws) > 0.98 * grammar_hops.COUNT


def test_the_answer_is_the_last_value_with_its_blank():
    facts = [Fact("Isi", "friend", "Dolu"), Fact("Dolu", "home", "island")]
    for seed in range(20):
        text = recalled("q", facts, Random(seed)).text
        assert text.endswith("\\boxed{ island}<|im_end|>")
        assert "The friend of Isi is Dolu.\nThe home of Dolu is island.\n" in text or "</think>" not in text


def test_the_curriculum_starts_with_half_of_the_names():
    plan = Training(1_000_000, 1, small_operands=1 / 3)
    assert Curriculum.at(0, plan) == Curriculum(1024, True)
    assert Curriculum.at(0.5, plan) == Curriculum(1024, False)
    assert Curriculum.at(0.61, plan) == WHOLE


# Benchmarks


def message(text: str) -> str:
    return text.split("user\n")[1].split("<|im_end|>")[0]


@pytest.mark.parametrize("family", MIXTURES)
def test_no_benchmark_problem_is_trained_on(family):
    questions = [row["question"] for rows in benchmarks.BENCHMARKS[family].values() for row in rows()]
    assert len(set(questions)) == len(questions) == benchmarks.COUNT * len(benchmarks.BENCHMARKS[family])
    rng = Random(12)
    for _ in range(20_000):
        text = draw_document(rng, family).text
        if text.startswith("<|im_start|>"):
            assert message(text) not in questions


def test_held_out_quests_are_not_trained_on_in_other_words():
    held_out = {(quest.name, quest.path) for split in benchmarks.SPLITS for quest in benchmarks.quests(split)
                if len(quest.path) > 1}
    asked = {grammar_hops.Quest(name, path).question("Name the {} of {}.") for name, path in held_out}
    rng, seen = Random(14), 0
    for _ in range(20_000):
        text = draw_document(rng, "nano2").text
        if text.startswith("<|im_start|>user\nName"):
            seen += 1
            assert message(text) not in asked
    assert seen > 500


def test_benchmark_answers_are_right():
    for row in benchmarks.math_rows():
        numbers = [int(number) for number in re.findall(r"\d+", row["question"])]
        assert len(numbers) == row["steps"] + 1
    for row, problem in zip(benchmarks.math_rows(), benchmarks.math_problems(), strict=True):
        assert row["answer"] == str(problem.answer)
    for row in benchmarks.facts_rows():
        assert grammar_facts.TABLE[row["name"]][row["attribute"]] == row["answer"]
        assert f") {row['answer']}" in row["question"]
    for row in benchmarks.hops_rows("test"):
        words = row["question"].rstrip("?").replace("does", "of").replace(" have", "").split(" ")
        value = words[-1]
        for word in reversed(words[:-1]):
            value = grammar_hops.TABLE[value].get(word, value) if value in grammar_hops.TABLE else value
        assert value == row["answer"]


def test_benchmarks_have_all_lengths_in_equal_parts():
    steps = [row["steps"] for row in benchmarks.math_rows()]
    assert all(steps.count(n) == 50 for n in range(1, 9))
    steps = [row["steps"] for row in benchmarks.reckoning_rows("test")]
    assert [steps.count(n) for n in range(1, 7)] == [67, 67, 67, 67, 66, 66]
    hops = [row["hops"] for row in benchmarks.hops_rows("test")]
    assert [hops.count(n) for n in range(3)] == [134, 133, 133]
