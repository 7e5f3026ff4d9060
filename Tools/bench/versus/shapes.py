"""The published shapes that are compared: their tensors as GGUF names them, and the multiply-adds of a token."""

import dataclasses
import math
from dataclasses import dataclass

TAPS, WIDTH = 4, 128  # of the convolution, and of a head, in linear attention
INTERVAL = 4  # of a hybrid every fourth layer attends


@dataclass(frozen=True)
class Shape:
    architecture: str  # as GGUF names it
    layers: int
    hidden: int
    intermediate: int  # of a dense feed-forward layer, or of an expert
    heads: int
    kv_heads: int = 8
    head_dimension: int = 128
    vocabulary: int = 151_936
    is_tied: bool = True
    experts: tuple[int, int] | None = None  # of a layer, and those that a token is sent to
    linear_heads: tuple[int, int] | None = None  # of a hybrid: of keys and of values

    def cut(self, layers):
        """The same with fewer layers."""
        return dataclasses.replace(self, layers=layers or self.layers)

    @property
    def is_dense(self):
        """Whether every layer attends and has one feed-forward part."""
        return not self.experts and not self.linear_heads

    def attends(self, layer):
        return not self.linear_heads or layer % INTERVAL == INTERVAL - 1

    @property
    def attending(self):
        """Layers that attend."""
        return sum(map(self.attends, range(self.layers)))

    def tensors(self):
        """Names and shapes of everything the file holds."""
        yield "token_embd.weight", (self.vocabulary, self.hidden)
        yield "output_norm.weight", (self.hidden,)
        if not self.is_tied:
            yield "output.weight", (self.vocabulary, self.hidden)
        for layer in range(self.layers):
            mixer = self.attention() if self.attends(layer) else self.linear_attention()
            for name, dimensions in (mixer | self.feed_forward()).items():
                yield f"blk.{layer}.{name}", dimensions

    def attention(self):
        queries, keys = self.heads * self.head_dimension, self.kv_heads * self.head_dimension
        gated = 2 if self.linear_heads else 1  # hybrids gate what they attend to
        return {
            "attn_norm.weight": (self.hidden,), "attn_q_norm.weight": (self.head_dimension,),
            "attn_k_norm.weight": (self.head_dimension,), "attn_q.weight": (gated * queries, self.hidden),
            "attn_k.weight": (keys, self.hidden), "attn_v.weight": (keys, self.hidden),
            "attn_output.weight": (self.hidden, queries),
        }

    def linear_attention(self):
        keys, values = self.linear_heads
        channels = (2 * keys + values) * WIDTH
        return {
            "attn_norm.weight": (self.hidden,), "attn_qkv.weight": (channels, self.hidden),
            "attn_gate.weight": (values * WIDTH, self.hidden), "ssm_conv1d.weight": (channels, TAPS),
            "ssm_dt.bias": (values,), "ssm_a": (values,), "ssm_norm.weight": (WIDTH,),
            "ssm_beta.weight": (values, self.hidden), "ssm_alpha.weight": (values, self.hidden),
            "ssm_out.weight": (self.hidden, values * WIDTH),
        }

    def feed_forward(self):
        norm = {"post_attention_norm.weight" if self.linear_heads else "ffn_norm.weight": (self.hidden,)}
        inner, outer = (self.intermediate, self.hidden), (self.hidden, self.intermediate)
        if not self.experts:
            return norm | {"ffn_gate.weight": inner, "ffn_up.weight": inner, "ffn_down.weight": outer}
        count = self.experts[0]
        return norm | {
            "ffn_gate_inp.weight": (count, self.hidden), "ffn_gate_exps.weight": (count, *inner),
            "ffn_up_exps.weight": (count, *inner), "ffn_down_exps.weight": (count, *outer),
        }

    @property
    def layer_products(self):
        """Multiply-adds of a token with the matrices of all layers."""
        chosen = self.experts[1] / self.experts[0] if self.experts else 1
        return sum(math.prod(dimensions) * (chosen if len(dimensions) == 3 else 1)
                   for name, dimensions in self.tensors() if name.startswith("blk.") and len(dimensions) > 1)

    @property
    def head_products(self):
        return self.vocabulary * self.hidden

    @property
    def attention_products(self):
        """Of a token with each token of the cache."""
        return self.attending * self.heads * 2 * self.head_dimension

    @property
    def state_products(self):
        """Of a token with the states of linear attention, in F32."""
        values = self.linear_heads[1] if self.linear_heads else 0
        return (self.layers - self.attending) * values * 4 * WIDTH * WIDTH


def hybrid(layers, hidden, intermediate, heads, kv_heads, values, is_tied=True):
    return Shape("qwen35", layers, hidden, intermediate, heads, kv_heads, 256, 248_320, is_tied, linear_heads=(16, values))


SHAPES = {
    "0.6b": Shape("qwen3", 28, 1024, 3072, 16),
    "1.7b": Shape("qwen3", 28, 2048, 6144, 16),
    "30b-a3b": Shape("qwen3moe", 48, 2048, 768, 32, kv_heads=4, is_tied=False, experts=(128, 8)),
    "qwen3.5-0.8b": hybrid(24, 1024, 3584, 8, 2, 16),
    "qwen3.5-4b": hybrid(32, 2560, 9216, 16, 4, 32),
    "qwen3.5-9b": hybrid(32, 4096, 12_288, 16, 4, 32, is_tied=False),
}
