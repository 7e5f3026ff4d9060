"""Scores the same items twice: with `evaluate`, and with EleutherAI's evaluation harness against `serve`. Says for each
task how far the log-likelihoods of the candidates are apart, and how many scores differ.

    pip install 'lm_eval[api]' transformers        # no torch
    python3 Tools/harness/compare.py --data DATA   # from the root of the checkout, after `make build`

DATA holds arc/arc-challenge-test*.jsonl, hellaswag/val*.jsonl, winogrande/dev*.jsonl, truthfulqa/TruthfulQA*.csv,
mmlu/{dev,val*}/*.csv and bbh/*.json, as far as they are at hand; tasks without data are passed over. Tasks are asked
without examples, but for MMLU, whose examples are the first ones of their subject, and BBH, whose three are fixed. Of BBH's
24 tasks each gets its share of the items. The model has to be a folder whose tokenizer `transformers` reads; both programs
read a copy of it whose context is long enough for every item.
"""

import argparse
import csv
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

SUBJECT = "abstract_algebra"
# By the harness's name: the benchmark, its arguments, the scores by the harness's names.
TASKS = {
    "winogrande": ("winogrande-5shot", ["--shots", "0"], {"acc": "acc"}),
    "truthfulqa_mc2": ("truthfulqa-mc2", [], {"acc": "mc2"}),
    "arc_challenge": ("arc-challenge-25shot", ["--shots", "0"], {"acc": "acc", "acc_norm": "acc_norm"}),
    "hellaswag": ("hellaswag-10shot", ["--shots", "0"], {"acc": "acc", "acc_norm": "acc_norm"}),
    f"mmlu_{SUBJECT}": ("mmlu-5shot", [], {"acc": "acc"}),
    "leaderboard_bbh": ("bbh", [], {"acc_norm": "acc_norm"}),
}
# Examples that the harness puts before an item; none where a task is not listed.
EXAMPLES = {f"mmlu_{SUBJECT}": 5, "leaderboard_bbh": 3}
# Of BBH's files those that have no fixed answers.
UNFIXED = {"dyck_languages", "multistep_arithmetic_two", "word_sorting"}
# Tokens that every item fits: BBH's examples alone take some thousands in a small vocabulary.
CONTEXT = 16384


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


def share_of_bbh(data, folder, count):
    """A folder with as many items of each of BBH's tasks as give `count` or some more; the names of the tasks."""
    files = [file for file in sorted(data.glob("bbh/*.json")) if file.stem not in UNFIXED]
    (folder / "bbh").mkdir()
    for file in files:
        rows = json.loads(file.read_text())["examples"][: -(-count // len(files))]
        (folder / "bbh" / file.name).write_text(json.dumps({"examples": rows}))
    (folder / "bbh/cot-prompts").symlink_to((data / "bbh/cot-prompts").resolve())
    return [file.stem for file in files]


def loader(data, folder, count):
    """What the harness calls in place of fetching a data set; BBH's lies in `folder`."""
    import datasets

    def load(path, name=None, **_):
        if "bbh" in path:
            parts = {"test": json.loads((folder / f"bbh/{name}.json").read_text())["examples"]}
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


def compare(tasks, examples, port, tokenizer, journal, count, scores):
    """Of all items: their number, that of their candidates, the largest difference of two log-likelihoods, and how many
    scores differ. Several tasks are the groups of one benchmark. Items that the model's context does not hold are left out: the
    harness leaves a token more of it free than `evaluate` does."""
    import lm_eval
    import transformers

    context = json.loads((pathlib.Path(tokenizer) / "config.json").read_text())["max_position_embeddings"]
    words = transformers.AutoTokenizer.from_pretrained(tokenizer)
    results = lm_eval.simple_evaluate(
        model="local-completions", tasks=tasks, limit=count, log_samples=True, bootstrap_iters=0,
        num_fewshot=examples,
        model_args=f"model={pathlib.Path(tokenizer).name},tokenizer={tokenizer},"
        f"base_url=http://127.0.0.1:{port}/v1/completions,tokenizer_backend=huggingface,"
        f"num_concurrent=1,max_retries=1,max_length={CONTEXT}",
    )
    records = [json.loads(line) for line in journal.read_text().splitlines()[1:]]
    items, candidates, worst, different = 0, 0, 0.0, 0
    for task in tasks:
        theirs = sorted(results["samples"][task], key=lambda sample: sample["doc_id"])
        ours = [record for record in records if len(tasks) == 1 or task.endswith("_bbh_" + record["group"])]
        ours = ours[: len(theirs)]
        assert len(theirs) == len(ours), f"{task}: {len(theirs)} items there, {len(ours)} here"
        for sample, record in zip(theirs, ours):
            logprobs = [response[0][0] for response in sample["resps"]]
            own = [candidate["logprob"] for candidate in record["response"]["candidates"]]
            assert len(logprobs) == len(own), record["item"]
            worst = max([worst] + [abs(float(one) - other) for one, other in zip(logprobs, own)])
            items, candidates = items + 1, candidates + len(own)
            for name, score in scores.items():
                different += abs(float(sample[name]) - record["scores"][score]) > 1e-5
    return items, candidates, worst, different


def with_long_context(model, folder):
    """A copy of the model that takes texts of CONTEXT tokens. Beyond those it was trained on it answers badly, but to both
    programs alike."""
    shutil.copytree(model, folder)
    config = folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), "max_position_embeddings": CONTEXT}))
    return str(folder)


