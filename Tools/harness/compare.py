"""Scores the same items twice: with `evaluate`, and with EleutherAI's evaluation harness against `serve`. Says for each
task how far the log-likelihoods of the candidates are apart, and how many scores differ.

    pip install lm_eval transformers tenacity      # no torch
    python3 Tools/harness/compare.py --data DATA   # from the root of the checkout, after `make build`

DATA holds arc/arc-challenge-test*.jsonl, hellaswag/val*.jsonl, winogrande/dev*.jsonl, truthfulqa/TruthfulQA*.csv,
mmlu/{dev,val*}/*.csv and bbh/*.json, as far as they are at hand; tasks without data are passed over. Tasks are asked
without examples, but for MMLU, whose examples are the first ones of their subject, and BBH, whose three are fixed. The model has to be a folder whose tokenizer
`transformers` reads.
"""

import argparse
import csv
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import time
import urllib.request

SUBJECT = "abstract_algebra"
LOGIC = "boolean_expressions"
# By the harness's name: the benchmark, its arguments, the scores by the harness's names.
TASKS = {
    "winogrande": ("winogrande-5shot", ["--shots", "0"], {"acc": "acc"}),
    "truthfulqa_mc2": ("truthfulqa-mc2", [], {"acc": "mc2"}),
    "arc_challenge": ("arc-challenge-25shot", ["--shots", "0"], {"acc": "acc", "acc_norm": "acc_norm"}),
    "hellaswag": ("hellaswag-10shot", ["--shots", "0"], {"acc": "acc", "acc_norm": "acc_norm"}),
    f"mmlu_{SUBJECT}": ("mmlu-5shot", [], {"acc": "acc"}),
    f"leaderboard_bbh_{LOGIC}": ("bbh", [], {"acc_norm": "acc_norm"}),
}
# Examples that the harness puts before an item; none where a task is not listed.
EXAMPLES = {f"mmlu_{SUBJECT}": 5, f"leaderboard_bbh_{LOGIC}": 3}


def first(data, pattern):
    files = sorted(data.glob(pattern))
    if not files:
        raise FileNotFoundError(f"{data}/{pattern}")
    return files[0]


def json_rows(file, count):
    with open(file) as lines:
        return [json.loads(line) for _, line in zip(range(count), lines)]


def arc(data, count):
    letters = "ABCDE"
    return [
        {
            "id": row["id"], "question": row["question"], "answerKey": letters[row["answer"]],
            "choices": {"text": row["choices"], "label": list(letters[: len(row["choices"])])},
        }
        for row in json_rows(first(data, "arc/arc-challenge-test*.jsonl"), count)
    ]


def hellaswag(data, count):
    rows = []
    for row in json_rows(first(data, "hellaswag/val*.jsonl"), count):
        activity, context = row["ctx"].split(": ", 1)
        rows.append(
            {
                "activity_label": activity, "ctx_a": context, "ctx_b": "", "endings": row["endings"],
                "label": str(row["label"]),
            }
        )
    return rows


def truthfulqa(data, count):
    def pieces(text):
        return [piece.strip() for piece in text.split(";") if piece.strip()]

    rows = []
    with open(first(data, "truthfulqa/TruthfulQA*.csv")) as file:
        for _, row in zip(range(count), csv.DictReader(file)):
            right, wrong = pieces(row["Correct Answers"]), pieces(row["Incorrect Answers"])
            rows.append(
                {
                    "question": row["Question"].strip(),
                    "mc1_targets": {"choices": right, "labels": [1] + [0] * (len(right) - 1)},
                    "mc2_targets": {
                        "choices": right + wrong, "labels": [1] * len(right) + [0] * len(wrong)
                    },
                }
            )
    return rows


def mmlu(file):
    with open(file) as rows:
        return [
            {"question": row[0], "choices": row[1:5], "answer": "ABCD".index(row[5])}
            for row in csv.reader(rows)
        ]


