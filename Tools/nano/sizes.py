"""The families: shapes of the models and how long each one is trained."""

from dataclasses import dataclass

NORM_EPSILON = 1e-6
ROPE_THETA = 10_000.0


@dataclass(frozen=True)
class Training:
    """How one model is trained; the model follows from this and the seed alone."""

    tokens: int
    """Tokens of the run, padding not counted."""
    seed: int
    small_operands: float = 0.0
    """Share of the run, from its start, in which most operands have one digit."""
    first_names: float = 0.6
    """Share of the run, from its start, that knows only the first half of the names."""
    cooldown: float = 0.25
    """Share of the run, at its end, in which the learning rates fall to zero."""
    further: tuple[int, ...] = ()
    """Tokens of each further round, which begins at half the rates; they fall to zero again."""
    muon_rate: float = 0.02
    begins_with: str | None = None
    """A trained model whose layers it begins with: `upcycle.py` copies its feed-forward layers into the experts."""


@dataclass(frozen=True)
class Family:
    """What the models of one family have in common: their tasks, and room for them."""

    name: str
    vocabulary: int
    positions: int
    """Tokens that a model may read."""
    longest: int
    """Tokens of the longest document to train on."""
    step: int
    """Tokens of one step of training."""


NANO = Family("nano", 704, 1024, 512, 4096)
NANO2 = Family("nano2", 768, 1024, 640, 2048)
FAMILIES = {family.name: family for family in (NANO, NANO2)}


@dataclass(frozen=True)
class Size:
    """The shape of one model, in the terms of a Qwen3 `config.json`."""

    name: str
    hidden: int
    intermediate: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    training: Training
    family: Family = NANO
    experts: int = 0
    """Feed-forward layers of which each token is sent to `chosen`; 0 for one that sees all tokens."""
    chosen: int = 0
    linear: tuple[int, ...] = ()
    """Layers of linear attention instead of attention; the others then gate what they attend to."""

    @property
    def group(self) -> int:
        """The widest quantization group (at most 128) that divides every input width."""
        return 128 if self.hidden % 128 == 0 else 64


SIZES = {
    size.name: size
    for size in [
        Size("nano-0.15m", 64, 192, 2, 2, 1, 32,
             Training(22_000_000, 15, small_operands=6 / 11, further=(38_000_000,))),
        Size("nano-0.5m", 128, 256, 3, 4, 2, 32,
             Training(18_000_000, 50, further=(9_000_000,))),
        Size("nano-1.5m", 256, 384, 3, 4, 2, 64,
             Training(7_000_000, 150, first_names=3 / 7, cooldown=0.4,
                      further=(1_800_000, 7_000_000, 9_000_000))),
        Size("nano-4m", 256, 768, 5, 4, 2, 64,
             Training(9_600_000, 400, first_names=6.05 / 9.6, cooldown=0.21,
                      further=(1_200_000, 3_000_000, 9_000_000))),
        # Not shipped: a model with experts to try things on.
        Size("nano-moe", 128, 256, 3, 4, 2, 32,
             Training(3_000_000, 500, first_names=0, cooldown=0.9, muon_rate=0.005,
                      begins_with="nano-0.5m"), experts=8, chosen=2),
        # Not shipped: a hybrid, two of whose three layers hold a state of a fixed size.
        Size("nano-hybrid", 128, 256, 3, 4, 2, 32,
             Training(12_000_000, 501, first_names=0, cooldown=0.5, begins_with="nano-0.5m"), linear=(0, 2)),
        # The second generation: equally deep, with keys and values of every head.
        Size("nano2-0.2m", 64, 128, 3, 2, 2, 32, Training(3_000_000, 2020, cooldown=0.4), NANO2),
        Size("nano2-0.5m", 128, 192, 3, 4, 4, 32, Training(3_000_000, 2050, cooldown=0.4), NANO2),
        Size("nano2-1m", 192, 256, 3, 6, 6, 32, Training(3_000_000, 2100, cooldown=0.4), NANO2),
        Size("nano2-2.2m", 256, 512, 3, 8, 8, 32, Training(3_500_000, 2220, cooldown=0.4, further=(2_000_000,)), NANO2),
    ]
}
