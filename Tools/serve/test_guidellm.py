"""What GuideLLM measures of a server. Skipped without the package, which BITBUDGET_INSTALL=all installs."""

import json
import subprocess
import sys

import pytest

from packages import environment, needed
from serving import NANO, serving

needed("guidellm")
REQUESTS, PROMPT, REPLY = 12, 48, 24


@pytest.fixture(scope="module")
def url():
    with serving("nano-0.5m") as url:
        yield url


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/completions", "/v1/responses"])
def test_every_request_is_answered_and_counted(url, path, tmp_path):
    scenario = {
        "backend": {"kind": "openai_http", "target": url, "request_format": path},
        "tokenizer": {"kind": "huggingface_auto", "model": str(NANO)},
        "data": [{"kind": "synthetic_text", "prompt_tokens": PROMPT, "output_tokens": REPLY}],
        "profile": {"kind": "concurrent", "streams": [4]},
        "constraints": [{"kind": "max_requests", "count": REQUESTS}],
        "outputs": [{"kind": "json", "path": str(tmp_path / "report.json")}],
    }
    (tmp_path / "scenario.json").write_text(json.dumps({"spec": scenario}))
    done = subprocess.run(
        [sys.executable, "-m", "guidellm", "run", "--config", tmp_path / "scenario.json", "--disable-console"],
        cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    requests = json.loads((tmp_path / "report.json").read_text())["benchmarks"][0]["requests"]
    assert not requests["errored"] and not requests["incomplete"], requests["errored"][:1]
    assert len(requests["successful"]) == REQUESTS
    for request in requests["successful"]:
        # The server's own counts: replies are as long as asked for, prompts as long as they are here.
        assert request["output_metrics"]["text_tokens"] == REPLY
        assert request["input_metrics"]["total_tokens"] >= PROMPT
        timings = request["info"]["timings"]
        assert timings["first_token_iteration"] < timings["last_token_iteration"]
