"""Packages from Python's registry that tests need and that may not be installed here.

What is absent is installed into an environment of its own below .build/python, which is kept for the next run; where that
cannot be done, the tests that need it are skipped and say why. Large packages are installed only with BITBUDGET_INSTALL=all.
"""

import importlib
import os
import site
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / ".build/python" / f"{sys.version_info[0]}.{sys.version_info[1]}"
PYTHON = FOLDER / "bin/python"
MODULES = FOLDER / f"lib/python{FOLDER.name}/site-packages"
#: What modules are called in the registry, and for how many seconds their installation may take.
SMALL = {"openai": ("openai", 40)}
LARGE = {"lm_eval": ("lm-eval[api]", 1800), "guidellm": ("guidellm", 1800), "schemathesis": ("schemathesis", 600)}


def needed(module):
    """The module; skips all tests of the file that asks where it cannot be had."""
    reason = None if has(module) else install(module)
    if reason:
        pytest.skip(f"{module} is not installed, and {reason}", allow_module_level=True)
    return importlib.import_module(module)


def environment():
    """The variables of a process that is to find what was installed here."""
    paths = [str(MODULES)] if MODULES.exists() else []
    paths += [path for path in [os.environ.get("PYTHONPATH")] if path]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def has(module):
    """Whether a module can be imported, be it from the environment that was made here."""
    if MODULES.exists() and str(MODULES) not in sys.path:
        site.addsitedir(str(MODULES))
    importlib.invalidate_caches()
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True


def install(module):
    """Installs a module; the reason where that fails, else None."""
    if module in LARGE and os.environ.get("BITBUDGET_INSTALL") != "all":
        return "it is large: BITBUDGET_INSTALL=all installs it"
    name, seconds = (SMALL | LARGE)[module]
    steps = [] if PYTHON.exists() else [[sys.executable, "-m", "venv", FOLDER]]
    steps.append([PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1",
                  "--timeout", "10", name])
    for step in steps:
        try:
            done = subprocess.run(step, capture_output=True, text=True, timeout=seconds)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"cannot be: {error}"
        if done.returncode:
            said = (done.stderr.strip() or done.stdout.strip()).splitlines()
            return f"cannot be: {said[-1] if said else 'no reason was given'}"
    return None if has(module) else f"cannot be imported from {MODULES}"
