"""The programs that ours is compared with: where they are installed, their files, and the ways in which they are measured."""

import itertools
import os
import subprocess
import sys
import venv
from pathlib import Path

from processes import Failed, output_of
from shapes import SHAPES

HERE = Path(__file__).resolve().parent


def environment(folder, packages, **variables):
    """The Python of a virtual environment that has some packages, made when it is not there yet."""
    python = folder / "bin" / "python"
    if not (folder / "complete").exists():
        print(f"installing {packages[0]} into {folder}; this takes minutes", file=sys.stderr)
        try:
            venv.create(folder, with_pip=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *packages], check=True, env=os.environ | variables)
        except (subprocess.CalledProcessError, OSError):
            raise Failed(f"{' and '.join(packages)} could not be installed into {folder}") from None
        (folder / "complete").touch()
    return python


class Peer:
    """A program with the Python that runs it."""

    def __init__(self, python, options):
        self.python, self.options = python, options

    def file(self, kind):
        """The path of a random file of one type, made when it is not there yet."""
        cut = ["--layers", self.options.layers] if self.options.layers else []
        return output_of([self.python, HERE / self.writer, self.options.work, self.options.shape, kind, *cut])


class LlamaCpp(Peer):
    name, prefix, writer = "llama.cpp", "", "random_gguf.py"

    @classmethod
    def installed(cls, options):
        return cls(options.python or environment(options.work / "venv", ["llama-cpp-python", "gguf", "numpy"],
                                                 CMAKE_ARGS="-DGGML_NATIVE=ON"), options)

    def kinds(self, setting):
        return [kind for kind, _ in setting.gguf]

    def ways(self, setting):
        """Names, and commands that measure."""
        return {f"{kind.upper()}, {cache.upper()} cache": [self.python, HERE / "llamacpp_peer.py", self.file(kind), "--kv", cache]
                for kind, cache in setting.gguf}


def roundings():
    """How OpenVINO may round activations to 8 bits. Its own groups of 32 were slower than of 128 for prompts and 16 sequences,
    and alike for one; where it is asked for groups as large as the weights allow, only processors with tiles round."""
    found = {"groups of 128": "128", "no rounding": "0"}
    return found | ({"largest groups": "max"} if "amx_int8" in Path("/proc/cpuinfo").read_text() else {})


class OpenVINO(Peer):
    """Weights of the same bits, around zero (i) or with zero points (u), BF16 or F32, activations rounded or not."""

    name, prefix, writer = "OpenVINO", "openvino_", "random_openvino.py"

    @classmethod
    def installed(cls, options):
        if not SHAPES[options.shape].is_dense:
            raise Failed(f"{options.shape} is not written for it, dense shapes alone are")
        return cls(environment(options.work / "venv-openvino", ["openvino", "numpy"]), options)

    def kinds(self, setting):
        return ["bf16"] if setting.bits == 16 else [f"i{setting.bits}", f"u{setting.bits}"]

    def ways(self, setting):
        """Names, and commands that measure."""
        ways = {}
        for kind, precision in itertools.product(self.kinds(setting), ["bf16", "f32"]):
            command = [self.python, HERE / "openvino_peer.py", self.file(kind), "--precision", precision]
            name = f"{kind}, in {precision.upper()}"
            if setting.bits == 16:
                ways[name] = command
            else:
                ways |= {f"{name}, {way}": [*command, "--group", group] for way, group in roundings().items()}
        return ways
