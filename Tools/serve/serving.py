"""A server of this checkout, for tests."""

import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NANO = ROOT / "Packages/NanoModels/Sources/NanoModels/Resources/nano-0.5m"


@contextmanager
def serving(model):
    """The address of a server of a model; it has to end as asked."""
    program = Path(os.environ.get("BITBUDGET_BIN", ROOT / "bin")) / "serve"
    if not program.exists():
        pytest.skip("bin/serve is not built")
    server = subprocess.Popen([program, "--model", model, "--port", "0"], stderr=subprocess.PIPE, text=True)
    found = None
    for line in server.stderr:
        if found := re.search(r"listening +(http://\S+)", line):
            break
    try:
        assert found, "the server did not start"
        yield found[1]
    finally:
        server.terminate()
        status = server.wait(timeout=60)
    assert status == 143
