"""What the `openai` package makes of a server: `BITBUDGET_URL=http://127.0.0.1:8080 python3 -m pytest Tools/serve`.

Without the variable the server of this checkout is started (bin/serve). Where the package is absent and cannot be installed the
tests are skipped.
"""

import json
import os
import shutil

import pytest

from packages import needed
from serving import NANO, serving

openai = needed("openai")
ASKED = [{"role": "user", "content": "Start with 8. Then (a) multiply by 3. What is the result?"}]
TOOLS_TEMPLATE = """\
{%- if tools %}<|im_start|>system
{{ tools | tojson }} <tool_call></tool_call><|im_end|>
{% endif %}
{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content }}{% for call in message.tool_calls or [] %}{{ call.function.arguments | tojson }}{% endfor %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}
"""


def client_of(url):
    return openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0)


@pytest.fixture(scope="module")
def client():
    if url := os.environ.get("BITBUDGET_URL"):
        yield client_of(url)
        return
    with serving("nano-0.5m") as url:
        yield client_of(url)


@pytest.fixture(scope="module")
def tool_client(tmp_path_factory):
    """A client of a model whose template takes tools."""
    folder = tmp_path_factory.mktemp("model") / "tools"
    shutil.copytree(NANO, folder)
    (folder / "chat_template.jinja").write_text(TOOLS_TEMPLATE)
    with serving(folder) as url:
        yield client_of(url)


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


def test_responses_whole_and_streamed(client, model):
    asked = {"model": model, "input": ASKED, "extra_body": {"seed": 7}}
    whole = client.responses.create(**asked)
    chat = client.chat.completions.create(model=model, messages=ASKED, seed=7)
    assert whole.status == "completed" and whole.output_text == chat.choices[0].message.content
    thoughts = [item.content[0].text for item in whole.output if item.type == "reasoning"]
    assert thoughts == [chat.choices[0].message.reasoning_content]
    assert whole.usage.total_tokens == chat.usage.total_tokens
    with client.responses.stream(**asked) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
    assert final.output_text == whole.output_text
    again = client.responses.create(
        model=model, input=[*ASKED, *whole.output, {"role": "user", "content": "Again."}], max_output_tokens=1)
    assert again.status == "incomplete" and again.incomplete_details.reason == "max_output_tokens"


def test_a_response_of_a_given_form(client, model):
    schema = {"type": "object", "required": ["result"], "properties": {"result": {"type": "integer"}},
              "additionalProperties": False}
    reply = client.responses.create(
        model=model, input="What is 3 times 8?", reasoning={"effort": "none"}, max_output_tokens=100,
        text={"format": {"type": "json_schema", "name": "result", "schema": schema, "strict": True}})
    assert isinstance(json.loads(reply.output_text)["result"], int)
    with pytest.raises(openai.BadRequestError, match="previous_response_id"):
        client.responses.create(model=model, input="Go on.", previous_response_id="resp_1")


FUNCTION = {
    "name": "multiply", "description": "Multiplies.",
    "parameters": {"type": "object", "required": ["a", "b"], "additionalProperties": False,
                   "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
}


def test_tools_that_have_to_be_called(tool_client):
    model = tool_client.models.list().data[0].id
    common = {"model": model, "messages": ASKED, "tools": [{"type": "function", "function": FUNCTION}],
              "reasoning_effort": "none", "max_tokens": 200, "temperature": 1.5}
    for choice in ("required", {"type": "function", "function": {"name": "multiply"}}):
        for seed in range(4):
            whole = tool_client.chat.completions.create(**common, tool_choice=choice, seed=seed).choices[0]
            assert whole.finish_reason == "tool_calls" and not whole.message.content
            call = whole.message.tool_calls[0].function
            assert call.name == "multiply" and set(json.loads(call.arguments)) == {"a", "b"}
            parts = tool_client.chat.completions.create(**common, tool_choice=choice, seed=seed, stream=True)
            calls = [call.function for part in parts for choice_ in part.choices
                     for call in choice_.delta.tool_calls or []]
            assert calls[0].arguments == call.arguments


def test_a_call_is_sent_back_with_its_result(tool_client):
    model = tool_client.models.list().data[0].id
    common = {"model": model, "tools": [{"type": "function", "function": FUNCTION}], "reasoning_effort": "none",
              "max_tokens": 200, "seed": 1}
    called = tool_client.chat.completions.create(**common, messages=ASKED, tool_choice="required").choices[0].message
    assert called.content is None
    result = {"role": "tool", "tool_call_id": called.tool_calls[0].id, "content": "24"}
    answers = [tool_client.chat.completions.create(**common, messages=[*ASKED, message, result], tool_choice="none")
               for message in (called, {**called.model_dump(exclude_none=True), "content": ""})]
    # Nothing said is as empty as an empty text.
    assert answers[0].choices[0].message.content == answers[1].choices[0].message.content
    assert answers[0].usage.prompt_tokens == answers[1].usage.prompt_tokens


def test_the_kv_cache_is_the_requests(client, model):
    replies = [client.chat.completions.create(model=model, messages=ASKED, seed=7, extra_body=extra)
               for extra in ({}, {"kv": "int4"}, {"kv": "int4", "kv_evict": "h2o:64"})]
    assert [reply.kv_cache for reply in replies[1:]] == ["int4", "h2o:64+int4"]
    with pytest.raises(openai.BadRequestError, match="int3"):
        client.chat.completions.create(model=model, messages=ASKED, extra_body={"kv": "int3"})


def test_a_response_with_a_call_and_its_result(tool_client):
    model = tool_client.models.list().data[0].id
    tools = [{"type": "function", **FUNCTION}]
    with tool_client.responses.stream(
            model=model, input=ASKED, tools=tools, tool_choice="required", reasoning={"effort": "none"},
            max_output_tokens=200) as stream:
        kinds = {event.type for event in stream}
        first = stream.get_final_response()
    assert "response.function_call_arguments.done" in kinds
    call = first.output[-1]
    assert call.type == "function_call" and set(json.loads(call.arguments)) == {"a", "b"}
    result = {"type": "function_call_output", "call_id": call.call_id, "output": "24"}
    second = tool_client.responses.create(
        model=model, input=[*ASKED, *first.output, result], tools=tools, tool_choice="none", max_output_tokens=50)
    assert second.output_text
