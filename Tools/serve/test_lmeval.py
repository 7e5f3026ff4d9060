"""What lm-eval makes of a server: scores of choices and generated answers. Skipped without the package, which BITBUDGET_INSTALL=all installs."""

import json

import pytest

from packages import needed
from serving import serving

lm_eval = needed("lm_eval")

ROWS = [{"question": f"Start with {a}. Then (a) multiply by {b}. What is the result?", "answer": str(a * b),
         "choices": [str(a * b), str(a * b + 1), str(a + b + 100)]} for a, b in [(8, 3), (7, 2), (9, 4), (5, 5), (12, 2)]]


@pytest.fixture(scope="module")
def url():
    with serving("nano-0.5m") as url:
        yield url


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """What both kinds of tasks say of their data."""
    file = tmp_path_factory.mktemp("data") / "rows.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return {"dataset_path": "json", "dataset_kwargs": {"data_files": {"test": str(file)}}, "test_split": "test",
            "doc_to_text": "{{question}}"}


def evaluate(kind, path, task, **more):
    return lm_eval.simple_evaluate(
        model=kind, model_args={"model": "nano-0.5m", "base_url": path, "num_concurrent": 2, "max_retries": 1, **more},
        tasks=[task], log_samples=True, bootstrap_iters=0, apply_chat_template=kind == "local-chat-completions")


def test_choices_are_scored(url, task, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    choice = {**task, "task": "choice", "output_type": "multiple_choice", "doc_to_text": "{{question}} So ",
              "doc_to_choice": "choices", "doc_to_target": 0, "metric_list": [{"metric": "acc"}]}
    scores = []
    for batch in (1, 4):
        found = evaluate("local-completions", url + "/v1/completions", choice, tokenizer_backend="remote",
                         tokenized_requests=True, batch_size=batch)
        samples = sorted(found["samples"]["choice"], key=lambda sample: sample["doc_id"])
        scores.append([[float(score) for (score, _), *_ in sample["resps"]] for sample in samples])
        assert len(samples) == len(ROWS) and all(score < 0 for row in scores[-1] for score in row)
    # How many prompts come in one request changes no bit.
    assert scores[0] == scores[1]


def test_answers_are_generated(url, task, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    solve = {**task, "task": "solve", "output_type": "generate_until", "doc_to_target": "{{answer}}",
             "generation_kwargs": {"until": ["\n\n\n"], "max_gen_toks": 200, "temperature": 0},
             "filter_list": [{"name": "box", "filter": [
                 {"function": "regex", "regex_pattern": r"boxed\{(\d+)\}"}, {"function": "take_first"}]}],
             "metric_list": [{"metric": "exact_match"}]}
    found = evaluate("local-chat-completions", url + "/v1/chat/completions", solve, tokenizer_backend=None)
    # The model solves these.
    assert found["results"]["solve"]["exact_match,box"] >= 0.6
