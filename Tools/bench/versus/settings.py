"""What is compared: in which format, at which depth, with how many sequences."""

from dataclasses import dataclass

DEPTH = 4096
NAMES = {"bf16": "16 bits", "int8": "8 bits", "int4": "4 bits", "w8a8": "W8A8", "w8a8-fp": "FP8", "w4a4": "W4A4"}
BITS = {"bf16": 16, "int8": 8, "w8a8": 8, "w8a8-fp": 8, "int4": 4, "w4a4": 4}
PROMPT_FIELD, FIELD = "prompt_tokens_per_second", "tokens_per_second"


@dataclass(frozen=True)
class Setting:
    """What all engines do in a turn: ours with each of its caches, and the others in each of their ways."""

    ours: str  # the format of its weights
    gguf: tuple[tuple[str, str], ...]  # for llama.cpp: type of the file, type of its cache
    depth: int = 0
    batch: int = 1
    caches: tuple[str, ...] = ("bf16",)  # ours
    prompt: int = 512
    tokens: int = 32

    @property
    def bits(self):
        """Of a weight."""
        return BITS[self.ours]

    @property
    def fields(self):
        """(name, field) of what is measured."""
        if self.batch > 1:
            return [(f"{self.batch} sequences", FIELD)]
        return [(f"prompt of {self.prompt}", PROMPT_FIELD), ("one sequence", FIELD)]

    def rows(self):
        """(name, index of our cache, field) of each line of the table."""
        for name, field in self.fields:
            for index, cache in enumerate(self.caches):
                depth = f" at depth {self.depth}" if self.depth else ""
                kept = f", {cache} cache" if len(self.caches) > 1 else ""
                yield f"{name}{depth}, {NAMES[self.ours]}{kept}", index, field


SETTINGS = [
    Setting("bf16", (("bf16", "f16"),)),
    Setting("int8", (("q8_0", "f16"), ("bf16", "f16"))),
    Setting("int4", (("q4_0", "f16"), ("bf16", "f16"))),
    Setting("int8", (("q8_0", "f16"), ("bf16", "f16")), depth=DEPTH, caches=("bf16", "int8")),
    Setting("int8", (("q8_0", "f16"),), depth=128, batch=16, prompt=1),
    Setting("int4", (("q4_0", "f16"),), depth=128, batch=16, prompt=1),
    Setting("int8", (("q8_0", "f16"),), depth=DEPTH, batch=16, caches=("bf16", "int8"), prompt=1, tokens=16),
]
# Formats whose activations are rounded too, beside those whose weights alone are.
SCHEMES = [
    Setting(ours, tuple((kind, "f16") for kind in kinds), **load)
    for load in ({}, {"depth": 128, "batch": 16, "prompt": 1})
    for ours, kinds in {
        "bf16": ["bf16"], "int8": ["q8_0"], "w8a8": ["q8_0"], "w8a8-fp": ["q8_0"], "int4": ["q4_0"], "w4a4": ["q4_0"],
    }.items()
]
