"""What the `openai` package makes of a server: `BITBUDGET_URL=http://127.0.0.1:8080 python3 -m pytest Tools/serve`.

Without the variable the server of this checkout is started (bin/serve); without the package the tests are skipped.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

openai = pytest.importorskip("openai")
ROOT = Path(__file__).resolve().parents[2]
ASKED = [{"role": "user", "content": "Start with 8. Then (a) multiply by 3. What is the result?"}]


@pytest.fixture(scope="module")
def client():
    if url := os.environ.get("BITBUDGET_URL"):
        yield openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0)
        return
    program = ROOT / "bin" / "serve"
    if not program.exists():
        pytest.skip("bin/serve is not built")
    server = subprocess.Popen([program, "--model", "nano-0.5m", "--port", "0"], stderr=subprocess.PIPE, text=True)
    for line in server.stderr:
        if found := re.search(r"listening +(http://\S+)", line):
            break
    yield openai.OpenAI(base_url=found[1] + "/v1", api_key="none", max_retries=0)
    server.terminate()
    assert server.wait(timeout=60) == 143


@pytest.fixture(scope="module")
def model(client):
    return client.models.list().data[0].id


def test_whole_and_streamed_are_one_text(client, model):
    whole = client.chat.completions.create(model=model, messages=ASKED, seed=7)
    parts = list(client.chat.completions.create(
        model=model, messages=ASKED, seed=7, stream=True, stream_options={"include_usage": True}))
    deltas = [choice.delta for part in parts for choice in part.choices]
    assert "".join(delta.content or "" for delta in deltas) == whole.choices[0].message.content
    thought = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    assert thought == whole.choices[0].message.reasoning_content
    assert parts[-1].usage == whole.usage or parts[-1].usage.total_tokens == whole.usage.total_tokens
    assert whole.choices[0].finish_reason == "stop"


def test_several_texts_and_log_probabilities(client, model):
    reply = client.chat.completions.create(
        model=model, messages=ASKED, seed=1, n=3, logprobs=True, top_logprobs=2, extra_body={"top_k": 40})
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    for choice in reply.choices:
        for token in choice.logprobs.content if choice.logprobs else []:
            assert len(token.top_logprobs) == 2 and token.logprob <= token.top_logprobs[0].logprob <= 0


def test_budgets_and_votes(client, model):
    reply = client.chat.completions.create(
        model=model, messages=ASKED, seed=3, extra_body={"thinking_token_budget": 60, "thinking_force": True, "vote": 4})
    assert reply.votes["of"] == 4 and len(reply.choices) == 1
    assert reply.usage.completion_tokens_details.reasoning_tokens == 240


def test_an_answer_of_a_given_form(client, model):
    schema = {
        "type": "object", "additionalProperties": False, "required": ["steps", "result", "is_even"],
        "properties": {
            "steps": {"type": "array", "items": {"type": "string", "enum": ["add", "multiply"]}, "maxItems": 3},
            "result": {"type": "integer"}, "is_even": {"type": "boolean"},
        },
    }
    for seed in range(8):
        reply = client.chat.completions.create(
            model=model, messages=ASKED, seed=seed, reasoning_effort="none", max_tokens=200, temperature=1.5,
            response_format={"type": "json_schema", "json_schema": {"name": "result", "schema": schema}})
        assert reply.choices[0].finish_reason == "stop", reply
        value = json.loads(reply.choices[0].message.content)
        assert list(value) == ["steps", "result", "is_even"]
        assert isinstance(value["result"], int) and isinstance(value["is_even"], bool)
        assert len(value["steps"]) <= 3 and set(value["steps"]) <= {"add", "multiply"}


def test_completions_and_prompts_that_are_scored(client, model):
    reply = client.completions.create(model=model, prompt="So the result is", max_tokens=8, seed=1, stop=["\n"])
    assert reply.usage.completion_tokens <= 8 and "\n" not in reply.choices[0].text
    scored = client.completions.create(model=model, prompt=["So 24", "So 25"], max_tokens=1, echo=True, logprobs=1)
    assert len(scored.choices) == 2 and scored.choices[0].logprobs.token_logprobs[0] is None


def test_errors_are_those_of_the_package(client, model):
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.chat.completions.create(model=model, messages=ASKED, temperature=-1)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="another", messages=ASKED)
    with pytest.raises(openai.BadRequestError, match="nonsense"):
        client.chat.completions.create(model=model, messages=ASKED, extra_body={"nonsense": 1})
