"""Checks of the look for benchmark problems in training data: `python -m pytest`."""

from pathlib import Path

import pytest

import contamination
from sizes import NANO2, SIZES

RESOURCES = Path(__file__).parents[2] / "Packages/NanoModels/Sources/NanoModels/Resources"


def chat(question: str) -> str:
    return f"<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\nSo 1.<|im_end|>"


@pytest.mark.parametrize("name", [name for name, size in SIZES.items() if size.family is NANO2])
def test_the_first_steps_of_training_ask_no_problem_of_a_benchmark(tokenizers, name):
    exposure = contamination.of_training(name, tokenizers["nano2"], contamination.wordings(), tokens=60_000)
    assert exposure.questions > 150
    assert not exposure.hits


def test_a_problem_in_the_data_is_found_in_any_wording():
    exposure = contamination.Exposure(contamination.wordings())
    exposure.add(chat("Start with 7.\na+9\nWhat is the last digit?"))
    exposure.add(chat("Take 7.\na+9\nWhich digit is left?"))
    exposure.add(chat("Name the gem of the friend of Hese."))
    exposure.add(chat("Which is the teacher of Beba?"))
    assert exposure.hits == {"nano-reckoning test": 2, "nano-hops test": 2}
    # What is asked directly is learned, in the words of training.
    exposure.add(chat("Name the teacher of Beba."))
    assert exposure.questions == 5 and sum(exposure.hits.values()) == 4


def test_what_ships_is_what_training_leaves_out():
    assert contamination.shipped(RESOURCES) == 800
    exposure = contamination.of_calibration(RESOURCES, contamination.wordings())
    assert exposure.documents == 256 and exposure.questions > 50 and not exposure.hits