def loader(data, count):
    """What the harness calls in place of fetching a data set."""
    import datasets

    def load(path, *_, **__):
        if "bbh" in path:
            with open(first(data, f"bbh/{LOGIC}.json")) as file:
                parts = {"test": json.load(file)["examples"][:count]}
        elif "mmlu" in path:
            parts = {
                "dev": mmlu(first(data, f"mmlu/dev/{SUBJECT}_dev.csv")),
                "test": mmlu(first(data, f"mmlu/val*/{SUBJECT}_val.csv"))[:count],
            }
        else:
            if "arc" in path:
                rows = arc(data, count)
            elif "hellaswag" in path:
                rows = hellaswag(data, count)
            elif "winogrande" in path:
                rows = json_rows(first(data, "winogrande/dev*.jsonl"), count)
            else:
                rows = truthfulqa(data, count)
            parts = {name: rows for name in ("train", "validation", "test")}
            if "truthful" in path:
                parts = {"validation": rows}
            elif "arc" not in path:
                del parts["test"]
        return datasets.DatasetDict(
            {name: datasets.Dataset.from_list(rows) for name, rows in parts.items()}
        )

    return load


def compare(task, port, tokenizer, journal, count, scores):
    """The number of items, the largest difference of two log-likelihoods, and how many scores differ."""
    import lm_eval

    results = lm_eval.simple_evaluate(
        model="local-completions", tasks=[task], limit=count, log_samples=True, bootstrap_iters=0,
        num_fewshot=EXAMPLES.get(task, 0),
        model_args=f"model={pathlib.Path(tokenizer).name},tokenizer={tokenizer},"
        f"base_url=http://127.0.0.1:{port}/v1/completions,tokenizer_backend=huggingface,"
        "num_concurrent=1,max_retries=1,max_length=4096",
    )
    theirs = sorted(results["samples"][task], key=lambda sample: sample["doc_id"])
    ours = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
    if "bbh" in task:
        ours = [record for record in ours if record["group"] == LOGIC]
    ours = ours[: len(theirs)]
    assert len(theirs) == len(ours), f"{len(theirs)} items there, {len(ours)} here"
    worst, different = 0.0, 0
    for sample, record in zip(theirs, ours):
        logprobs = [response[0][0] for response in sample["resps"]]
        candidates = [candidate["logprob"] for candidate in record["response"]["candidates"]]
        assert len(logprobs) == len(candidates), record["item"]
        worst = max([worst] + [abs(float(one) - other) for one, other in zip(logprobs, candidates)])
        for name, own in scores.items():
            different += abs(float(sample[name]) - record["scores"][own]) > 1e-5
    return len(theirs), worst, different


def wait(port):
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server does not answer")


def comparisons(program, model, data, items, port):
    """Of each task its name and what `compare` finds, or why it is passed over."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", OPENAI_API_KEY="none")
    import datasets

    datasets.load_dataset = loader(data, items)
    engine = ["--model", model, "--numerics", "exact"]
    server = subprocess.Popen(
        [*program, "serve", *engine, "--port", str(port)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait(port)
        with tempfile.TemporaryDirectory() as folder:
            for task, (bench, flags, scores) in TASKS.items():
                journal = pathlib.Path(folder) / f"{bench}.jsonl"
                run = subprocess.run(
                    [
                        *program, "evaluate", *engine, "--bench", bench, *flags, "--data", str(data),
                        "--limit", str(items), "--journal", str(journal),
                    ],
                    capture_output=True, text=True,
                )
                if run.returncode:
                    yield task, run.stderr.strip().splitlines()[-1]
                else:
                    yield task, compare(task, port, model, journal, items, scores)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait()


def main():
    parser = argparse.ArgumentParser(description="compare with the evaluation harness")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="Packages/NanoModels/Sources/NanoModels/Resources/nano-0.5m")
    parser.add_argument("--program", default="bin/bitbudget")
    parser.add_argument("--items", type=int, default=50)
    parser.add_argument("--port", type=int, default=8391)
    arguments = parser.parse_args()
    for task, found in comparisons(
        arguments.program.split(), arguments.model, arguments.data, arguments.items, arguments.port
    ):
        if isinstance(found, str):
            print(f"{task}: passed over: {found}", flush=True)
        else:
            count, worst, different = found
            print(
                f"{task}: {count} items, log-likelihoods at most {worst:.2g} apart, "
                f"{different} scores differ", flush=True,
            )


if __name__ == "__main__":
    main()