def wait(port):
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
            return
        except OSError:
            time.sleep(0.1)
    raise TimeoutError("the server does not answer")


def comparisons(program, model, data, items, port, tasks=TASKS):
    """Of each of `tasks` its name and what `compare` finds, or why it is passed over."""
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", OPENAI_API_KEY="none")
    import datasets

    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        model = with_long_context(model, folder / pathlib.Path(model).name)
        engine = ["--model", model, "--numerics", "exact"]
        parts = [f"leaderboard_bbh_{name}" for name in share_of_bbh(data, folder, items)]
        datasets.load_dataset = loader(data, folder, items)
        server = subprocess.Popen(
            [*program, "serve", *engine, "--port", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        try:
            wait(port)
            for task in tasks:
                bench, flags, scores = TASKS[task]
                journal = folder / f"{bench}.jsonl"
                limit = [] if bench == "bbh" else ["--limit", str(items)]
                run = subprocess.run(
                    [
                        *program, "evaluate", *engine, "--bench", bench, *flags, *limit, "--journal", str(journal),
                        "--data", str(folder if bench == "bbh" else data),
                    ],
                    capture_output=True, text=True,
                )
                if run.returncode:
                    yield task, run.stderr.strip().splitlines()[-1]
                    continue
                names = parts if bench == "bbh" else [task]
                yield task, compare(names, EXAMPLES.get(task, 0), port, model, journal, items, scores)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def main():
    parser = argparse.ArgumentParser(description="compare with the evaluation harness: a Markdown table")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--model", default="Packages/NanoModels/Sources/NanoModels/Resources/nano-0.5m")
    parser.add_argument("--program", default="bin/bitbudget")
    parser.add_argument("--items", type=int, default=50)
    parser.add_argument("--port", type=int, default=8391)
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    arguments = parser.parse_args()
    print("| task | items | candidates | log-likelihoods differ by at most | scores that differ |\n|---|---:|---:|---:|---:|")
    for task, found in comparisons(
        arguments.program.split(), arguments.model, arguments.data, arguments.items, arguments.port,
        arguments.tasks,
    ):
        if isinstance(found, str):
            print(f"| `{task}` | passed over: {found} | | | |", flush=True)
        else:
            items, candidates, worst, different = found
            print(f"| `{task}` | {items} | {candidates} | {worst:.2g} | {different} |", flush=True)


if __name__ == "__main__":
    main()
