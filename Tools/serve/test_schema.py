"""What schemathesis finds, which makes requests out of the OpenAPI document that the server publishes: none may be answered with 500
or end the server. Skipped without the package, which BITBUDGET_INSTALL=all installs; BITBUDGET_FUZZ_MINUTES says for how long."""

import os
import re
import subprocess
import sys
import time
import urllib.request

from packages import environment, needed
from serving import serving

needed("schemathesis")
MINUTES = float(os.environ.get("BITBUDGET_FUZZ_MINUTES", "0.5"))
PROGRAM = "import sys; from schemathesis.cli import schemathesis; sys.exit(schemathesis())"


def metric(url, name):
    with urllib.request.urlopen(url + "/metrics") as reply:
        return float(re.search(rf"^bitbudget_{name} (\S+)", reply.read().decode(), re.MULTILINE)[1])


def test_no_request_breaks_the_server(tmp_path):
    end = time.monotonic() + 60 * MINUTES
    seed = 0
    with serving("nano-0.5m", "--max-tokens", "64") as url:
        while seed == 0 or time.monotonic() < end:
            done = subprocess.run(
                [sys.executable, "-c", PROGRAM, "run", url + "/openapi.json", "--checks", "not_a_server_error", "--max-examples", "20",
                 "--seed", str(seed), "--suppress-health-check", "all", "--request-timeout", "120"],
                cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=3600)
            assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
            seed += 1
        assert metric(url, "failures_total") == 0
        print(f"{metric(url, 'texts_submitted_total'):.0f} texts in {seed} rounds")
