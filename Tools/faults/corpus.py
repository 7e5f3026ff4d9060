"""Every kind of input of the commands, made by the commands themselves from the smallest shipped model."""

import hashlib
import json
import shutil
import subprocess

from common import MODEL, ROOT, STUDY, ours

GENERATE = ["--ids", "1,70,71", "--greedy", "--max-tokens", "2", "--print-ids", "--threads", "1"]
PROMPT = ["--prompt", "2 + 3", "--greedy", "--max-tokens", "2", "--threads", "1"]


def made(arguments, folder):
    """Runs a command that makes a part of the corpus."""
    subprocess.run(arguments, cwd=folder, check=True, capture_output=True)


class Target:
    """A folder of files, which of them are mutated, and the command that reads them; `{}` stands for the folder."""

    def __init__(self, name, folder, files, arguments):
        self.name, self.folder, self.files, self.arguments, self.environment = name, folder, files, arguments, {}


def models(folder):
    """Models in every format that is written here."""
    source = next(ROOT.glob(f"Packages/NanoModels/Sources/NanoModels/Resources/**/{MODEL}"))
    targets = []

    def add(name, files, words=("generate", "--model", "{}", *GENERATE)):
        shutil.copytree(source, folder / name)
        targets.append(Target(name, folder / name, files, ours(*words)))

    add("safetensors", ["model.safetensors"])
    add("config", ["config.json", "generation_config.json"])
    add("tokenizer", ["tokenizer.json", "tokenizer_config.json"],
        ("generate", "--model", "{}", "--tokenize", "Wait, 236 coins <|im_end|>"))
    add("template", ["chat_template.jinja"], ("generate", "--model", "{}", "--prompt", "2 + 3", "--show-prompt"))
    add("kv policy", ["kv-policy.json"])
    words = json.loads((source / "tokenizer_config.json").read_text())
    (folder / "template/chat_template.jinja").write_text(words["chat_template"])
    shape = json.loads((source / "config.json").read_text())
    (folder / "kv policy/kv-policy.json").write_text(json.dumps({
        "version": 1, "policy": "bf16:32,int8:64,int4+L1=int8", "model": {
            "name": MODEL, "layers": shape["num_hidden_layers"], "kvHeads": shape["num_key_value_heads"],
            "headDimension": shape["head_dim"],
            "config": hashlib.sha256((source / "config.json").read_bytes()).hexdigest()}}))
    for name, words in [
        ("zstd", []), ("pack-quantized", ["--format", "compressed-tensors", "--group-size", 32]),
        ("gptq", ["--format", "gptq", "--group-size", 32]),
        ("gguf", ["--format", "gguf"]), ("gguf mix", ["--format", "gguf", "--type", "Q4_K_M"]),
    ]:
        method = [] if "--type" in words else ["--method", "rtn"]
        output = folder / name / "model.gguf" if name.startswith("gguf") else folder / name
        output.parent.mkdir(exist_ok=True)
        made(ours("quantize", "--model", MODEL, "--output", output, "--threads", 1, *method, *words), folder)
        model, files = ("{}/model.gguf", ["model.gguf"]) if name.startswith("gguf") else (
            "{}", [file.name for file in output.iterdir() if "safetensors" in file.name] + ["config.json"])
        targets.append(Target(name, folder / name, files, ours("generate", "--model", model, *GENERATE)))
    targets.append(Target("record", folder / "zstd", ["bitbudget.json"], ours("quantize", "--inspect", "{}")))
    return targets


BENCH = """name: own
title: Own problems
version: 1
size: 3
fetch: Make them.
data:
  - files: [{0}]
    fields: {{id: id, question: question, answer: answer}}
prompt: "{{question}}"
extraction: [box, last-number]
grading: {{rule: integer}}
samples: 1
limits: {{tokens: 4}}
"""
CASES = """cases:
  - {name: chat, title: Multi-turn chat, prompt: 12, generated: 4, first: 1, between: 0.1}
  - {name: large, title: Large, prompt: 20, generated: 2}
"""


