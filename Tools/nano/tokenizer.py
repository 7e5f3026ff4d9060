"""The tokenizer: byte-level BPE over Qwen's pre-tokenizer, trained on the tasks' own text."""

import json
import re
from pathlib import Path
from random import Random

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from tokenizers.trainers import BpeTrainer

import grammar_facts
import grammar_hops
from document import END_THINK, SPECIAL_TOKENS, THINK
from lookups import VALUES
from mixture import draw_document
from sizes import Family

QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def training_texts(family: Family):
    """The mixture, and lists that make names and values out of few tokens each."""
    rng = Random("nano tokenizer")
    facts = {"nano": grammar_facts, "nano2": grammar_hops}[family.name]
    special = re.compile("|".join(map(re.escape, SPECIAL_TOKENS)))
    for _ in range(20_000):
        yield from special.split(draw_document(rng, family.name).text)
    syllables = [f" {first}\n" for first in facts.FIRST_SYLLABLES]
    syllables += [f"{second}\n" for second in facts.SECOND_SYLLABLES]
    for _ in range(9_000):
        yield "".join(syllables)
    values = "".join(f" {value}" for values in VALUES.values() for value in values)
    for _ in range(4_000):
        yield values
    for _ in range(1_500):
        yield facts.held_out_question(rng)


def train(family: Family) -> Tokenizer:
    """A tokenizer with the special tokens at ids 0 to 4, the 256 bytes and the merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(QWEN_PATTERN), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False),
    ])
    tokenizer.post_processor = processors.ByteLevel(
        add_prefix_space=False, trim_offsets=False, use_regex=False)
    tokenizer.decoder = decoders.ByteLevel(
        add_prefix_space=False, trim_offsets=False, use_regex=False)
    tokenizer.train_from_iterator(training_texts(family), BpeTrainer(
        vocab_size=family.vocabulary, special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return with_visible_thinking(tokenizer)


def with_visible_thinking(tokenizer: Tokenizer) -> Tokenizer:
    """As in Qwen3: the thinking tokens are whole, but are not dropped when text is decoded."""
    fields = json.loads(tokenizer.to_str())
    for token in fields["added_tokens"]:
        token["special"] = token["content"] not in (THINK, END_THINK)
    return Tokenizer.from_str(json.dumps(fields))


def load(folder: Path) -> Tokenizer:
    return Tokenizer.from_file(str(folder / "tokenizer.json"))
