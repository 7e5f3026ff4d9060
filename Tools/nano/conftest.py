"""What the tests share."""

import pytest

import tokenizer as nano_tokenizer
from sizes import FAMILIES


@pytest.fixture(scope="session")
def tokenizers():
    return {name: nano_tokenizer.train(family) for name, family in FAMILIES.items()}