def single_files(folder):
    """Everything that is one file beside a model."""
    place = folder / "single"
    place.mkdir()
    run = ["evaluate", "--model", MODEL, "--threads", 1, "--limit", 4, "--samples", 2, "--max-tokens", 8, "--journal"]
    made(ours(*run, place / "run.jsonl"), folder)
    for shard in (1, 2):
        made(ours(*run, place / f"shard{shard}.jsonl", "--shard", f"{shard}/2"), folder)
    load = ["load", "--model", MODEL, "--requests", 1, "--threads", 1, "--use-cases"]
    texts = {
        "study.yaml": STUDY, "cases.yaml": CASES,
        "bench.yaml": next(ROOT.glob("Packages/*/Sources/*/Resources/**/nano-math.yaml")).read_text(),
        "rows.yaml": BENCH.format("rows.jsonl"), "table.yaml": BENCH.format("table.csv"),
        "rows.jsonl": "".join(json.dumps({"id": f"p{n}", "question": f"{n} + 1", "answer": n + 1}) + "\n" for n in range(3)),
        "table.csv": 'id,question,answer\np0,"0 + 1, or so",1\np1,"1 ""and"" 1",2\np2,2 + 1,3\n',
        "rules.json": '{"rules": [{"layers": "layers.0.", "keep": true}, {"layers": "down_proj$", "bits": 8, "group_size": 64}]}',
        "messages.json": '[{"role": "system", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "2 + 3"}]}]',
        "text.jsonl": '{"text": "Three and four are seven."}\n' * 8,
        "prompt.txt": "Start with 51. Then (a) add 50.\n",
        "settings.json": '{"threads": 1, "generate": {"greedy": true, "max-tokens": 2}}',
    }
    for name, text in texts.items():
        (place / name).write_text(text)
    made(ours("study", "run", place / "study.yaml", "--folder", place / "study"), folder)
    made(ours(*load, place / "cases.yaml", "--output", place / "load.json"), folder)
    bench = ["evaluate", "--model", MODEL, "--threads", 1, "--data", "{}", "--max-tokens", 4, "--journal", "{}/new.jsonl", "--bench"]
    kinds = [
        ("journal", "run.jsonl", [*run, "{}/run.jsonl"]),
        ("shown journal", "run.jsonl", ["evaluate", "show", "{}/run.jsonl"]),
        ("graded journal", "run.jsonl", ["evaluate", "regrade", "{}/run.jsonl", "--output", "{}/again.jsonl"]),
        ("shards", "shard2.jsonl", ["evaluate", "merge", "{}/all.jsonl", "{}/shard1.jsonl", "{}/shard2.jsonl"]),
        ("result", "run.result.json", ["evaluate", "table", "{}/run.result.json"]),
        ("study", "study.yaml", ["study", "status", "{}/study.yaml", "--folder", "{}/study"]),
        ("study results", "study/results.json",
         ["plan", "--family", "nano", "--memory", "64MiB", "--study", "{}/study/results.json"]),
        ("benchmark", "bench.yaml", [*bench, "{}/bench.yaml", "--limit", 1]),
        ("rows", "rows.jsonl", [*bench, "{}/rows.yaml"]),
        ("table", "table.csv", [*bench, "{}/table.yaml"]),
        ("scheme", "rules.json",
         ["quantize", "--model", MODEL, "--method", "rtn", "--scheme", "{}/rules.json", "--output", "{}/model"]),
        ("messages", "messages.json", ["generate", "--model", MODEL, "--messages", "{}/messages.json", *PROMPT[2:]]),
        ("prompt", "prompt.txt", ["generate", "--model", MODEL, "--prompt-file", "{}/prompt.txt", *PROMPT[2:]]),
        ("conversation", "messages.json", ["chat", "--model", MODEL, "--load", "{}/messages.json"]),
        ("calibration", "text.jsonl", ["quantize", "--model", MODEL, "--calibration", "{}/text.jsonl", "--samples", 4,
                                       "--length", 32, "--output", "{}/model"]),
        ("compared text", "text.jsonl",
         ["evaluate", "--compare", MODEL, MODEL, "--text", "{}/text.jsonl", "--window", 16]),
        ("use cases", "cases.yaml", [*load, "{}/cases.yaml"]),
        ("load report", "load.json", ["load", "table", "{}/load.json"]),
        ("settings", "settings.json", ["generate", "--model", MODEL, "--prompt", "2 + 3"]),
    ]
    targets = [Target(name, place, [file], ours(*words)) for name, file, words in kinds]
    targets[-1].environment = {"BITBUDGET_CONFIG": "{}/settings.json"}
    return targets


TOOL = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {
    "type": "object", "properties": {"a": {"type": "integer"}, "b": {"enum": [1, "x", None]}}, "required": ["a"]}}}
QUESTION = {"prompt": "2 + 3", "form": "chat", "opening": "", "examples": [{"question": "1 + 1", "answer": "2"}], "examplesAreTurns": False,
            "prefill": "", "stops": ["\n"], "candidates": [], "tokens": []}
# What is sent to a server, by path.
REQUESTS = [
    ("/v1/chat/completions", {
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "2 + 3"}], "max_tokens": 4,
        "temperature": 0.6, "top_p": 0.9, "top_k": 20, "min_p": 0.01, "seed": 7, "n": 2, "stop": ["\n\n"], "logprobs": True,
        "top_logprobs": 3, "stream": False, "kv": "int8", "chat_template_kwargs": {"enable_thinking": True}}),
    ("/v1/chat/completions", {
        "messages": [{"role": "user", "content": [{"type": "text", "text": "2 + 3"}]}], "max_tokens": 6, "stream": True,
        "stream_options": {"include_usage": True}, "tools": [TOOL], "tool_choice": "auto", "thinking_budget": 2, "answer_tokens": 3}),
    ("/v1/chat/completions", {
        "messages": [{"role": "user", "content": "2 + 3"}], "max_tokens": 8, "response_format": {
            "type": "json_schema", "json_schema": {"name": "sum", "strict": True, "schema": TOOL["function"]["parameters"]}}}),
    ("/v1/completions", {"prompt": ["2 + 3 =", "4"], "max_tokens": 3, "logprobs": 2, "echo": True, "best_of": 2, "n": 1,
                         "repetition_penalty": 1.1, "presence_penalty": 0.5, "stop_token_ids": [3], "ignore_eos": True}),
    ("/v1/responses", {"input": [{"role": "user", "content": [{"type": "input_text", "text": "2 + 3"}]}], "instructions": "Be brief.",
                       "max_output_tokens": 4, "reasoning": {"effort": "low"}, "text": {"format": {"type": "text"}}}),
    ("/v1/replies", {"forced": False, "kv": "int8", "others": [{"sample": 1, "seed": 8}], "request": {
        "item": "a", "index": 0, "sample": 0, "seed": 7, "question": QUESTION, "sampling": {"temperature": 0.6, "topK": 20},
        "limits": {"tokens": 4}, "budgets": []}}),
    ("/v1/replies", {"forced": True, "request": {
        "item": "a", "index": 0, "sample": 0, "seed": 7, "question": QUESTION, "sampling": {},
        "limits": {"tokens": 90, "thinking": 8}, "budgets": [4]}}),
    ("/tokenize", {"prompt": "2 + 3", "add_special_tokens": True}),
    ("/tokenize", {"messages": [{"role": "user", "content": "2 + 3"}]}),
    ("/detokenize", {"tokens": [1, 70, 71]}),
]
