"""What `pull` writes is what the hub's own tools write and read: the same files under the same names, from the same hub.

Needs the package huggingface_hub; without it the tests are skipped. `BITBUDGET_BIN` names the folder of the built commands.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import stub_hub

huggingface_hub = pytest.importorskip("huggingface_hub", reason="the package huggingface_hub is not installed")

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("BITBUDGET_BIN", ROOT / "bin"))
MODEL = ROOT / "Packages/NanoModels/Sources/NanoModels/Resources/nano-0.5m"
PATTERNS = ["*.json", "*.safetensors", "*.jinja", "*.txt", "*.model"]


@pytest.fixture
def hub(tmp_path):
    """The address of a hub with the model org/nano, which has a file that no model needs, and a file with another name
    and the same content."""
    folder = tmp_path / "hub/org/nano"
    folder.mkdir(parents=True)
    for file in MODEL.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    (folder / "README.md").write_text("# nano")
    (folder / "copy.json").write_bytes((folder / "config.json").read_bytes())
    server = stub_hub.start(tmp_path / "hub", large=100_000)
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()


def environment(hub, cache):
    return {**os.environ, "HF_ENDPOINT": hub, "HF_HUB_CACHE": str(cache), "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}


def pull(hub, cache):
    done = subprocess.run([BIN / "bitbudget", "pull", "org/nano"], env=environment(hub, cache), capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def python(hub, cache, code, **more):
    """Runs code with the package, in a process of its own: it reads its environment when it is imported."""
    done = subprocess.run([sys.executable, "-c", code], env={**environment(hub, cache), **more}, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def contents(cache):
    """Everything in a cache: where links lead, and bytes of files."""
    found = {}
    for path in sorted(cache.rglob("*")):
        name = str(path.relative_to(cache))
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[name] = path.read_bytes()
    return found


def test_same_bytes(hub, tmp_path):
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    pull(hub, ours)
    python(hub, theirs, f"import huggingface_hub as h; h.snapshot_download('org/nano', allow_patterns={PATTERNS!r})")
    mine, other = contents(ours), contents(theirs)
    assert sorted(mine) == sorted(other)
    assert mine == other


def test_read_by_python(hub, tmp_path):
    folder = pull(hub, tmp_path / "cache")
    # No server from here on.
    gone = "http://127.0.0.1:9"
    scan = python(gone, tmp_path / "cache", "import huggingface_hub as h; i = h.scan_cache_dir(); "
                  "print([(r.repo_id, r.nb_files, sorted(r.refs)) for r in i.repos], i.warnings)")
    files = len({file.resolve() for file in folder.iterdir()})  # The package counts contents, and two are alike.
    assert scan == f"[('org/nano', {files}, ['main'])] []"
    loaded = python(gone, tmp_path / "cache", "import huggingface_hub as h; print(h.snapshot_download('org/nano', "
                    f"allow_patterns={PATTERNS!r})); print(h.hf_hub_download('org/nano', 'model.safetensors'))",
                    HF_HUB_OFFLINE="1")
    assert loaded.split() == [str(folder), str(folder / "model.safetensors")]


def test_read_by_us(hub, tmp_path):
    cache = tmp_path / "cache"
    python(hub, cache, "import huggingface_hub as h; h.snapshot_download('org/nano')")
    done = subprocess.run([BIN / "bitbudget", "generate", "--model", "org/nano", "--prompt", "Hello", "--max-tokens", "3",
                           "--offline"], env=environment(hub, cache), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    done = subprocess.run([BIN / "bitbudget", "rm", "--yes", "org/nano"], env=environment(hub, cache),
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not (cache / "models--org--nano").exists()
