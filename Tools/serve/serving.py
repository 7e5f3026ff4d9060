"""The commands of this checkout, for tests, and a server."""

import os
import re
import subprocess
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NANO = ROOT / "Packages/NanoModels/Sources/NanoModels/Resources/nano-0.5m"


def program(name):
    """The file of a command; skips where it is not built."""
    file = Path(os.environ.get("BITBUDGET_BIN", ROOT / "bin")) / name
    if not file.exists():
        pytest.skip(f"bin/{name} is not built")
    return file


@contextmanager
def serving(model, *flags):
    """The address of a server of a model; it has to end as asked."""
    server = subprocess.Popen(
        [program("serve"), "--model", model, "--port", "0", *flags], stderr=subprocess.PIPE, text=True)
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
